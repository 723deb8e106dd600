"""Count the bytecode instructions that Python runs: the same number every time, on any machine.

Code in C and code in other threads is not counted. Two versions of Python give different counts, but
almost the same ratios.
"""

import sys
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

from greenlet import settrace


class Instructions:
    """A context manager; `count` is the number of instructions that ran in its block."""

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
        """Trace the greenlet that runs now: each has a tracing function of its own, a new one none."""
        sys.settrace(self._run)

    def _run(self, frame: FrameType, event: str, _: object) -> Callable[..., Any]:
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        self.count += event == "opcode"
        return self._run
