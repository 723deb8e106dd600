"""The calls of one unit of work, counted inside of a rendered project; `path.py` starts it.

It is written for async; without its `async` and `await` it is the program for sync.
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
    """How often each function of the project is called, in any thread and greenlet."""

    def __init__(self) -> None:
        self.counted = Counter[CodeType]()
        self.is_counting = False
        threading.setprofile(self._note)  # for the threads that begin from now on
        settrace(self._switched)

    def start(self) -> None:
        self.is_counting = True
        sys.setprofile(self._note)

    def stop(self) -> None:
        sys.setprofile(None)
        self.is_counting = False

    def by_module(self) -> dict[str, dict[str, int]]:
        """The calls of each function, in the order of the first ones, by module."""
        found: dict[str, dict[str, int]] = {}
        for code, count in self.counted.items():
            path = Path(code.co_filename)
            if path.is_relative_to(PACKAGE):
                functions = found.setdefault(str(path.relative_to(PACKAGE)), {})
                functions[code.co_qualname] = functions.get(code.co_qualname, 0) + count
        return found

    def _switched(self, event: str, greenlets: object) -> None:
        """Every greenlet has a profiling function of its own, and a new one has none."""
        if self.is_counting:
            sys.setprofile(self._note)

    def _note(self, frame: FrameType, event: str, _: object) -> None:
        """Python reports a coroutine that goes on as called again; here it counts once."""
        if self.is_counting and event == "call" and frame.f_lasti <= begin(frame.f_code):
            self.counted[frame.f_code] += 1


@cache
def begin(code: CodeType) -> int:
    """Where a function begins, after what Python puts before its first line."""
    return next(each.offset for each in dis.get_instructions(code) if each.opname == "RESUME")


async def get(database: Database[UnitOfWork]) -> None:
    async with database.unit_of_work() as uow:
        await uow.tasks.get(1)


async def count(settings: Settings) -> dict[str, dict[str, int]]:
    """The calls of one unit, when everything is warm."""
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
    """Print the calls as JSON; without OpenTelemetry, which a project has to ask for."""
    sys.modules["opentelemetry"] = None  # type: ignore[assignment]
    with migrated_database() as settings:
        print(json.dumps(asyncio.run(count(settings))))


if __name__ == "__main__":
    main()
