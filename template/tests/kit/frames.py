"""Frames: which are the project's own, and how to name their lines."""

from pathlib import Path
from types import FrameType

PROJECT = Path(__file__).parents[2]


def is_ours(frame: FrameType) -> bool:
    """Whether its code is the project's, kernel and tests included."""
    file = Path(frame.f_code.co_filename)
    return file.is_relative_to(PROJECT) and "site-packages" not in file.parts


def line(frame: FrameType) -> str:
    """As in `src/shop/orders/manager.py:34 in OrderManager.ship`."""
    file = frame.f_code.co_filename.rpartition("site-packages/")[2].removeprefix(f"{PROJECT}/")
    return f"{file}:{frame.f_lineno} in {frame.f_code.co_qualname}"
