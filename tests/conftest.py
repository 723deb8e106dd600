"""Fixtures: the template as a released repository, and what it renders."""

import shutil
from pathlib import Path
from typing import Protocol

import pytest

from .project import Project, copy
from .repository import ROOT, git, listed_files, releases
from .variants import Answer

NEWEST = "v999.0.0"


class Render(Protocol):
    """Renders a set of answers, once; tests only read the folder."""

    def __call__(self, **answers: Answer) -> Path: ...


class StartProject(Protocol):
    """Starts a project of the test's own, which it may change and update."""

    def __call__(self, **answers: Answer) -> Project: ...


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of this repository: its releases tagged, the files as they are now the newest."""
    clone = tmp_path_factory.mktemp("template") / "clone"
    git("clone", "--quiet", "--no-tags", str(ROOT), str(clone), folder=ROOT)
    for version, commit in releases(clone).items():
        git("tag", f"v{version}", commit, folder=clone)
    git("rm", "-r", "--quiet", ".", folder=clone)
    clone.mkdir(exist_ok=True)
    copy_files(ROOT, clone)
    git("add", "--all", folder=clone)
    git("commit", "--quiet", "--allow-empty", "--message", "the files as they are", folder=clone)
    git("tag", NEWEST, folder=clone)
    return clone


@pytest.fixture(scope="session")
def template_files(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template without its history: renders the same, and faster."""
    folder = tmp_path_factory.mktemp("template_files")
    copy_files(template, folder)
    return folder


@pytest.fixture(scope="session")
def render(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Render:
    """Renders a set of answers, and keeps what it rendered for the session."""
    rendered: dict[frozenset[tuple[str, Answer]], Path] = {}
    folder = tmp_path_factory.mktemp("rendered")

    def render(**answers: Answer) -> Path:
        key = frozenset(answers.items())
        if key not in rendered:
            rendered[key] = copy(template, folder / str(len(rendered)), answers)
        return rendered[key]

    return render


@pytest.fixture
def start_project(render: Render, tmp_path: Path) -> StartProject:
    """A project in a folder of the test's own."""

    def start(**answers: Answer) -> Project:
        project = Project(tmp_path / "project")
        shutil.copytree(render(**answers), project.path)
        project.commit()
        return project

    return start


def copy_files(source: Path, target: Path) -> None:
    """Copy every file that git does not ignore."""
    for name in listed_files(source):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source / name, target / name)
