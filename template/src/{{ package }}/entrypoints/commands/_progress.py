"""How far something is: a bar on a terminal, and elsewhere a line, or what is logged."""

from collections.abc import Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn

from ...persistence.copying import Report


@contextmanager
def showing_progress(*, is_logged: bool = False) -> Generator[Report]:
    """Yield what to call with a name, how much of it is done, and of how much; shown on stderr.

    On a terminal each name has a bar. Elsewhere it has a line when it begins and one when it is
    done, or none with `is_logged`, if the log has the same.
    """
    console = Console(stderr=True, markup=False, highlight=False, soft_wrap=True)
    if not console.is_terminal:
        yield _ignore if is_logged else _lines(console)
        return
    columns = TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn()
    with Progress(*columns, console=console) as progress:
        tasks = dict[str, TaskID]()

        def report(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = progress.add_task(name, total=total)
            progress.update(tasks[name], completed=done, total=total)

        yield report


def _lines(console: Console) -> Report:
    shown = set[tuple[str, int]]()

    def report(name: str, done: int, total: int) -> None:
        if done in {0, total} and (name, done) not in shown:
            shown.add((name, done))
            console.print(f"{name}: {done} of {total}")

    return report


def _ignore(name: str, done: int, total: int) -> None: ...
