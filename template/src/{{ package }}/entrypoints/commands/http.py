"""`http`: serve the API."""

from typing import Annotated

from typer import Option, Typer

from ...persistence import migrations
from ...settings import Settings

app = Typer(help="Serve the HTTP API.", no_args_is_help=True)


@app.command()
def run(
    host: Annotated[str, Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, Option(min=0, max=65535, help="The port; 0 takes a free one.")] = 8000,
    grace: Annotated[float, Option(min=0, help="Seconds for requests to finish at the end.")] = 30,
    processes: Annotated[int, Option(min=1, help="How many processes serve.")] = 1,
    migrate: Annotated[bool, Option("--migrate", help="Upgrade the schema first.")] = False,
) -> None:
    """Serve until SIGTERM or Ctrl-C, then finish running requests; a second signal ends at once."""
    from ..http._server import serve  # slow to import, and no other command needs it
    from ..http.app import create_app

    settings = Settings()
    if migrate:
        with migrations.in_one_sentence():
            migrations.upgrade(settings)
    serve(create_app(settings), settings, host=host, port=port, grace=grace, processes=processes)
