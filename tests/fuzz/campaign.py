"""Sets of random examples, explored for hours: some at a time, each in a process of its own.

What came of a set is said as soon as it is done, so that a run which is cut short has said what it
did. A set that fails ends alone, even where its process is killed.
"""

import argparse
import os
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TypeVar

T = TypeVar("T")


@dataclass
class Counts:
    """What was counted: a subclass has a number for each kind of thing."""

    def __str__(self) -> str:
        return ", ".join(f"{number:,} {what}" for what, number in vars(self).items())


N = TypeVar("N", bound=Counts)


def command_line(module: str, about: str | None, *, each: int) -> argparse.ArgumentParser:
    """What every exploration can be told: `each`, `start` and `jobs`."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=about)
    parser.add_argument("--each", type=int, default=each, help="so many in each set (%(default)s)")
    parser.add_argument("--start", type=int, default=0, help="other ones for another number")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="so many sets at a time")
    return parser


def explore(sets: Mapping[str, Callable[[], T]], jobs: int) -> list[T]:
    """Explore the sets in this order; what came of those that did not fail."""
    found: list[T] = []
    pool = ThreadPoolExecutor(jobs)
    try:
        running = {pool.submit(_alone, explored): name for name, explored in sets.items()}
        for future in as_completed(running):
            if error := future.exception():
                print(f"{running[future]} failed: {error}", flush=True)
            else:
                found.append(future.result())
                print(f"{running[future]} is done: {future.result()}", flush=True)
    finally:
        pool.shutdown(cancel_futures=True)  # what Ctrl-C stops begins no other set
    print(f"{len(sets) - len(found)} of {len(sets)} failed")
    return found


def count_all(kind: type[N], sets: Mapping[str, Callable[[], N]], jobs: int) -> bool:
    """Explore the sets and say what they counted together; whether none has failed."""
    tallies = explore(sets, jobs)
    total = kind(*map(sum, zip(*(vars(tally).values() for tally in tallies), strict=True)))
    print(f"in all: {total}")
    return len(tallies) == len(sets)


def _alone(explored: Callable[[], T]) -> T:
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(_in_words, explored).result()


def _in_words(explored: Callable[[], T]) -> T:
    """Raises what went wrong as text: not every error survives the way to another process."""
    try:
        return explored()
    except Exception as error:
        raise RuntimeError("".join(traceback.format_exception_only(error))) from None
