"""How far something is: a bar on a terminal, and elsewhere a line, or what is logged."""

from collections.abc import Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn

from ...persistence.copying import Report


@contextmanager
def showing_progress(*, is_logged: bool = False) -> Generator[Report]:
    """Where to report how far each table is; shown beside the output, on stderr.

    `is_logged`: it can be read in the log, so where there is no terminal nothing is shown.
    """
    console = Console(stderr=True, markup=False, highlight=False, soft_wrap=True)
    if not console.is_terminal:
        yield lambda name, done, total: None if is_logged else _line(console, name, done, total)
        return
    columns = TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn()
    with Progress(*columns, console=console) as progress:
        tasks = dict[str, TaskID]()

        def report(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = progress.add_task(name, total=total)
            progress.update(tasks[name], completed=done, total=total)

        yield report


def _line(console: Console, name: str, done: int, total: int) -> None:
    if done == 0:
        console.print(f"{name}: {total // 2} rows")
