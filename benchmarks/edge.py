"""Measure the health checks and the memory of a server that is flooded and whose database stops.

Run with `uv run python benchmarks/edge.py`. In turn, 500 slow and idle connections are opened,
bodies of 200 MB are sent, 1,000 WebSockets are opened, and the database is stopped while clients
ask it. Meanwhile another client asks for `/health/live` and `/health/ready`.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rendering import projects
from units import VARIANTS, answers, run, write_program

INSIDE = Path(__file__).with_name("edge_inside.py")

Figures = dict[str, Any]


def main() -> None:
    """Print the table, or the figures as JSON."""
    options = parse()
    figures = {variant: run(project, INSIDE) for variant, project in written(options.only)}
    print(json.dumps(figures) if options.json else table(figures))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=VARIANTS)
    parser.add_argument("--json", action="store_true", help="print every figure as JSON")
    return parser.parse_args()


def written(variants: list[str]) -> Iterator[tuple[str, Path]]:
    """Render a project with the HTTP API for each variant, and write the program into it."""
    more = {"contract": True, "http": True}
    for variant, project in projects({each: {**answers(each), **more} for each in variants}):
        print(variant, file=sys.stderr)
        write_program(INSIDE, project / INSIDE.name, "as it is: -async")
        yield variant, project


def table(figures: dict[str, Figures]) -> str:
    """Return a Markdown table: the slowest checks, the statuses, and what the server needed."""
    lines = [
        "| variant | flood | statuses | slowest live, s | slowest ready, s | memory, MiB | log, KiB |",
        "|---|---|---|---|---|---|---|",
    ]
    for variant, floods in figures.items():
        for flood, seen in floods.items():
            statuses = ", ".join(f"{n:,} × {status}" for status, n in seen["statuses"].items())
            cells = [
                *(variant, flood, statuses),
                *(f"{seen[check]:.2f}" for check in ("live", "ready")),
                *(f"{seen[unit]:,.0f}" for unit in ("mib", "kib")),
            ]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
