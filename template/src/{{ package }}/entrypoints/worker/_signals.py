"""SIGTERM and Ctrl-C: the first asks to stop, the next one ends at once, as without us."""

import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def stopping_on_signals(stop: Callable[[], object]) -> Generator[None]:
    """Within the block, which is the main thread's, the first signal calls `stop`."""
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def put_back() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def handle(number: int, frame: FrameType | None) -> None:
        put_back()
        stop()

    for number in SIGNALS:
        signal.signal(number, handle)
    try:
        yield
    finally:
        put_back()
