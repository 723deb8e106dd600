"""What a team does with the entities that it has described, and what has to come of it."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from ..support.entities import described
from ..support.project import copy
from ..support.shell import run_there, stop_servers
from ..support.variants import Answers


def try_out(template: Path, answers: Answers) -> None:
    """Render a project, check it, migrate it there and back, and run the entities' own tests.

    Its folder is one that other users may look into: where root runs the tests, PostgreSQL's
    server belongs to another user.
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
    """What continuous integration runs, and pyright."""
    run_there("just", "lint", project=project)
    run_there("pyright", "--pythonpath", sys.executable, project=project)


def migrate(project: Path) -> None:
    """Write the revision, and find that it brings all that the models need, and takes it back."""
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
    """The tests that the entities have brought with them, and those of what is described."""
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
