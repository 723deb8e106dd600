"""`tools/command.py`: a project's script that runs the command from the template."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from .conftest import NEWEST, StartProject
from .support.project import Project, edit
from .support.repository import git
from .support.shell import clean_environment, run
from .test_origin import (
    absolute,
    bare,
    long_and_odd,
    record,
    relative_and_without_tags,
    shallow,
    url,
)

pytestmark = pytest.mark.slow

OWNED = "src/sessionproof/commands/owned.py"


def command(project: Project, *words: str, status: int = 0) -> CompletedProcess[str]:
    """Run the script, like `just update` and the other recipes do."""
    return run(sys.executable, "tools/command.py", *words, folder=project.path, status=status)


@pytest.mark.parametrize(
    "place", [absolute, relative_and_without_tags, long_and_odd, url, bare, shallow]
)
def test_the_command_runs_from_every_place(
    start_project: StartProject,
    template: Path,
    tmp_path: Path,
    place: Callable[[Path, Path], str],
) -> None:
    project = start_project(ci="none")
    source = place(template, tmp_path)
    record(project, _src_path=source)

    assert command(project, "owned", "README.md").stdout == "shared  README.md\n"


def test_an_update_has_the_newest_code_and_every_other_command_that_of_the_project(
    start_project: StartProject, template: Path, tmp_path: Path
) -> None:
    later = Project(tmp_path / "template")
    git("clone", "--quiet", str(template), str(later.path), folder=tmp_path)
    for module, word in (("owned", "--give-back"), ("update", "--no-checks")):
        edit(later, f"src/sessionproof/commands/{module}.py", word, f"{word}-now")
    later.commit()
    git("tag", "v1000.0.0", folder=later.path)
    project = start_project(ci="none")
    record(project, _src_path=str(later.path), _commit=NEWEST)

    assert "--no-checks-now" in command(project, "update", "--help").stdout
    assert "--give-back-now" not in command(project, "owned", "--help").stdout


def test_the_command_is_cached_for_use_without_a_network(
    start_project: StartProject, template: Path, tmp_path: Path
) -> None:
    place = tmp_path / "template"
    git("clone", "--quiet", str(template), str(place), folder=tmp_path)
    project = start_project(ci="none")
    record(project, _src_path=place.as_uri())
    command(project, "owned", "README.md")

    command(project, "update", "--help")

    place.rename(tmp_path / "gone")

    assert command(project, "owned", "README.md").stdout == "shared  README.md\n"
    assert "just update" in command(project, "update", "--help").stdout
    assert project.changes() == []


@pytest.mark.parametrize("seconds", [0.3, 1, 2, 4])
def test_ctrl_c_prints_one_sentence(start_project: StartProject, seconds: float) -> None:
    project = start_project(ci="none")
    started = subprocess.Popen(
        [sys.executable, "tools/command.py", "update", "--no-checks", "-d", "mode=sync"],
        cwd=project.path,
        env=clean_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler) and None,
    )

    time.sleep(seconds)
    os.killpg(started.pid, signal.SIGINT)
    _, said = started.communicate(timeout=60)

    assert "Traceback" not in said
    # uv, which starts the command, dies of the signal without a message.
    assert said.startswith("stopped: you interrupted it; ") or started.returncode in (
        0,
        -signal.SIGINT,
    )
    assert started.returncode == 0 or project.changes() == [] or "update-abandon" in said


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("/no/where", "the template is not at /no/where; name its place: just update --source"),
        ("file:///no/where", "uv cannot run sessionproof from file:///no/where: "),
    ],
)
def test_a_missing_template_is_named_in_one_sentence(
    start_project: StartProject, source: str, reason: str
) -> None:
    project = start_project(ci="none")
    record(project, _src_path=source)

    refused = command(project, "owned", status=2)

    assert refused.stderr.startswith(f"refused: {reason}")
    assert len(refused.stderr.splitlines()) == 1


def test_another_template_is_named_on_the_command_line(
    start_project: StartProject, template: Path
) -> None:
    project = start_project(ci="none")
    record(project, _src_path="/no/where")

    said = command(project, "update", "--dry-run", f"--source={template}").stdout

    assert "This was a dry run: nothing was changed." in said


def test_answers_that_cannot_be_read_are_named_by_the_command(start_project: StartProject) -> None:
    project = start_project(ci="none")
    answers = project.path / ".copier-answers.yml"
    answers.write_text(answers.read_text() + "<<<<<<< ours\n", encoding="utf-8")
    project.commit()

    assert "has conflict markers" in command(project, "update", status=2).stderr
