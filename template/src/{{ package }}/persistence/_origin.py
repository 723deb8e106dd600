"""Where something was opened: errors point at the line that has to change."""

import sys
from types import FrameType
from typing import NamedTuple


class Origin(NamedTuple):
    """A line of code; text only where somebody reads it."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def caller() -> Origin:
    """The line that called the kernel; reads a few frames, builds no traceback."""
    # Who called the function that calls this one.
    frame: FrameType | None = sys._getframe(2)  # pyright: ignore[reportPrivateUsage]
    while frame and frame.f_globals.get("__package__") == __package__:
        frame = frame.f_back
    return Origin(frame.f_code.co_filename, frame.f_lineno) if frame else Origin("?", 0)
