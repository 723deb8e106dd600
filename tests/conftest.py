"""Fixtures: the template as a released repository, and rendered projects."""

import json
import os
import shutil
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import pytest

from .support.project import Project, copy
from .support.repository import ROOT, git, listed_files, releases
from .support.variants import Answer

collect_ignore = ["shop"]  # a project with tests of its own

NEWEST = "v999.0.0"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the slowest tests first, so that the workers finish at about the same time."""
    items.sort(key=lambda item: item.path.name != "test_variants.py")


class Render(Protocol):
    """Renders a set of answers once. Tests must not change the folder."""

    def __call__(self, version: str = NEWEST, /, **answers: Answer) -> Path: ...


class StartProject(Protocol):
    """Starts a project that the test may change and update."""

    def __call__(self, version: str = NEWEST, /, **answers: Answer) -> Project: ...


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all workers of this run share."""
    folder = tmp_path_factory.getbasetemp()
    return folder if worker_id == "master" else folder.parent


@pytest.fixture(scope="session")
def template(shared: Path) -> Path:
    """A clone of this repository with tagged releases. The current files are the newest release."""
    return once(shared / "template", clone)


@pytest.fixture(scope="session")
def template_files(shared: Path, template: Path) -> Path:
    """The template without its history. It renders the same files faster."""
    return once(shared / "template_files", partial(copy_files, template))


@pytest.fixture(scope="session")
def render(shared: Path, template: Path) -> Render:
    """Renders a set of answers, and keeps the project for the whole run."""

    def render(version: str = NEWEST, /, **answers: Answer) -> Path:
        given = json.dumps(answers, sort_keys=True)
        return once(
            shared / f"{version}-{sha256(given.encode()).hexdigest()[:16]}",
            lambda folder: copy(template, folder, answers, version=version),
        )

    return render


@pytest.fixture
def start_project(render: Render, tmp_path: Path) -> StartProject:
    """Starts a project in the test's own folder."""

    def start(version: str = NEWEST, /, **answers: Answer) -> Project:
        project = Project(tmp_path / "project")
        shutil.copytree(render(version, **answers), project.path)
        project.commit()
        return project

    return start


def once(folder: Path, make: Callable[[Path], object]) -> Path:
    """Return the folder. Create it, unless another worker has."""
    if not folder.exists():
        own = folder.with_name(f"{folder.name}.{os.getpid()}")
        make(own)
        try:
            own.rename(folder)
        except OSError:
            shutil.rmtree(own)
    return folder


def clone(folder: Path) -> None:
    git("clone", "--quiet", "--no-tags", str(ROOT), str(folder), folder=ROOT)
    for version, commit in releases(folder).items():
        git("tag", f"v{version}", commit, folder=folder)
    git("rm", "-r", "--quiet", ".", folder=folder)
    copy_files(ROOT, folder)
    git("add", "--all", folder=folder)
    git("commit", "--quiet", "--allow-empty", "--message", "the files as they are", folder=folder)
    git("tag", NEWEST, folder=folder)


def copy_files(source: Path, target: Path) -> None:
    """Copy every file that git does not ignore."""
    for name in listed_files(source):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source / name, target / name)
