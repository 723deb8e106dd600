"""Render a project with entities, and run all the checks that a team would run."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from ..support.entities import described
from ..support.project import copy
from ..support.shell import run_there, stop_servers
from ..support.variants import Answers


def try_out(template: Path, answers: Answers) -> None:
    """Render a project, check it, migrate it there and back, and run the entities' own tests.

    Other users can read its folder: if root runs the tests, PostgreSQL's server runs as another
    user.
    """
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        project = copy(template, Path(folder).resolve() / "project", answers)
        try:
            migrate(project)
            lint(project)
            run_there("pytest", "-q", *own_tests(answers), project=project)
        finally:
            stop_servers(project)


def lint(project: Path) -> None:
    """Run the linters of continuous integration, and pyright."""
    run_there("just", "lint", project=project)
    run_there("pyright", "--pythonpath", sys.executable, project=project)


def migrate(project: Path) -> None:
    """Write the revision, and check that it migrates up to the models and down again."""
    if (project / "compose.yaml").exists():
        run_there("python", "-m", "tests.kit.postgresql", "start", project=project)
    else:
        (project / ".env").write_text(f"DATABASE_URL=sqlite:///{project}/work.db\n")
    run_there("alembic", "upgrade", "head", project=project)
    run_there("just", "revision", "add entities", project=project)
    for revision in ("head", "base", "head"):
        direction = "downgrade" if revision == "base" else "upgrade"
        run_there("alembic", direction, revision, project=project)
    run_there("alembic", "check", project=project)


def own_tests(answers: Answers) -> list[str]:
    """Run the tests of the entities, and the tests that use their descriptions."""
    entities = answers["entities"]
    assert isinstance(entities, dict)
    plurals = [feature["plural"] for feature in described(entities)]
    own = [
        path
        for plural in plurals
        for path in (f"tests/{plural}", f"tests/entrypoints/test_{plural}.py")
    ]
    if answers.get("http"):
        own += [f"tests/api/test_{plural}.py" for plural in plurals]
    return own
