"""Measure `copier copy`, compared with Copier on a template of as many empty files.

Run with `uv run python benchmarks/rendering.py`. Both take turns; the result is the median of the
ratios. The answers are those of a large project: PostgreSQL, the example and GitHub's CI.
"""

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path

from ratios import ratio

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.release import export
from tests.support.repository import ROOT, releases

ROUNDS = 15
LARGEST = {"database": "postgresql", "mode": "async", "example": "true", "ci": "github"}

Answers = Mapping[str, str | bool]


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        tmp = Path(folder)
        real = tmp / "template"
        snapshot(ROOT, real)
        copy_in_process(real, tmp / "first")
        empty = tmp / "empty"
        files = make_empty(tmp / "first", empty)
        print(f"{files} files, {ROUNDS} rounds, medians\n")
        print("| measured | ours | empty template | ratio (quartiles) |")
        print("|---|---|---|---|")
        for name, copy in (("in process", copy_in_process), ("command line", copy_by_command)):
            ours, theirs = measure(copy, real, empty, tmp / "out")
            seconds = (f"{statistics.median(each):.2f} s" for each in (ours, theirs))
            print(f"| {name} | {' | '.join(seconds)} | {ratio(ours, theirs)} |")


def projects(sets: Mapping[str, Answers]) -> Iterator[tuple[str, Path]]:
    """Render a project for each set of answers from the working tree; yield its name and folder."""
    with tempfile.TemporaryDirectory() as folder:
        tmp = Path(folder).resolve()
        tmp.chmod(0o755)  # if root runs this, the PostgreSQL server runs as another user
        snapshot(ROOT, tmp / "template")
        for name, answers in sets.items():
            yield name, render(tmp / "template", tmp / name, answers)


def render(template: Path, project: Path, answers: Answers) -> Path:
    """Render with Copier as a library; return the project's folder."""
    import copier

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        copier.run_copy(str(template), project, dict(answers), defaults=True, quiet=True)
    return project


def earlier(version: str, folder: Path) -> Path:
    """Write the template of a release, or of another commit, into `folder`; return the folder."""
    commit = releases(ROOT).get(version.removeprefix("v"), version)
    export(ROOT, commit, folder)
    return folder


def snapshot(source: Path, target: Path) -> None:
    """Copy the working tree as a template without history, so that no clone is timed."""
    shutil.copytree(source / "template", target / "template", symlinks=True)
    shutil.copytree(source / "macros", target / "macros")
    shutil.copy(source / "copier.yml", target)


def make_empty(rendered: Path, target: Path) -> int:
    """Write a template with the same paths as `rendered`, all empty; return their number."""
    files = [path for path in rendered.rglob("*") if path.is_file()]
    for path in files:
        empty = target / path.relative_to(rendered)
        empty.parent.mkdir(parents=True, exist_ok=True)
        empty.touch()
    (target / "copier.yml").write_text("_exclude: [copier.yml]\n")
    return len(files)


def measure(copy, real: Path, empty: Path, out: Path) -> tuple[list[float], list[float]]:
    """Return the seconds of each round, for both templates."""
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(ROUNDS):
        for template, seconds in ((real, ours), (empty, theirs)):
            begin = time.perf_counter()
            copy(template, out)
            seconds.append(time.perf_counter() - begin)
            shutil.rmtree(out)
    return ours, theirs


def copy_in_process(template: Path, out: Path) -> None:
    """Copy with Copier as a library that is already imported."""
    render(template, out, LARGEST if (template / "macros").exists() else {})


def copy_by_command(template: Path, out: Path) -> None:
    """Copy with Copier's command line."""
    data = LARGEST if (template / "macros").exists() else {}
    answers = [argument for key, value in data.items() for argument in ("-d", f"{key}={value}")]
    command = [sys.executable, "-m", "copier", "copy", "--defaults", "--quiet", *answers]
    subprocess.run([*command, str(template), str(out)], check=True, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
