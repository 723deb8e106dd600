"""How many of its own instructions Python runs: the same number every time, on any machine.

What C does is not seen, nor what other threads do. The counts of two versions of Python differ,
their ratios hardly.
"""

import sys
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

from greenlet import settrace


class Instructions:
    """To be entered with `with`; `count` is what ran inside."""

    count = 0

    def __enter__(self) -> Self:
        settrace(self._switched)
        sys.settrace(self._run)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        sys.settrace(None)
        settrace(None)

    def _switched(self, event: str, greenlets: object) -> None:
        """Every greenlet has a tracing function of its own, and a new one none."""
        sys.settrace(self._run)

    def _run(self, frame: FrameType, event: str, _: object) -> Callable[..., Any]:
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        self.count += event == "opcode"
        return self._run
