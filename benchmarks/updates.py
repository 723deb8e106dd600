"""Measure `copier update` from each release, compared with an update that changes nothing.

Run with `uv run python benchmarks/updates.py`. An unedited project of each released version is
updated to the working tree. The reference is an update between two tags of the same template that
have the same content. All take turns; the result is the median of the rounds' ratios.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ratios import ratios

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.conftest import NEWEST, clone  # noqa: E402
from tests.support.project import Project, copy  # noqa: E402
from tests.support.repository import git, releases  # noqa: E402
from tests.support.variants import VARIANTS, Answers, name  # noqa: E402

ONE_MORE = "v999.0.1"  # has the same content as NEWEST
UNCHANGED = "update, nothing new"

Times = dict[str, list[tuple[float, float]]]  # by operation: seconds on the clock, and of CPU


def main() -> None:
    """Print the table."""
    options = parse()
    print(f"{options.rounds} rounds, medians (quartiles)\n")
    print("| variant | done | time | ratio | CPU ratio |")
    print("|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        template = Path(folder).resolve() / "template"
        clone(template)
        git("commit", "--quiet", "--allow-empty", "--message", "nothing new", folder=template)
        git("tag", ONE_MORE, folder=template)
        for answers in VARIANTS:
            if name(answers) in options.only:
                print(measure(template, answers, options.rounds), flush=True)


def parse() -> argparse.Namespace:
    variants = [name(answers) for answers in VARIANTS]
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, help="at least 2")
    parser.add_argument("--only", nargs="+", choices=variants, default=["postgresql-async"])
    return parser.parse_args()


def measure(template: Path, answers: Answers, rounds: int) -> str:
    """Measure a variant; return its rows of the table."""
    work = template.with_name(name(answers))
    versions = {UNCHANGED: NEWEST} | {
        f"update from {each}": f"v{each}" for each in releases(template)
    }
    starts = {done: start(template, work, answers, each) for done, each in versions.items()}
    times: Times = {done: [] for done in [*starts, "copy"]}
    for round_ in range(rounds + 1):
        for done, each in times.items():
            each.append(timed(template, answers, starts.get(done)))
        print(f"\rround {round_} of {rounds}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return "\n".join(f"| {work.name} | {done} | {cells(times, done)} |" for done in times)


def start(template: Path, work: Path, answers: Answers, version: str) -> Path:
    """Generate and commit a project of the version; return its folder."""
    project = Project(copy(template, work / version, answers, version=version))
    project.commit()
    return project.path


def timed(template: Path, answers: Answers, start: Path | None) -> tuple[float, float]:
    """Return seconds on the clock and of CPU, for an update of `start`, or for a copy."""
    data = [word for key, value in answers.items() for word in ("-d", f"{key}={value}")]
    with tempfile.TemporaryDirectory() as folder:
        project = f"{folder}/project"
        if start:
            shutil.copytree(start, project)
        command = ["update", project] if start else ["copy", *data, str(template), project]
        begin, cpu = time.perf_counter(), cpu_of_children()
        subprocess.run(
            [sys.executable, "-m", "copier", *command, "--defaults", "--quiet"],
            stderr=subprocess.DEVNULL,
            check=True,
        )
        return time.perf_counter() - begin, cpu_of_children() - cpu


def cpu_of_children() -> float:
    used = os.times()
    return used.children_user + used.children_system


def cells(times: Times, done: str) -> str:
    """Return the seconds, and the ratios to an update that changes nothing: clock and CPU."""
    ours, theirs = times[done][1:], times[UNCHANGED][1:]  # the first round was a warm-up
    seconds = statistics.median(clock for clock, _ in ours)
    return " | ".join([f"{seconds:.2f} s", *ratios(ours, theirs)])


if __name__ == "__main__":
    main()
