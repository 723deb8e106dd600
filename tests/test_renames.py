"""An update finds names in a team's code that the kernel has renamed, and replaces them on request."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from .conftest import StartProject
from .support.project import Project
from .support.release import RELEASES
from .support.repository import COPIER, ROOT
from .support.shell import UPDATE, run

pytestmark = pytest.mark.skipif(not RELEASES, reason="no release is in this clone's history")

OLD = '''\
"""Ours: the same names, some of them the kernel's."""

from . import persistence
from .persistence import AlreadyLeft, NotEntered as Early, NotFound
from .elsewhere import Notices

LEFT = (AlreadyLeft, Early, persistence.EndedByHand)  # as AlreadyLeft says
NAME = "AlreadyLeft"


class Tasks(persistence.Repository["Notices"]):
    def lock_free(self, EndedByHand: int) -> Notices:
        return super().lock_free(limit=EndedByHand), lock_free


lock_free = "é", Tasks.lock_free
'''
NEW = '''\
"""Ours: the same names, some of them the kernel's."""

from . import persistence
from .persistence import UnitOfWorkClosed, UnitOfWorkNotEntered as Early, NotFound
from .elsewhere import Notices

LEFT = (UnitOfWorkClosed, Early, persistence.ManualTransactionControl)  # as AlreadyLeft says
NAME = "AlreadyLeft"


class Tasks(persistence.Repository["Notices"]):
    def lock_available(self, EndedByHand: int) -> Notices:
        return super().lock_available(limit=EndedByHand), lock_free


lock_free = "é", Tasks.lock_available
'''
OURS = "src/task_queue/ours.py"
LINES = [4, 4, 7, 7, 12, 13, 16]


def start(start_project: StartProject, version: str, **answers: Any) -> Project:
    project = start_project(version, ci="none", **answers)
    (project.path / OURS).write_text(OLD, encoding="utf-8")
    (project.path / "tests/broken.py").write_text("from .persistence import AlreadyLeft\ndef (\n")
    project.commit()
    return project


def update(project: Project, *arguments: str) -> Mapping[str, Any]:
    told: Mapping[str, Any] = json.loads(
        run(*UPDATE, "--no-checks", "--json", *arguments, folder=project.path).stdout
    )
    project.commit()
    return told


@pytest.mark.slow
def test_an_update_names_the_old_names_and_renames_them_if_asked(
    start_project: StartProject,
) -> None:
    project = start(start_project, "v0.9.0")

    first, second, third = update(project), update(project, "--rename"), update(project)

    of_ours = [use for use in first["outdated"] if OURS in use]
    assert [int(use.split(":")[1]) for use in of_ours] == LINES
    assert first["outdated"] == second["renamed"]
    assert first["renamed"] == second["outdated"] == []
    assert (project.path / OURS).read_text("utf-8") == NEW
    assert third["status"] == "current"


@pytest.mark.slow
def test_no_generated_file_has_an_old_name(start_project: StartProject) -> None:
    project = start_project("v0.9.0", ci="none", worker=True, http=True, mode="sync")

    told = update(project, "--rename")

    files = {path: text for path, text in project.files().items() if path.endswith(".py")}
    assert not [path for path, text in files.items() if b"lock_free" in text]
    assert b"lock_available(" in files["src/task_queue/workers/repository.py"]
    assert told["outdated"] == []


def test_the_changelog_lists_every_name_that_has_changed() -> None:
    listed = dict(
        re.findall(
            r"^ *\| `(\S+)` \| `(\S+)` \|$",
            (ROOT / "CHANGELOG.md").read_text("utf-8"),
            re.MULTILINE,
        )
    )

    assert listed == COPIER["renamed"]["default"]
