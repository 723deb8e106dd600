"""Measure the ways in rounds, and check after each turn that the work was done."""

import asyncio
import gc
import itertools
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from .cases import Case
from .store import Store

BASE = "import sqlalchemy.orm, sqlalchemy.ext.asyncio, sqlalchemy.dialects.{}"
IMPORT = "import time; begun = time.perf_counter(); import {}; print(time.perf_counter() - begun)"

Work = Callable[[Any], Any]
State = tuple[int, int]  # see Store.state
Done = Sequence[tuple[Any, float]]  # of each unit: its result, and its seconds if concurrent
Figures = dict[str, list[list[float]]]  # the figures of each round, by way

THREADS = ThreadPoolExecutor(100)

numbers = itertools.count(1)


async def measure(store: Store, ways: Mapping[str, Any], case: Case, rounds: int) -> Figures:
    """Measure in rounds; each begins with another way. Round 0 is a warm-up."""
    names = [name for name, way in ways.items() if has(way, case)]
    if len(names) == 1 and case.measures != "import":  # nothing to compare with
        return {}
    figures: Figures = {name: [] for name in names}
    turns = max(2, round(rounds * case.rounds)) if case.rounds else 1
    for turn in range(turns + 1):
        for name in names:
            figure = await MEASURES[case.measures](store, ways[name], case)
            if turn:
                figures[name].append(figure)
        names = [*names[1:], *names[:1]]
        print(f"\r{case.title}: round {turn} of {turns}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return figures


def has(way: Any, case: Case) -> bool:
    """Whether the way has the operation."""
    return getattr(way, "imports" if case.measures == "import" else case.does, None) is not None


async def measure_time(store: Store, way: Any, case: Case) -> list[float]:
    """Return the seconds of a unit: on the clock, and of CPU in all threads of this process.

    For concurrent units, also return the 99th percentile as a multiple of the median.
    """
    work, arguments, before = prepare(store, way, case)
    gc.collect()
    gc.disable()
    wall, cpu = time.perf_counter(), time.process_time()
    done = await (run_concurrently if case.concurrent else run_in_turn)(work, arguments)
    figure = [time.perf_counter() - wall, time.process_time() - cpu]
    gc.enable()
    check(store, way, case, before, arguments, done)
    tail = [worst([seconds for _, seconds in done])] if case.concurrent else []
    return [seconds / case.units for seconds in figure] + tail


async def measure_memory(store: Store, way: Any, case: Case) -> list[float]:
    """Return the peak of the megabytes that Python had allocated."""
    work, arguments, before = prepare(store, way, case)
    gc.collect()
    tracemalloc.start()
    done = await run_in_turn(work, arguments)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    check(store, way, case, before, arguments, done)
    return [peak / 1e6]


async def measure_import(store: Store, way: Any, case: Case) -> list[float]:
    """Return the milliseconds of an import in a new process, after SQLAlchemy was imported."""
    command = [sys.executable, "-c", f"{BASE.format(store.backend)}; {IMPORT.format(way.imports)}"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return [float(done.stdout) * 1000]


MEASURES = {"time": measure_time, "memory": measure_memory, "import": measure_import}


def prepare(store: Store, way: Any, case: Case) -> tuple[Work, list[Any], State]:
    """Return the way's method, its arguments, and the state of the table before."""
    arguments = [case.argument(number) for number in itertools.islice(numbers, case.units)]
    return getattr(way, case.does), arguments, store.fill(case.rows)


async def run_in_turn(work: Work, arguments: Sequence[Any]) -> Done:
    return [(await work(argument), 0) for argument in arguments]


async def run_concurrently(work: Work, arguments: Sequence[Any]) -> Done:
    begun = time.perf_counter()

    async def unit(argument: Any) -> tuple[Any, float]:
        return await work(argument), time.perf_counter() - begun

    return await asyncio.gather(*map(unit, arguments))


def in_threads(work: Work, arguments: Sequence[Any]) -> Done:
    """Replace `gather()` in the sync program: each unit has a thread, and all start together."""
    barrier = Barrier(len(arguments))

    def unit(argument: Any) -> Any:
        barrier.wait()
        return work(argument)

    return list(THREADS.map(unit, arguments))


def check(
    store: Store, way: Any, case: Case, before: State, arguments: Sequence[Any], done: Done
) -> None:
    """Exit with a message if the work was not done."""
    after = tuple(had + adds * case.units for had, adds in zip(before, case.adds, strict=True))
    expected = [after, *map(case.answer, arguments)]
    found = [store.state(), *(answer for answer, _ in done)]
    for wanted, got in zip(expected, found, strict=True):
        if got != wanted:
            place = f"{type(way).__module__}:{type(way).__qualname__}"
            sys.exit(f"{case.title}, {place}: expected {wanted}, got {got}")


def worst(seconds: Sequence[float]) -> float:
    """Return the 99th percentile as a multiple of the median."""
    cuts = statistics.quantiles(seconds, n=100)
    return cuts[98] / cuts[49]
