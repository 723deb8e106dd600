"""Measure what clients notice of a switchover and of the loss of a primary, on PostgreSQL.

Run with `uv run python benchmarks/failover.py`. The project is rendered, and has a cluster of a
primary and two standbys on this machine. 50 clients write and 50 read, each one unit after another,
through a pool of 10 connections, while the primary is stopped or killed and a standby is promoted.
Afterwards the rows are compared with the answers that the clients got.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rendering import projects
from units import run, write_program

INSIDE = Path(__file__).with_name("failover_inside.py")
MODES = ("async", "sync")
WAYS = ("hosts", "haproxy")
EVENTS = {"switchover": False, "kill": True}

Figures = dict[str, Any]


def main() -> None:
    """Print the table, or the figures as JSON."""
    options = parse()
    figures = list(measure(options))
    print(json.dumps(figures) if options.json else table(figures))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="events of each kind")
    parser.add_argument("--clients", type=int, default=50, help="writers, and as many readers")
    parser.add_argument("--only", nargs="+", choices=MODES, default=MODES)
    parser.add_argument("--events", nargs="+", choices=EVENTS, default=[*EVENTS])
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=["hosts"])
    parser.add_argument("--units", nargs="+", choices=("run", "plain"), default=["run", "plain"])
    parser.add_argument(
        "--replication", nargs="+", choices=("sync", "async"), default=["sync", "async"]
    )
    parser.add_argument("--pgbouncer", action="store_true", help="connect through PgBouncer")
    parser.add_argument("--json", action="store_true", help="print every figure as JSON")
    return parser.parse_args()


def measure(options: argparse.Namespace) -> Iterator[Figures]:
    """Measure every combination, each with a cluster of its own."""
    sets = {mode: {"database": "postgresql", "mode": mode, "contract": True} for mode in MODES}
    chosen = {mode: answers for mode, answers in sets.items() if mode in options.only}
    for mode, project in projects(chosen):
        write_program(INSIDE, project / INSIDE.name, f"postgresql-{mode}")
        for case in cases(options):
            print(mode, case, file=sys.stderr)
            yield {"mode": mode, **case, **run(project, INSIDE, json.dumps(case))}


def cases(options: argparse.Namespace) -> Iterator[Figures]:
    for way in options.ways:
        for event in options.events:
            for replication in options.replication:
                for units in options.units:
                    yield {
                        "way": way,
                        "kill": EVENTS[event],
                        "synchronous": replication == "sync",
                        "run": units == "run",
                        "rounds": options.rounds,
                        "clients": options.clients,
                        "pgbouncer": options.pgbouncer,
                    }


COLUMNS = {
    "written": "written",
    "failed": "failed",
    "broken_at_most": "broken",
    "afterwards": "afterwards",
    "unknown": "unknown",
    "lost": "lost",
    "twice": "twice",
    "false": "false",
}


def table(figures: list[Figures]) -> str:
    """Return a Markdown table.

    Of the failed units, `broken` is the largest number of one event that lost their connection, not
    counting those that got none; `afterwards` began when others could write again; `unknown` raised
    CommitOutcomeUnknown. Writes are `lost` if they were acknowledged, `twice` if they were saved
    again by a retry, and `false` if they were saved but reported as rolled back.
    """
    head = ["mode", "event", "way", "replication", "units", *COLUMNS.values(), "pause, s"]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for each in figures:
        event = f"{each['events']} {'kills' if each['kill'] else 'switchovers'}"
        way = each["way"] + (", PgBouncer" if each["pgbouncer"] else "")
        cells = [
            each["mode"],
            event,
            way,
            "sync" if each["synchronous"] else "async",
            "`run()`" if each["run"] else "plain",
            *(str(each[column]) for column in COLUMNS),
            f"{statistics.median(each['pauses']):.1f} (up to {max(each['pauses']):.1f})",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
