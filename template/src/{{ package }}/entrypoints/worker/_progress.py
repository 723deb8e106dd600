"""A progress bar for a worker on a terminal; elsewhere, the log shows the progress."""

from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress

Report = Callable[[int, int], None]  # the number of tasks tried, and the total


@contextmanager
def showing_progress() -> Generator[Report | None]:
    """Yield a function that moves the bar on stderr; None if stderr is not a terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    with Progress(console=console) as progress:
        bar = progress.add_task("tasks", total=None)

        def report(done: int, total: int) -> None:
            progress.update(bar, completed=done, total=total)

        yield report
