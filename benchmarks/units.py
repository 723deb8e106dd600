"""Measure a unit of work, compared with plain `sessionmaker.begin()` around the same statements.

Run with `uv run python benchmarks/units.py`. Each variant is rendered and measured in a process of
its own. In each round, every way runs some units on the same database. The result is the median of
the rounds' ratios. `session` makes the same calls through `uow.session`; `repository` uses the
repository; `engines` is a plain sessionmaker on the kernel's engines.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from ratios import ratios
from rendering import Answers, projects

VARIANTS = ["-".join(answers) for answers in product(("sqlite", "postgresql"), ("async", "sync"))]
WAYS = ("session", "repository", "engines")
INSIDE = Path(__file__).with_name("units_inside.py")
COUNTER = Path(__file__).with_name("instructions.py")
AS_SYNC = {
    r"from sqlalchemy\.ext\.asyncio import .*": (
        "from sqlalchemy import Engine, create_engine\nfrom sqlalchemy.orm import Session, sessionmaker"
    ),
    r"\b(async|await) ": "",
    r"connection\.run_sync\((.*?)\)": r"\1(connection)",
    r"\basync_sessionmaker\b": "sessionmaker",
    r"\basynccontextmanager, ": "",
    r"\basynccontextmanager\b": "contextmanager",
    r"\bcreate_async_engine\b": "create_engine",
    r"\bAsync(Engine|Session|Iterator)\b": r"\1",
    r"\bstream_scalars\b": "scalars",
    r"\basyncio\.sleep\b": "time.sleep",
    r"\basyncio\.run\((.*?\))\)": r"\1",
}

Rounds = list[tuple[float, float]]  # µs per unit, on the clock and of CPU
Figures = dict[str, dict[str, Rounds]]  # by case and way
Counts = dict[str, dict[str, int]]  # of instructions


def main() -> None:
    """Print the table, or the figures as JSON."""
    options = parse()
    rounds = 0 if options.instructions else options.rounds
    figures = {
        variant: run(project, INSIDE, str(rounds)) for variant, project in written(options.only)
    }
    if options.json:
        print(json.dumps(figures))
    else:
        print(table(figures, rounds) if rounds else table_of_instructions(figures))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=25, help="at least 2")
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=VARIANTS)
    parser.add_argument(
        "--json", action="store_true", help="print every round in µs, clock and CPU, as JSON"
    )
    parser.add_argument(
        "--instructions", action="store_true", help="count instructions instead of time"
    )
    return parser.parse_args()


def written(variants: Sequence[str], *programs: Path) -> Iterator[tuple[str, Path]]:
    """Render a project for each variant, and write these programs into it."""
    for variant, project in projects({each: answers(each) for each in variants}):
        print(variant, file=sys.stderr)
        for program in (INSIDE, COUNTER, *programs):
            write_program(program, project / program.name, variant)
        yield variant, project


def answers(variant: str) -> Answers:
    """Return the answers of a variant."""
    return dict(zip(("database", "mode"), variant.split("-"), strict=True))


def write_program(program: Path, target: Path, variant: str) -> None:
    """Write a program, which is written for async, into the project that runs it."""
    text = program.read_text(encoding="utf-8")
    target.write_text(text if variant.endswith("-async") else as_sync(text), encoding="utf-8")


def as_sync(program: str) -> str:
    """Return the program without `async` and `await`."""
    for pattern, replacement in AS_SYNC.items():
        program = re.sub(pattern, replacement, program)
    return program


def run(project: Path, program: Path, *arguments: str) -> Any:
    """Run a program in the project; return the JSON that it prints."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", program.name, *arguments],
        cwd=project,
        env=os.environ | {"PYTHONPATH": f"{project / 'src'}{os.pathsep}{project}"},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def table_of_instructions(counts: dict[str, Counts]) -> str:
    """Return a Markdown table: the repository's instructions, relative to plain SQLAlchemy's."""
    cases = list(next(iter(counts.values())))
    lines = [f"| variant | {' | '.join(cases)} |", "|---" * (len(cases) + 1) + "|"]
    for variant, of in counts.items():
        cells = [f"{of[case]['repository'] / of[case]['plain']:.2f}" for case in cases]
        lines.append(f"| {variant} | {' | '.join(cells)} |")
    return "\n".join(lines)


def table(figures: dict[str, Figures], rounds: int) -> str:
    """Return a Markdown table."""
    lines = [
        f"{rounds} rounds, medians (quartiles), µs per unit\n",
        "| variant | case | way | plain | unit | ratio | CPU ratio |",
        "|---|---|---|---|---|---|---|",
    ]
    for variant, cases in figures.items():
        for case, ways in cases.items():
            lines += [f"| {variant} | {case} | {row(ways, way)} |" for way in WAYS]
    return "\n".join(lines)


def row(ways: dict[str, Rounds], way: str) -> str:
    plain, unit = (statistics.median(wall for wall, _ in ways[name]) for name in ("plain", way))
    cells = [way, f"{plain:.0f}", f"{unit:.0f}"]
    return " | ".join(cells + ratios(ways[way], ways["plain"]))


if __name__ == "__main__":
    main()
