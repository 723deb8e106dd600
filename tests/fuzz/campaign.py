"""Run sets of random examples for hours, several at a time, each in a separate process.

The result of a set is printed as soon as it is known, so an interrupted run has printed its results.
A failing set does not stop the others, even if its process is killed.
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
    """Counters; a subclass has one for each kind of thing."""

    def __str__(self) -> str:
        return ", ".join(f"{number:,} {what}" for what, number in vars(self).items())


N = TypeVar("N", bound=Counts)


def command_line(
    module: str, about: str | None, *, each: int | None = None
) -> argparse.ArgumentParser:
    """A parser with the options of every campaign: `start`, `jobs`, and `each` if there is one."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=about)
    if each is not None:
        parser.add_argument(
            "--each", type=int, default=each, help="so many in each set (%(default)s)"
        )
    parser.add_argument("--start", type=int, default=0, help="other ones for another number")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="so many sets at a time")
    return parser


def explore(sets: Mapping[str, Callable[[], T]], jobs: int) -> list[T]:
    """Run the sets in this order, and yield the counters of those that did not fail."""
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
        pool.shutdown(cancel_futures=True)  # after Ctrl-C, no other set starts
    print(f"{len(sets) - len(found)} of {len(sets)} failed")
    return found


def count_all(kind: type[N], sets: Mapping[str, Callable[[], N]], jobs: int) -> bool:
    """Run the sets, print the sum of their counters, and return whether none has failed."""
    tallies = explore(sets, jobs)
    total = kind(*map(sum, zip(*(vars(tally).values() for tally in tallies), strict=True)))
    print(f"in all: {total}")
    return len(tallies) == len(sets)


def _alone(explored: Callable[[], T]) -> T:
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(_in_words, explored).result()


def _in_words(explored: Callable[[], T]) -> T:
    """Raise errors as text, because not every error can be pickled."""
    try:
        return explored()
    except Exception as error:
        raise RuntimeError("".join(traceback.format_exception_only(error))) from None
