"""Measure the test kit's fixtures, compared with an empty test and the usual recipes.

Run with `uv run python benchmarks/testing.py`. Each variant is rendered and runs the tests of
`testing_inside.py` in rounds; the result is the median of the rounds. `recipe` is the savepoint session
of SQLAlchemy's documentation, which most templates use; `recreate` creates and drops the tables.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

from rendering import projects
from units import VARIANTS, answers, write_program

INSIDE = Path(__file__).with_name("testing_inside.py")
WAYS = ("empty", "uow", "recipe", "database", "recreate")

Times = dict[str, list[float]]  # ms per test, by way


def main() -> None:
    """Print the table."""
    options = parse()
    print(f"{options.rounds} rounds of {options.tests} tests each, medians, ms per test\n")
    print(
        "| variant | empty | `uow` | recipe | ratio | `database` | recreate | ratio | 500 × `uow` |"
    )
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    for variant, project in projects({each: answers(each) for each in options.only}):
        write_program(INSIDE, project / "tests/test_inside.py", variant)
        times = measure(project, options.rounds, options.tests)
        print(row(variant, times, five_hundred(project)), flush=True)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tests", type=int, default=40, help="tests of each kind in a round")
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=VARIANTS)
    return parser.parse_args()


def measure(project: Path, rounds: int, tests: int) -> Times:
    """Return the mean of each round by way, without the slowest tenth, which includes the set-up."""
    times: Times = defaultdict(list)
    for _ in range(rounds):
        report = project / "report.xml"
        run_tests(project, tests, f"--junitxml={report}")
        round_: Times = defaultdict(list)
        for case in ElementTree.parse(report).iter("testcase"):
            way = case.attrib["name"].removeprefix("test_").partition("[")[0]
            round_[way].append(float(case.attrib["time"]) * 1000)
        for way, each in round_.items():
            times[way].append(statistics.fmean(sorted(each)[: len(each) * 9 // 10]))
    return times


def five_hundred(project: Path) -> float:
    """Return the seconds of 500 tests with `uow`, including pytest's own start and end."""
    start = time.perf_counter()
    run_tests(project, 500, "-k", "test_uow")
    return time.perf_counter() - start


def run_tests(project: Path, tests: int, *options: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "tests/test_inside.py", *options],
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(project / "src"), "TESTS": str(tests)},
        stdout=subprocess.DEVNULL,
        check=True,
    )


def row(variant: str, times: Times, seconds: float) -> str:
    ms = {way: statistics.median(times[way]) for way in WAYS}
    over = {way: ms[way] - ms["empty"] for way in WAYS}
    cells = [
        variant,
        f"{ms['empty']:.1f}",
        f"+{over['uow']:.1f}",
        f"+{over['recipe']:.1f}",
        f"{over['uow'] / over['recipe']:.2f}",
        f"+{over['database']:.1f}",
        f"+{over['recreate']:.1f}",
        f"{over['database'] / over['recreate']:.2f}",
        f"{seconds:.1f} s",
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
