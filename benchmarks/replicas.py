"""Measure reads from a standby that is delayed by two seconds, with and without tokens, on PostgreSQL.

Run with `uv run python benchmarks/replicas.py`. The project is rendered, and has a primary and a
standby on this machine. Each client reads a row of its own all the time, and changes it every few
seconds. A read is stale if it shows less than the client has written. Before, units of each kind take
turns, to measure what a token and the choice of a replica cost.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from rendering import projects
from units import run, write_program

INSIDE = Path(__file__).with_name("replicas_inside.py")
MODES = ("async", "sync")


def main() -> None:
    """Print the tables."""
    options = parse()
    sets = {
        mode: {"database": "postgresql", "mode": mode, "contract": True} for mode in options.only
    }
    given = {name: value for name, value in vars(options).items() if name != "only"}
    for mode, project in projects(sets):
        write_program(INSIDE, project / INSIDE.name, f"postgresql-{mode}")
        print(f"## {mode}\n\n{tables(run(project, INSIDE, json.dumps(given)))}\n", flush=True)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--reads-with", type=int, default=100_000, help="reads with a token")
    parser.add_argument("--reads-without", type=int, default=20_000, help="reads without one")
    parser.add_argument("--clients", type=int, default=10)
    parser.add_argument("--delay", type=float, default=2.0, help="of the standby, in seconds")
    parser.add_argument("--pairs", type=int, default=1000, help="units of each kind")
    parser.add_argument("--only", nargs="+", choices=MODES, default=MODES)
    return parser.parse_args()


def tables(figures: dict[str, Any]) -> str:
    """Return two Markdown tables."""
    lines = ["| reads | in all | stale | by the replica |", "|---|---|---|---|"]
    for name in ("with", "without"):
        counts = figures[name]
        share = counts["by replicas"] / counts["reads"]
        lines.append(
            f"| {name} a token | {counts['reads']:,} | {counts['stale']:,} | {share:.0%} |"
        )
    lines += ["", "| unit | median, µs | quartiles |", "|---|---|---|"]
    for name, (low, middle, high) in figures["µs"].items():
        lines.append(f"| {name} | {middle:,.0f} | {low:,.0f} to {high:,.0f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
