"""Fixtures: the template as a released repository, and rendered projects."""

import json
import os
import shutil
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Protocol

import pytest

from .support.project import Project, copy
from .support.repository import ROOT, git, listed_files, releases
from .support.shell import run_there
from .support.variants import Answer

collect_ignore = ["shop"]  # a project with tests of its own

NEWEST = "v999.0.0"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let each worker begin with some of the slowest tests, so that all finish at about the same time.

    Each worker gets a part of the list. When it is done, it takes tests from the ends of other parts.
    """
    items.sort(key=order)
    slowest = [item for item in items if order(item) < LAST]
    others = iter(items[len(slowest) :])
    workers: int = getattr(config, "workerinput", {}).get("workercount", 1)
    parts: list[pytest.Item] = []
    for worker in range(workers):
        size = (len(items) + worker) // workers  # as in xdist
        first = slowest[worker::workers]
        parts += [*first, *islice(others, max(size - len(first), 0))]
    items[:] = parts


LAST = 2


def order(item: pytest.Item) -> int:
    """The contract suites come first, then the linters and other tests of whole projects."""
    if item.path.name != "test_variants.py":
        return LAST
    return "own_tests" not in item.name


class Render(Protocol):
    """Renders a set of answers once. Tests must not change the folder."""

    def __call__(self, version: str = NEWEST, /, **answers: Answer) -> Path: ...


class StartProject(Protocol):
    """Starts a project that the test may change and update."""

    def __call__(self, version: str = NEWEST, /, **answers: Answer) -> Project: ...


class Lint(Protocol):
    """Runs `just lint` in a project, and returns its output."""

    def __call__(self, project: Path, /, *, status: int = 0) -> str: ...


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


@pytest.fixture(scope="session")
def lint(shared: Path) -> Lint:
    """Runs a project's linters with what mypy has cached in this run: its dependencies take longest."""
    kept = shared / "mypy_cache"

    def lint(project: Path, /, *, status: int = 0) -> str:
        cache = project / ".mypy_cache"
        if kept.exists():
            shutil.copytree(kept, cache, dirs_exist_ok=True)
        output = run_there("just", "lint", project=project, status=status)
        once(kept, partial(shutil.copytree, cache))
        return output

    return lint


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
