"""Files that the template no longer has are deleted by an update, unless they were edited."""

import json
import sys
from typing import Any

import pytest

from .conftest import StartProject
from .support.project import Project, append
from .support.release import RELEASES
from .support.repository import is_old
from .support.shell import UPDATE, run

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not RELEASES, reason="no release is in this clone's history"),
]


def old_files(project: Project) -> set[str]:
    return {*filter(is_old, project.files())}


def update(project: Project) -> Any:
    told = run(*UPDATE, "--no-checks", "--json", folder=project.path).stdout
    project.commit()
    return json.loads(told)


@pytest.mark.parametrize("version", ["v0.4.0", "v0.9.0"])
def test_old_files_are_deleted_after_an_update_by_the_projects_own_tools(
    start_project: StartProject, version: str
) -> None:
    project = start_project(version, ci="none")
    append(project, "tools/merge.py", b"# ours\n")
    project.commit()

    run(sys.executable, "tools/update.py", "--no-checks", folder=project.path)
    project.commit()
    stayed = old_files(project)
    told, again = update(project), update(project)

    assert "tools/command.py" in project.files()
    assert stayed >= {"tools/update.py", "tools/merge.py"}
    assert told["left"] == again["left"] == ["tools/merge.py"]
    assert {*told["tidied"]} == stayed - {"tools/merge.py"}
    assert old_files(project) == {"tools/merge.py"}
    assert again["status"] == "current"


def test_old_files_are_deleted_by_the_command(start_project: StartProject) -> None:
    project = start_project("v0.9.0", ci="none", mode="sync", database="postgresql")
    old = old_files(project)

    told = update(project)

    assert {*told["tidied"]} == old
    assert (told["left"], old_files(project)) == ([], set())


def test_edits_in_a_moved_file_are_merged_into_its_new_place(start_project: StartProject) -> None:
    project = start_project("v0.9.0", ci="none")
    kernel = "src/task_queue/persistence"
    append(project, f"{kernel}/_rows.py", b"\n\nOURS = 1\n")
    append(project, f"{kernel}/_pool.py", b"\n\nOURS = 2\n")
    project.commit()

    told = update(project)

    files = project.files()
    assert told["moved"] == [f"{kernel}/_rows.py"]
    assert told["left"] == [f"{kernel}/_pool.py"]
    assert files[f"{kernel}/rows/plain.py"].endswith(b"OURS = 1\n")
    assert f"{kernel}/_rows.py" not in files
    assert files[f"{kernel}/_pool.py"].endswith(b"OURS = 2\n")


def test_plain_copier_keeps_old_files(start_project: StartProject) -> None:
    project = start_project("v0.9.0", ci="none")
    old = old_files(project)

    project.update()

    assert old_files(project) == old != set()
