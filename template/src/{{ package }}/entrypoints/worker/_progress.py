"""How many tasks a worker has tried: a bar on a terminal; elsewhere its log says the same."""

from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress

Report = Callable[[int, int], None]  # how many tasks were tried, and of how many


@contextmanager
def showing_progress() -> Generator[Report | None]:
    """Yield a function that moves the bar, which is on stderr; nothing if that is no terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    with Progress(console=console) as progress:
        bar = progress.add_task("tasks", total=None)

        def report(done: int, total: int) -> None:
            progress.update(bar, completed=done, total=total)

        yield report
