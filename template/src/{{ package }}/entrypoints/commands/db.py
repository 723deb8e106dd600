"""`db`: the schema and its migrations."""

from typing import Annotated

from typer import Argument, Option, Typer, echo

from ...persistence import migrations
from ...settings import Settings
from ._present import AsJson, show_json

app = Typer(help="Migrate the database, and check its schema.", no_args_is_help=True)

Sql = Annotated[bool, Option("--sql", help="Print the SQL only; this needs no database.")]


@app.command()
def upgrade(
    revision: Annotated[str, Argument(help="A revision, or `head`.")] = "head", sql: Sql = False
) -> None:
    """Upgrade the schema to a revision."""
    settings = Settings()
    if sql:
        echo(migrations.upgrade_sql(settings, revision), nl=False)
    else:
        with migrations.in_one_sentence():
            migrations.upgrade(settings, revision)
        _say_where(settings)


@app.command()
def downgrade(
    revision: Annotated[
        str, Argument(help="A revision, `base`, or a number of steps; with --sql, a range FROM:TO.")
    ] = "-1",
    sql: Sql = False,
) -> None:
    """Downgrade the schema, by one revision if you name none."""
    settings = Settings()
    if sql:
        echo(migrations.downgrade_sql(settings, revision), nl=False)
    else:
        with migrations.in_one_sentence():
            migrations.downgrade(settings, revision)
        _say_where(settings)


@app.command()
def current(as_json: AsJson = False) -> None:
    """Print the revision of the schema, and the revision that the code needs."""
    state = migrations.current(Settings())
    if as_json:
        show_json({"database": sorted(state.database), "code": sorted(state.code)})
    else:
        echo(f"database: {_names(state.database)}\ncode:     {_names(state.code)}")


@app.command()
def check() -> None:
    """Check that database, migrations and models agree."""
    migrations.check(Settings())
    echo("database, migrations and models agree")


def _say_where(settings: Settings) -> None:
    state = migrations.current(settings)
    echo(f"{settings.database_address} is at {_names(state.database)}")


def _names(revisions: frozenset[str]) -> str:
    return ", ".join(sorted(revisions)) or "no revision"
