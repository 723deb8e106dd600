"""Each variant passes its own tools and its own tests, in the environment of these tests."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import pytest
from markdown_it import MarkdownIt

from .conftest import Lint, Render
from .support.shell import run_there, servers, stop_servers
from .support.variants import BARE_VARIANTS, VARIANTS, WAYS_IN, Answers, name

QUICK = [VARIANTS[0], VARIANTS[3]]
slow = pytest.mark.slow
with_ways_in = pytest.mark.parametrize("answers", WAYS_IN, ids=name)
every_variant = pytest.mark.parametrize(
    "answers",
    [
        pytest.param(answers, id=name(answers), marks=() if answers in QUICK else slow)
        for answers in [*VARIANTS, *BARE_VARIANTS]
    ],
)


@pytest.fixture
def project(render: Render, answers: Answers) -> Iterator[Path]:
    """The rendered variant, in the test's own folder.

    It is not in `tmp_path`: pytest closes that to other users, and if root runs the tests,
    PostgreSQL's server runs as another user.
    """
    with TemporaryDirectory() as folder:
        # The contract suite needs no feature: most teams have no example.
        rendered = render(**answers, contract=answers not in BARE_VARIANTS)
        project = shutil.copytree(rendered, Path(folder).resolve() / "project")
        yield project
        stop_servers(project)


@every_variant
def test_its_own_tests_pass_and_leave_no_server_running(project: Path, answers: Answers) -> None:
    # On PostgreSQL they mostly wait.
    workers = ("-n", "2") if answers["database"] == "postgresql" else ()
    run_there("just", "test", *workers, project=project)

    _, alive = psutil.wait_procs(servers(project), timeout=20)
    assert alive == []


@slow
@with_ways_in
def test_the_linters_and_mypy_find_nothing_in_its_ways_in(lint: Lint, project: Path) -> None:
    lint(project)


# The others' files are those of the bare variants, or of their ways in.
@slow
@pytest.mark.parametrize("answers", [*VARIANTS[1:3], *BARE_VARIANTS], ids=name)
def test_its_own_linters_and_mypy_find_nothing(lint: Lint, project: Path) -> None:
    lint(project)


@slow
@pytest.mark.parametrize("answers", WAYS_IN[:4], ids=name)  # these have every file
def test_pyright_finds_nothing(project: Path) -> None:
    run_there("pyright", "--pythonpath", sys.executable, project=project)


# Not all six: they mostly wait, and the whole run must end in half an hour.
@slow
@pytest.mark.parametrize("answers", [WAYS_IN[0], WAYS_IN[3], WAYS_IN[4]], ids=name)
def test_the_tests_of_its_ways_in_pass(project: Path) -> None:
    places = ["tests/api", "tests/entrypoints", "tests/http", "tests/workers"]
    there = [place for place in places if (project / place).exists()]
    run_there("just", "test", "-n", "2", *there, project=project)


@slow
@pytest.mark.parametrize("answers", QUICK, ids=name)  # the page differs only by mode and database
def test_the_examples_in_its_page_on_testing_work(project: Path) -> None:
    page = MarkdownIt().parse((project / "docs/testing.md").read_text())
    blocks = [token.content for token in page if token.type == "fence"]
    imports_first = sorted(blocks, key=lambda block: "def test_" in block)
    (project / "tests/test_page.py").write_text("\n\n".join(imports_first))

    run_there("pytest", "tests/test_page.py", project=project)
