"""Measure how soon clients that watch a task learn of a commit, and the number of statements for that.

Run with `uv run python benchmarks/watchers.py`. Clients open WebSockets to the project's own server.
Then a request changes the task that they watch, and another request changes a task without watchers.
The server, its clients and a counter of its statements share one process, so the times are upper
bounds.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from rendering import projects
from units import VARIANTS, answers, run

INSIDE = Path(__file__).with_name("watchers_inside.py")

Figures = list[dict[str, Any]]


def main() -> None:
    """Print the table."""
    options = parse()
    more = {"contract": True, "http": True}
    sets = {variant: {**answers(variant), **more} for variant in options.only}
    print("| variant | watchers | opened, s | all told, s | statements | for another task |")
    print("|---|---|---|---|---|---|")
    for variant, project in projects(sets):
        print(variant, file=sys.stderr)
        (project / INSIDE.name).write_text(INSIDE.read_text(encoding="utf-8"), encoding="utf-8")
        figures: Figures = run(project, INSIDE, json.dumps(options.watchers))
        for each in figures:
            cells = [f"{each[name]:.2f}" for name in ("opened", "told")]
            counts = [str(each[name]) for name in ("statements", "others")]
            print(
                f"| {' | '.join([variant, str(each['watchers']), *cells, *counts])} |", flush=True
            )


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--watchers", type=int, nargs="+", default=[1, 100, 1000])
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=VARIANTS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
