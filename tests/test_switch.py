"""A project with edits and rows switches to the other database, and loses none of them."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from .conftest import Render
from .support.orders_feature import take_orders
from .support.project import Project
from .support.shell import run_there, stop_servers
from .test_copy_rows import copy_rows

pytestmark = pytest.mark.slow

SERVER = ("python", "-m", "tests.kit.postgresql", "start")
FILL = """
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import insert
from task_queue.orders.model import Order, Size
from task_queue.persistence import migrations
from task_queue.settings import Settings

now = datetime(2026, 11, 21, 12, 0, 0, 1, UTC)
new = dict(created_at=now, updated_at=now, version=1, placed_at=now)
orders = [
    dict(id=5, number="A-5", price=Decimal("0.10"), task_id=1, instead_of_id=7, **new),
    dict(id=7, number="A-7", price=Decimal("9999999.99"), task_id=None, instead_of_id=7, **new),
]
migrations.on_connection(Settings(), lambda connection: connection.execute(insert(Order).values(orders)))
"""


@pytest.fixture
def project(render: Render, before: str, mode: str) -> Iterator[Project]:
    """A project in a folder that PostgreSQL's user can read, with its own server."""
    with TemporaryDirectory() as folder:
        path = Path(folder).resolve() / "project"
        path.parent.chmod(0o755)
        shutil.copytree(render(database=before, mode=mode), path)
        yield Project(path)
        stop_servers(path)


@pytest.mark.parametrize(
    ("before", "after", "mode"),
    [("sqlite", "postgresql", "async"), ("postgresql", "sqlite", "sync")],
)
def test_a_project_with_rows_is_switched_to_the_other_database(
    project: Project, render: Render, tmp_path: Path, before: str, after: str, mode: str
) -> None:
    take_orders(project.path, mode=mode)
    old_url = start_database(project, before)
    run_cli(project, "db", "upgrade")
    run_there("alembic", "revision", "--autogenerate", "-m", "add orders", project=project.path)
    run_cli(project, "db", "upgrade")
    tasks = fill(project)
    project.commit()

    conflicts = project.update(database=after)

    assert conflicts == []
    # So the kernel's tests need not run again.
    assert project.files() == edited_copy(
        project, render(database=after, mode=mode), tmp_path, mode
    )
    project.commit()
    start_database(project, after)
    run_cli(project, "db", "upgrade")
    run_cli(project, "db", "check")
    copied = json.loads(copy_rows(project, old_url, "--json").stdout)["tables"]
    again = json.loads(copy_rows(project, old_url, "--json").stdout)["tables"]
    assert {each["table"]: each["rows"] for each in copied} == {
        "task": 2,
        "task_event": 3,
        "order": 2,
    }
    assert copied == [{**each, "was_there": False} for each in again]
    assert run_cli(project, "tasks", "list", "--json") == tasks
    run_there("just", "test", project=project.path)


def start_database(project: Project, database: str) -> str:
    """Create the project's database, write its URL into `.env`, and return it."""
    env = project.path / ".env"
    env.unlink(missing_ok=True)
    if database == "sqlite":
        return "sqlite:///task_queue.db"
    run_there(*SERVER, project=project.path)
    return env.read_text().strip().removeprefix("DATABASE_URL=")


def run_cli(project: Project, *arguments: str) -> str:
    """Run a command of the project, and return its output."""
    program = "from task_queue.entrypoints.cli import app; app()"
    return run_there("python", "-c", program, *arguments, project=project.path)


def fill(project: Project) -> str:
    """Add tasks, an event and orders, and return the project's list of tasks."""
    run_cli(project, "tasks", "add", "Write the report")
    run_cli(project, "tasks", "add", "Post the letter")
    run_cli(project, "tasks", "start", "2")
    run_there("python", "-c", FILL, project=project.path)
    return run_cli(project, "tasks", "list", "--json")


def edited_copy(project: Project, fresh: Path, folder: Path, mode: str) -> dict[str, bytes]:
    """The files of a project that used the other database from the start, with the same edits."""
    other = Project(Path(shutil.copytree(fresh, folder / "other")))
    take_orders(other.path, mode=mode)
    [migration] = project.path.glob("src/*/migrations/versions/*_add_orders.py")
    shutil.copy(migration, other.path / migration.relative_to(project.path))
    other.commit()
    return other.files()
