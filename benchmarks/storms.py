"""Measure what 500 clients notice when their database restarts or loses every connection.

Run with `uv run python benchmarks/storms.py`. The clients share a pool of 10 connections, and each
runs one unit after another. The server is stopped for some time and started again, and then every
connection is cut. With `http`, the clients send requests to the project's own API, and another
client asks for its health.
"""

import argparse
import json
import shutil
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from failover import MODES
from rendering import projects
from units import run, write_program

UNITS, HTTP = (
    Path(__file__).with_name(name) for name in ("storms_inside.py", "storms_http_inside.py")
)
LOADS = ("run", "plain", "http")

Figures = dict[str, Any]


def main() -> None:
    """Print the tables, or the figures as JSON."""
    options = parse()
    figures = list(measure(options))
    print(json.dumps(figures) if options.json else tables(figures))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="restarts, and as many cuts")
    parser.add_argument("--clients", type=int, default=500)
    parser.add_argument("--away", type=float, default=3, help="seconds without a server")
    parser.add_argument("--only", nargs="+", choices=MODES, default=MODES)
    parser.add_argument("--loads", nargs="+", choices=LOADS, default=LOADS)
    parser.add_argument("--json", action="store_true", help="print every figure as JSON")
    return parser.parse_args()


def measure(options: argparse.Namespace) -> Iterator[Figures]:
    """Measure every load, each with a server of its own."""
    answers = {"database": "postgresql", "contract": True, "http": True}
    sets = {mode: {**answers, "mode": mode} for mode in options.only}
    for mode, project in projects(sets):
        write_program(UNITS, project / UNITS.name, f"postgresql-{mode}")
        shutil.copy(HTTP, project)
        for load in options.loads:
            print(mode, load, file=sys.stderr)
            given = {"rounds": options.rounds, "clients": options.clients, "away": options.away}
            program = HTTP if load == "http" else UNITS
            yield {
                "mode": mode,
                "load": load,
                "events": run(project, program, json.dumps({**given, "run": load == "run"})),
            }


def tables(figures: list[Figures]) -> str:
    """Return Markdown tables: of the clients, and of the health checks.

    `first` and `everyone` are the seconds from the server's return until one client, or every client,
    has succeeded; `errors` are the mean of a client and the highest. All are medians of the events.
    `unready` and `ready` are the seconds until `/health/ready` fails or takes more than a second, and
    from the server's return until it answers 200.
    """
    clients = [
        "| mode | load | event | first, s | everyone, s | errors of a client | at most |",
        "|---|---|---|---|---|---|---|",
    ]
    health = [
        "| mode | event | unready, s | ready, s | live | slowest, s |",
        "|---|---|---|---|---|---|",
    ]
    for each in figures:
        for name in ("restart", "cut"):
            events = [event for event in each["events"] if event["event"] == name]
            cells = [
                *(each["mode"], each["load"], name),
                middle(event["first"] for event in events),
                middle(event["everyone"] for event in events),
                middle(event["errors"][0] for event in events),
                str(max(event["errors"][1] for event in events)),
            ]
            clients.append(f"| {' | '.join(cells)} |")
            if each["load"] == "http":
                live = [event["live"] for event in events]
                fine = sum(checks.get("204", 0) for checks in live)
                cells = [
                    *(each["mode"], name),
                    middle(event["unready"] for event in events),
                    middle(event["ready"] for event in events),
                    f"{fine} of {sum(sum(checks.values()) for checks in live)}",
                    f"{max(event['live_slowest'] for event in events):.1f}",
                ]
                health.append(f"| {' | '.join(cells)} |")
    return "\n".join([*clients, "", *health])


def middle(numbers: Iterator[float | None]) -> str:
    """The median, or a dash if nothing was measured."""
    found = [number for number in numbers if number is not None]
    return f"{statistics.median(found):.2f}" if found else "–"


if __name__ == "__main__":
    main()
