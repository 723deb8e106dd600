"""Count the calls of one unit of work inside a rendered project; `path.py` starts this program.

It is written for async. The sync program is the same text without `async` and `await`.
"""

import asyncio
import dis
import json
import sys
import threading
from collections import Counter
from functools import cache
from pathlib import Path
from types import CodeType, FrameType

import task_queue
from greenlet import settrace
from task_queue.persistence import Database
from task_queue.settings import Settings
from task_queue.tasks.model import Task
from task_queue.unit_of_work import UnitOfWork, open_database
from units_inside import migrated_database

PACKAGE = Path(task_queue.__file__).parent


class Calls:
    """Counts how often each function of the project is called, in any thread and greenlet."""

    def __init__(self) -> None:
        self.counted = Counter[CodeType]()
        self.is_counting = False
        threading.setprofile(self._note)  # for threads that start later
        settrace(self._switched)

    def start(self) -> None:
        self.is_counting = True
        sys.setprofile(self._note)

    def stop(self) -> None:
        sys.setprofile(None)
        self.is_counting = False

    def by_module(self) -> dict[str, dict[str, int]]:
        """Return the calls of each function by module, in the order of their first calls."""
        found: dict[str, dict[str, int]] = {}
        for code, count in self.counted.items():
            path = Path(code.co_filename)
            if path.is_relative_to(PACKAGE):
                functions = found.setdefault(str(path.relative_to(PACKAGE)), {})
                functions[code.co_qualname] = functions.get(code.co_qualname, 0) + count
        return found

    def _switched(self, event: str, greenlets: object) -> None:
        """Profile the greenlet that runs now: each has a function of its own, a new one none."""
        if self.is_counting:
            sys.setprofile(self._note)

    def _note(self, frame: FrameType, event: str, _: object) -> None:
        """Count a call. Python reports a resumed coroutine as a new call; that is not counted."""
        if self.is_counting and event == "call" and frame.f_lasti <= begin(frame.f_code):
            self.counted[frame.f_code] += 1


@cache
def begin(code: CodeType) -> int:
    """Return the offset of a function's first instruction, after its prologue."""
    return next(each.offset for each in dis.get_instructions(code) if each.opname == "RESUME")


async def get(database: Database[UnitOfWork]) -> None:
    async with database.unit_of_work() as uow:
        await uow.tasks.get(1)


async def count(settings: Settings) -> dict[str, dict[str, int]]:
    """Count the calls of one unit, after three others have filled the caches."""
    calls = Calls()
    async with open_database(settings) as database:
        async with database.unit_of_work() as uow:
            await uow.tasks.add(Task(title="a task"))
        for _ in range(3):
            await get(database)
        calls.start()
        await get(database)
        calls.stop()
    return calls.by_module()


def main() -> None:
    """Print the calls as JSON. OpenTelemetry is off, because it is an optional extra."""
    sys.modules["opentelemetry"] = None  # type: ignore[assignment]
    with migrated_database() as settings:
        print(json.dumps(asyncio.run(count(settings))))


if __name__ == "__main__":
    main()
