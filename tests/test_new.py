"""`sessionproof new` makes a project in which every command works."""

import json
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
import yaml

from .support.project import Project
from .support.repository import git
from .support.shell import SESSIONPROOF, run

pytestmark = pytest.mark.slow


def new(*words: str, folder: Path, status: int = 0, **environment: Any) -> CompletedProcess[str]:
    return run(*SESSIONPROOF, "new", *words, folder=folder, status=status, **environment)


def answers(project: Project) -> Any:
    return yaml.safe_load((project.path / ".copier-answers.yml").read_text(encoding="utf-8"))


def test_a_project_is_written_locked_and_committed(template: Path, tmp_path: Path) -> None:
    git("clone", "--quiet", str(template), "beside", folder=tmp_path)
    words = ("made", "--source", "beside", "-d", "mode=sync", "-d", "ci=none")

    told = json.loads(new(*words, "--json", folder=tmp_path).stdout)

    project = Project(tmp_path / "made")
    assert told == {
        "status": "started",
        "project": str(project.path),
        "source": str(tmp_path / "beside"),
    }
    assert answers(project)["mode"] == "sync"
    assert answers(project)["_src_path"] == str(tmp_path / "beside")
    assert project.changes() == []
    assert "uv.lock" in git("ls-files", folder=project.path)
    assert git("log", "--format=%s", folder=project.path) == "Start from the template\n"


def test_the_next_steps_can_be_run_as_they_are(template: Path, tmp_path: Path) -> None:
    words = ("made", "--source", str(template), "--defaults", "-d", "ci=none")

    said = new(*words, folder=tmp_path).stdout

    heading, *steps = filter(None, map(str.strip, said.splitlines()))
    assert heading == "Task Queue is written and committed. Next:"
    assert steps == ["cd made", "uv run just"]


def test_the_template_is_where_the_command_came_from(template: Path, tmp_path: Path) -> None:
    commit = git("rev-parse", "HEAD", folder=template).strip()
    sessionproof = (
        *("uv", "tool", "run", "--quiet", "--from"),
        f"git+{template.as_uri()}@{commit}",
    )

    run(*sessionproof, "sessionproof", "new", "made", "--json", folder=tmp_path)

    assert answers(Project(tmp_path / "made"))["_src_path"] == f"git+{template.as_uri()}"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("full", "full is not empty; name a new or an empty folder"),
        ("made -d mode=both", "mode must be one of async, sync, got both"),
        ("made -d databse=sqlite", "the template has no question databse"),
        (
            "made -d worker=yes -d example=no",
            "worker must be false: it runs the tasks of the example",
        ),
        ("made -d package=1", "package must be"),
        ("made -d mode", "an answer must look like name=value, got mode"),
        ("made --source /no/where", "the template at /no/where cannot be cloned"),
        ("made --vcs-ref v77", "the template has no version v77; it has"),
    ],
)
def test_a_refusal_is_one_sentence_and_leaves_nothing(
    template: Path, tmp_path: Path, words: str, reason: str
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/notes.txt").touch()
    source = () if "--source" in words else ("--source", str(template))

    refused = new(*words.split(), *source, "--defaults", folder=tmp_path, status=2)

    assert refused.stderr.startswith(f"refused: {reason}")
    assert len(refused.stderr.splitlines()) == 1
    assert not (tmp_path / "made").exists()
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["notes.txt"]


def test_a_failure_after_the_files_are_written_leaves_nothing(
    template: Path, tmp_path: Path
) -> None:
    (tmp_path / "made").mkdir()

    refused = new(
        "made", "--json", "--source", str(template), folder=tmp_path, status=3, UV="false"
    )

    assert "false lock --quiet failed" in refused.stderr
    assert [*(tmp_path / "made").iterdir()] == []
