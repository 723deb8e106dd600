"""Copy every row of another database with the same schema into this project's database.

The other database is only read. Each table is compared before it is committed, so it holds all rows or
none. After an interruption, run the command again: it continues with the tables that are missing.
The exit code is 0 if every table is equal, 2 if the command refused to run, and 3 if it was stopped.
"""

import json
import os
import shutil
import signal
import subprocess
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn
from rich.table import Table
from rich.text import Text

from ..updating.project import UV, Answers, Project, Refusal, own_environment
from ._attempt import failed

PACKAGE = Path(__file__).parents[1]
COPYING = PACKAGE / "copying"
DRIVER = ("--with", "psycopg[binary]>=3.3")  # lets an SQLite project read PostgreSQL
STATE = {True: "already there, equal", False: "copied, equal"}

Report = Callable[[str, int, int], None]  # a table's name, its rows done so far, its rows in all


class Stopped(Exception):  # noqa: N818 - not a programming error
    """The copying process ended before it reported a result."""


def main(arguments: Sequence[str]) -> int:
    """Copy, print the tables, and return the exit code."""
    wish = parsed(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    project = Project(Path.cwd())
    try:
        project.require_answers()
        with showing_progress() as report:
            tables = copy(project, project.answers(), wish.source, report)
    except Refusal as refusal:
        return failed("refused", str(refusal), wish)
    except Stopped as stopped:
        return failed("stopped", f"{stopped}; no table was copied in part", wish)
    except KeyboardInterrupt:
        advice = "no table was copied in part; run it again to continue"
        return failed("stopped", f"you interrupted it; {advice}", wish)
    show(tables, as_json=wish.json)
    return 0


def parsed(arguments: Sequence[str]) -> Namespace:
    """Parse the command line."""
    parser = ArgumentParser(prog="just copy-rows", description=(__doc__ or "").split("\n")[0])
    add = parser.add_argument
    add("source", metavar="URL", help="sqlite:///old.db, or postgresql://user@host/name")
    add("--json", action="store_true", help="print one JSON document")
    return parser.parse_args(arguments)


def copy(project: Project, answers: Answers, source: str, report: Report) -> list[dict[str, Any]]:
    """Run the package `copying` in the project's environment, and return the compared tables."""
    is_foreign = answers.get("database") == "sqlite" and source.startswith("postgres")
    uv = [UV, "run", "--quiet", "--project", str(project.folder)]
    driver = DRIVER if is_foreign else ()
    module = ["python", "-m", "sessionproof.copying", str(answers["package"]), source]
    with importable() as folder, started([*uv, *driver, *module], folder) as lines:
        for line in lines:
            answer: dict[str, Any] = json.loads(line)
            if "refused" in answer:
                raise Refusal(answer["refused"])
            if "tables" in answer:
                tables: list[dict[str, Any]] = answer["tables"]
                return tables
            # A step is one row read from either database: two steps for each row.
            report(answer["table"], answer["done"] // 2, answer["total"] // 2)
    raise Stopped("the copying process ended unexpectedly")


@contextmanager
def importable() -> Iterator[Path]:
    """Yield a folder that contains the package `copying` and nothing else of this environment."""
    with TemporaryDirectory() as folder:
        there = Path(folder) / PACKAGE.name
        there.mkdir()
        shutil.copy2(PACKAGE / "__init__.py", there)
        shutil.copytree(COPYING, there / COPYING.name, ignore=shutil.ignore_patterns("__pycache__"))
        yield Path(folder)


@contextmanager
def started(command: Sequence[str], folder: Path) -> Iterator[Iterator[str]]:
    """Yield the lines that the program prints. Pass an interrupt on to it, and wait until it ends."""
    environment = own_environment()
    path = os.pathsep.join(filter(None, [str(folder), environment.get("PYTHONPATH", "")]))
    process = subprocess.Popen(
        command,
        env=environment | {"PYTHONPATH": path},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,  # so Ctrl-C reaches it once, through us
    )
    assert process.stdout
    try:
        yield iter(process.stdout)
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
        raise
    finally:
        process.stdout.close()  # otherwise a full pipe could block it
        process.wait()


@contextmanager
def showing_progress() -> Iterator[Report]:
    """Yield a function that shows a table's progress: as a bar on a terminal, else as lines."""
    console = Console(stderr=True, markup=False, highlight=False, soft_wrap=True)
    if not console.is_terminal:
        yield _lines(console)
        return
    columns = TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn()
    with Progress(*columns, console=console) as progress:
        tasks = dict[str, TaskID]()

        def report(table: str, done: int, total: int) -> None:
            if table not in tasks:
                tasks[table] = progress.add_task(table, total=total)
            progress.update(tasks[table], completed=done, total=total)

        yield report


def _lines(console: Console) -> Report:
    shown = set[tuple[str, int]]()

    def report(table: str, done: int, total: int) -> None:
        if done in {0, total} and (table, done) not in shown:
            shown.add((table, done))
            console.print(f"{table}: {done} of {total}")

    return report


def show(tables: Sequence[dict[str, Any]], *, as_json: bool) -> None:
    """Print every table with its number of rows and its checksum."""
    if as_json:
        print(json.dumps({"status": "copied", "tables": tables}, indent=2))
        return
    shown = Table("table", "rows", "checksum", "")
    for each in tables:
        cells = (each["table"], each["rows"], each["checksum"], STATE[each["was_there"]])
        shown.add_row(*(Text(str(cell), overflow="fold") for cell in cells))
    console = Console()
    if not console.is_terminal:
        console.width = 10_000
    console.print(shown)
