"""A newcomer's first day: the README's commands, then those of the generated README."""

import os
import re
import sys
from pathlib import Path

import pytest
import yaml

from .conftest import Lint, StartProject
from .support.project import Project, append
from .support.repository import git
from .support.shell import run, run_there

pytestmark = pytest.mark.slow

TESTS = "just test"  # these tests
PLACEHOLDER = "git+https://git.example.com/your-team/sessionproof"
EVERYTHING = "uv run just"  # what tests/test_variants.py runs of every variant


def commands(readme: Path, heading: str) -> list[str]:
    """Every line of the console blocks below a heading, without comments."""
    section = readme.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    blocks = re.findall(r"^```console\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    return [line.partition("  #")[0] for block in blocks for line in block.splitlines()]


def typed(command: str, *, folder: Path, python: Path) -> str:
    """Run a command with nothing but Python, pip and git installed, and return its output."""
    ours = str(Path(sys.executable).parent)
    others = [place for place in os.environ["PATH"].split(os.pathsep) if place != ours]
    known = {
        "PATH": os.pathsep.join([str(python), *others]),
        **{f"GIT_{role}_NAME": "A newcomer" for role in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{role}_EMAIL": "new@example.org" for role in ("AUTHOR", "COMMITTER")},
    }
    settings = (f"{name}={value}" for name, value in known.items())
    return run("env", "--unset=UV", *settings, "bash", "-c", command, folder=folder).stdout


def test_the_first_day(template: Path, tmp_path: Path) -> None:
    checkout = tmp_path / "a fresh clone, ü" / "template"
    git("clone", "--quiet", "--no-tags", str(template), str(checkout), folder=tmp_path)
    run(sys.executable, "-m", "venv", tmp_path / "python", folder=tmp_path)
    python = tmp_path / "python/bin"

    quick = [line for line in commands(checkout / "README.md", "Quick start") if TESTS not in line]
    [new] = [line for line in quick if PLACEHOLDER in line]
    quick.remove(new)
    for command in quick:
        typed(command, folder=checkout, python=python)
    typed(new.replace(PLACEHOLDER, f"git+{checkout.as_uri()}"), folder=tmp_path, python=python)

    assert quick
    assert (tmp_path / "my-project/uv.lock").exists()
    assert git("status", "--short", folder=checkout) == ""
    project = Project(checkout.parent / "task-queue")
    answers = yaml.safe_load((project.path / ".copier-answers.yml").read_text(encoding="utf-8"))
    assert answers["_commit"] in git("rev-parse", "HEAD", folder=checkout)

    readme = project.path / "README.md"
    [entity] = re.findall(r"^\| `(just entity .*?)` \|", readme.read_text("utf-8"), re.MULTILINE)
    minutes = [line.strip() for line in commands(readme, "The first five minutes")]
    minutes[minutes.index(EVERYTHING)] = "uv run just lint"
    for command in [
        *minutes,
        f"uv run {entity}",
        "uv run just migrate",
        "uv run just update --dry-run",
    ]:
        typed(command, folder=project.path, python=python)
    project.commit()
    assert "up to date with" in typed("uv run just update", folder=project.path, python=python)
    typed("uvx copier update --defaults", folder=project.path, python=python)
    assert project.changes() == []


def test_fmt_formats_whatever_it_finds_and_lint_runs_every_tool(
    lint: Lint, start_project: StartProject
) -> None:
    project = start_project(ci="none")
    ours = project.path / "src/task_queue/ours.py"

    ours.write_text('number : int = "none"\nundefined( number )\n', encoding="utf-8")
    run_there("just", "fmt", project=project.path)
    formatted = ours.read_text(encoding="utf-8")
    append(project, "src/task_queue/ours.py", b"other  = 1\n")
    said = lint(project.path, status=1)

    assert formatted == 'number: int = "none"\nundefined(number)\n'
    findings = (
        "would be reformatted",
        "F821",
        "Incompatible types in assignment",
    )
    assert [finding for finding in findings if finding not in said] == []


def test_cover_takes_options_of_pytest(start_project: StartProject) -> None:
    project = start_project(ci="none")

    options = ("-q", "--cov-fail-under=0", "tests/tasks/test_model.py")
    said = run_there("just", "cover", *options, project=project.path)

    assert " passed in " in said
    assert "src/task_queue/tasks/manager.py" in said
