"""`just demo`, the first command of the README."""

from pathlib import Path

import pytest

from .support.shell import run

pytestmark = pytest.mark.slow


def test_the_demo_makes_a_project_and_runs_its_example(template: Path, tmp_path: Path) -> None:
    project = tmp_path / "task-queue"

    first = run("just", "demo", project, folder=template)
    second = run("just", "demo", project, folder=template)

    assert "Write the report" in first.stdout
    assert str(project) in first.stdout.splitlines()[-1]
    assert "going on with it" in second.stdout
    assert (project / ".git").is_dir()


def test_the_demo_refuses_a_folder_that_is_something_else(template: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("ten years of work")

    result = run("just", "demo", tmp_path, folder=template, status=1)

    assert f"{tmp_path} is not empty" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
