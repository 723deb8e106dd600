"""Measure what other queries notice of migrations on PostgreSQL, and interrupt a migration again and again.

Run with `uv run python benchmarks/indexes.py`. The project is rendered, and has a PostgreSQL server of
its own with a large table. Units read a row every 50 ms and change one every 100 ms, whether or not the
earlier ones have returned, while a migration runs in another process.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rendering import projects

INSIDE = Path(__file__).with_name("indexes_inside.py")
ANSWERS = {"database": "postgresql", "mode": "async", "contract": True}
WAYS = {
    "none": "no migration",
    "concurrently": "an index, built with `CONCURRENTLY`",
    "plain": "an index, built with a plain `CREATE INDEX`",
    "short": "a new column, behind a transaction of 15 s; waits for locks of 2 s",
    "long": "the same, waits for locks of 10 s",
}


def main() -> None:
    """Measure in a new project."""
    options = parse()
    for _, project in projects({"async": ANSWERS}):
        report(measure(project, options), options)


def report(figures: dict[str, Any], options: argparse.Namespace) -> None:
    """Print the figures as a table."""
    print(f"{options.rows:,} rows; times of units in ms\n")
    print(
        "| migration | it takes | units | p50 | p99 | longest | failed |\n|---" + "|---" * 6 + "|"
    )
    for way, found in figures["ways"].items():
        print(f"| {WAYS[way]} | {found.pop('seconds')} s | {cells(found)} |")
    print(f"\nkilled {figures['killed']} times, completed {figures['completed']} times")


def cells(found: dict[str, Any]) -> str:
    return " | ".join(map(str, found.values()))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=3_000_000)
    parser.add_argument("--kills", type=int, default=20, help="how often a migration is killed")
    parser.add_argument("--only", nargs="+", choices=WAYS, default=[*WAYS])
    return parser.parse_args()


def measure(project: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Run the program in the project."""
    arguments: Sequence[object] = (options.rows, options.kills, *options.only)
    done = subprocess.run(
        [sys.executable, str(INSIDE), *map(str, arguments)],
        cwd=project,
        env=os.environ | {"PYTHONPATH": f"{project / 'src'}{os.pathsep}{project}"},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


if __name__ == "__main__":
    main()
