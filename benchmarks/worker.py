"""Measure how many tasks worker processes complete each second, with a job that does nothing.

Run with `uv run python benchmarks/worker.py`. The project is rendered and has a PostgreSQL server of
its own. For each number of processes, the workers are started, then the queue is filled. The time goes
from the first event of a worker to the last one, so it does not include the start of the processes.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from rendering import projects

INSIDE = Path(__file__).with_name("worker_inside.py")
PROCESSES = (1, 2, 4)


def main() -> None:
    """Print the table."""
    options = parse()
    print(f"{options.tasks} tasks, concurrency {options.concurrency}; tasks per second\n")
    print("| mode |", " | ".join(f"{count} processes" for count in PROCESSES), "|")
    print("|---" * (len(PROCESSES) + 1) + "|")
    sets = {mode: {"database": "postgresql", "mode": mode, "worker": True} for mode in options.only}
    for mode, project in projects(sets):
        print(f"| {mode} |", " | ".join(measure(project, options)), "|", flush=True)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tasks", type=int, default=1000)
    parser.add_argument(
        "--concurrency", type=int, default=4, help="tasks at a time in each process"
    )
    parser.add_argument("--only", nargs="+", choices=["async", "sync"], default=["async", "sync"])
    return parser.parse_args()


def measure(project: Path, options: argparse.Namespace) -> list[str]:
    """Run the program in the project; return its rate for each number of processes."""
    done = subprocess.run(
        [
            sys.executable,
            str(INSIDE),
            *map(str, (options.tasks, options.concurrency, *PROCESSES)),
        ],
        cwd=project,
        env=os.environ | {"PYTHONPATH": f"{project / 'src'}{os.pathsep}{project}"},
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return done.stdout.split()


if __name__ == "__main__":
    main()
