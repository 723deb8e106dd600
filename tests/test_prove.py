"""`just prove` runs the contract suite against projects that do not contain it."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from .conftest import Lint, Render, StartProject
from .support.project import Project, edit
from .support.shell import SESSIONPROOF, run, run_there, stop_servers
from .support.variants import VARIANTS, WAYS_IN, Answers, name

pytestmark = pytest.mark.slow

ALIKE: dict[str, Any] = {"UV_PROJECT_ENVIRONMENT": sys.prefix, "UV_NO_SYNC": "1"}


@pytest.fixture
def project(render: Render, answers: Answers) -> Iterator[Project]:
    """A project in a folder that other users, such as PostgreSQL's, can read."""
    with TemporaryDirectory() as folder:
        project = Project(Path(folder).resolve() / "project")
        run("cp", "-r", render(**answers), project.path, folder=Path(folder))
        project.commit()
        yield project
        stop_servers(project.path)


def prove(project: Project, *words: str, status: int = 0) -> str:
    return run(*SESSIONPROOF, "prove", *words, folder=project.path, status=status, **ALIKE).stdout


@pytest.mark.parametrize("answers", [VARIANTS[0], WAYS_IN[3]], ids=name)
def test_a_project_without_the_suite_is_checked_by_its_own_commands_and_proved(
    lint: Lint, project: Project, answers: Answers
) -> None:
    lint(project.path)
    run_there("just", "cover", project=project.path)
    said = prove(project, "-q", "-k", "surface or one_provider or output or health or commands")

    assert not (project.path / "tests/persistence").exists()
    assert " passed" in said
    assert project.changes() == []


@pytest.mark.parametrize("answers", [{"mode": "sync"}], ids=name)
def test_a_broken_guarantee_is_found(project: Project) -> None:
    path = "src/task_queue/persistence/units/unit_of_work.py"
    edit(project, path, "outcome = Outcome.UNKNOWN", "outcome = Outcome.COMMITTED")

    said = prove(project, "-q", "-k", "test_unit_of_work or test_commit", status=1)

    assert "FAILED tests/persistence/" in said


@pytest.mark.parametrize("answers", [{"mode": "sync"}], ids=name)
def test_failures_are_listed_as_json(project: Project) -> None:
    words = ("--json", "-k", "test_surface or test_outcome")
    whole = json.loads(prove(project, *words))
    edit(project, "src/task_queue/persistence/__init__.py", '    "Base",\n', "")

    broken = json.loads(prove(project, *words, status=1))

    assert (whole["status"], whole["failed"]) == ("passed", [])
    assert (broken["status"], broken["tests"]) == ("failed", whole["tests"])
    assert broken["failed"] == [
        "tests.persistence.test_surface::test_the_public_surface_is_complete_and_sorted"
    ]


def test_a_suite_in_the_project_is_run_as_it_is(start_project: StartProject) -> None:
    project = start_project(ci="none", contract=True)
    for path in project.path.glob("tests/**/test_*.py"):
        if path.stem != "test_surface":
            path.unlink()
    project.commit()

    collected = prove(project, "-q", "--collect-only")

    assert {line.partition("::")[0] for line in collected.splitlines() if "::" in line} == {
        "tests/persistence/test_surface.py"
    }


def test_a_version_that_always_had_the_suite_is_named(start_project: StartProject) -> None:
    project = start_project("v0.9.0", ci="none")

    told = run(*SESSIONPROOF, "prove", "--json", folder=project.path, status=2)

    reason = "projects of v0.9.0 contain the contract suite; run it with just test"
    assert json.loads(told.stdout) == {"status": "refused", "reason": reason}
    assert told.stderr == f"refused: {reason}\n"
