"""The tests of the package `copying`, run inside projects of every variant."""

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from .conftest import Render
from .copying.inside import add_copying
from .support.shell import run_there, stop_servers
from .support.variants import VARIANTS, Answers, name

QUICK = [VARIANTS[0], VARIANTS[3]]
MANY = "sweep"  # the tests that a project excludes by default
SETS = [
    *((answers, f"not {MANY}") for answers in QUICK),
    *((answers, MANY if answers in QUICK else "") for answers in VARIANTS),
]


@pytest.mark.parametrize(
    ("answers", "chosen"),
    [
        pytest.param(
            answers,
            chosen,
            id=f"{name(answers)}-{chosen or 'all'}",
            marks=() if chosen == f"not {MANY}" else pytest.mark.slow,
        )
        for answers, chosen in SETS
    ],
)
def test_rows_are_copied_into_a_project(render: Render, answers: Answers, chosen: str) -> None:
    with TemporaryDirectory() as folder:
        place = Path(folder).resolve()
        place.chmod(0o755)  # if root runs the tests, PostgreSQL's server runs as another user
        project = place / "project"
        shutil.copytree(render(**answers, contract=True), project)
        add_copying(project, answers)
        try:
            run_there("pytest", "-m", chosen, "tests/persistence/test_copying.py", project=project)
        finally:
            stop_servers(place)
