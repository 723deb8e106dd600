"""`db`: the schema and its migrations, and rows from another database."""

from typing import Annotated

from typer import Argument, Option, Typer, echo

from ...persistence import copying, migrations
from ...settings import Settings
from ...unit_of_work import metadata
from ._present import AsJson, show_json, show_table
from ._progress import showing_progress

app = Typer(help="Look after the schema.", no_args_is_help=True)

Sql = Annotated[bool, Option("--sql", help="Print the statements instead; needs no database.")]
Source = Annotated[str, Argument(help="Its URL: sqlite:///old.db, postgresql://user@host/name.")]


@app.command()
def upgrade(
    revision: Annotated[str, Argument(help="A revision, or `head`.")] = "head", sql: Sql = False
) -> None:
    """Bring the schema up to a revision."""
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
        str, Argument(help="A revision, `base`, or how many steps; with --sql a range FROM:TO.")
    ] = "-1",
    sql: Sql = False,
) -> None:
    """Bring the schema down, by one revision unless told otherwise."""
    settings = Settings()
    if sql:
        echo(migrations.downgrade_sql(settings, revision), nl=False)
    else:
        with migrations.in_one_sentence():
            migrations.downgrade(settings, revision)
        _say_where(settings)


@app.command()
def current(as_json: AsJson = False) -> None:
    """Say which revision the schema is at, and which one the code needs."""
    state = migrations.current(Settings())
    if as_json:
        show_json({"database": sorted(state.database), "code": sorted(state.code)})
    else:
        echo(f"database: {_names(state.database)}\ncode:     {_names(state.code)}")


@app.command()
def check() -> None:
    """Fail unless database, migrations and models agree."""
    migrations.check(Settings())
    echo("database, migrations and models agree")


@app.command()
def copy(source: Source, as_json: AsJson = False) -> None:
    """Copy every row of another database with the same schema into this one, and compare them.

    The other one is only read. A table is whole and equal afterwards, or empty; run it again to
    go on with the rest.
    """
    with showing_progress() as report:

        def in_rows(table: str, done: int, total: int) -> None:
            report(table, done // 2, total // 2)  # each row is read there, then here

        tables = copying.copy(source, Settings(), metadata, in_rows)
    if as_json:
        show_json(tables)
        return
    titles = ["table", "rows", "checksum", ""]
    done = {True: "was there, is equal", False: "copied, is equal"}
    show_table(titles, [(t.table, t.rows, t.checksum, done[t.was_there]) for t in tables])


def _say_where(settings: Settings) -> None:
    state = migrations.current(settings)
    echo(f"{settings.database_address} is at {_names(state.database)}")


def _names(revisions: frozenset[str]) -> str:
    return ", ".join(sorted(revisions)) or "no revision"
