"""Rows survive an update and changes of their fields' types, or nothing changes."""

import json
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest

from sessionproof.commands.entity import REVISING

from .conftest import Render
from .fuzz.histories import just_update
from .support.project import Project
from .support.release import RELEASES
from .support.shell import ENTITY, run, run_there, stop_servers
from .support.variants import Answers
from .test_switch import run_cli, start_database

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not RELEASES, reason="no release is in this clone's history"),
]

# Each type, with values that other types can or cannot hold.
VALUES = {
    "str(20)": ["'12'", "'2024-01-05'", "'open'", "'12x'", "''"],
    "text": ["'1.50'", "'true'", "'2024-01-05 12:00:00+00:00'", "'no number'"],
    "int": ["0", "1", "2147483647"],
    "bigint": ["0", "9223372036854775807"],
    "float": ["0.5", "1e300", "2.0"],
    "decimal(12, 2)": ["Decimal('12.50')", "Decimal('7.00')"],
    "bool": ["True", "False"],
    "date": ["date(2024, 1, 5)"],
    "datetime": ["datetime(2024, 1, 5, tzinfo=UTC)", "datetime(2024, 1, 5, 12, 0, 1, tzinfo=UTC)"],
    "uuid": ["UUID('550e8400-e29b-41d4-a716-446655440000')"],
    "enum(open, shut)": ["'open'", "'shut'"],
    "enum(open)": ["'open'"],
    "json": ["{'a': 1}", "'12'", "[]"],
}
FIELDS = [f"field_{letter}{letter}" for letter in "abcdefghijklm"]
ROWS = 3
CHANGES = 4
PROGRAM = """
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import insert, select
from task_queue.events.model import Event
from task_queue.persistence import migrations
from task_queue.settings import Settings

now = datetime(2026, 11, 21, tzinfo=UTC)

def work(connection):
    {work}

on_connection = getattr(migrations, "on_connection", None) or migrations._on_connection
on_connection(Settings(), work)
"""
INSERT = "connection.execute(insert(Event).values([dict({fields}, created_at=now, updated_at=now, version=1)]))"
SELECT = """rows = connection.execute(select(Event.__table__).order_by("id")).mappings()
    print(json.dumps([{name: value if isinstance(value, (dict, list)) else str(value) for name, value in row.items()} for row in rows]))"""


@pytest.fixture
def project(render: Render, database: str, mode: str) -> Iterator[Project]:
    """A project of the newest release, in a folder that the server's user can read."""
    answers: Answers = {"example": False, "ci": "none", "database": database, "mode": mode}
    fields = dict(zip(FIELDS, VALUES, strict=True))
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        rendered = render(RELEASES[-1], **answers, entities={"event": fields})
        project = Project(Path(shutil.copytree(rendered, Path(folder).resolve() / "project")))
        project.commit()
        yield project
        stop_servers(project.path)


@pytest.mark.parametrize(("database", "mode"), [("sqlite", "async"), ("postgresql", "sync")])
def test_rows_survive_an_update_and_changes_of_types(project: Project, database: str) -> None:
    chance = Random(f"0 {database}")  # another seed chooses other values, fields and types
    start_database(project, database)
    revise(project)
    run_cli(project, "db", "upgrade")
    for _ in range(ROWS):
        values = [
            f"{field}={chance.choice(VALUES[kind])}"
            for field, kind in zip(FIELDS, VALUES, strict=True)
        ]
        program(project, INSERT.format(fields=", ".join(values)))
    before = rows(project)

    just_update(project)
    project.commit()
    run_cli(project, "db", "upgrade")
    assert len(before) == ROWS
    assert rows(project) == before

    refused = 0
    known = dict(zip(VALUES, FIELDS, strict=True))
    changes = [(known.pop("int"), "int", "text")]  # text can hold every number
    for was, field in chance.sample([*known.items()], CHANGES - 1):
        changes.append((field, was, chance.choice([each for each in VALUES if each != was])))
    for field, was, kind in changes:
        retype(project, f"{field}: {kind}")
        upgraded = run(
            *(sys.executable, "-c", CLI, "db", "upgrade"),
            folder=project.path,
            status=None,
            PYTHONPATH="src",
        )
        if upgraded.returncode:
            refused += 1
            assert "Traceback" not in upgraded.stderr, upgraded.stderr
            run("git", "checkout", "--quiet", ".", folder=project.path)
            run("git", "clean", "-dfq", folder=project.path)
        project.commit()
        assert canonical(rows(project)) == canonical(before), f"{field}, {was}, as {kind}"
    assert refused < CHANGES


CLI = "from task_queue.entrypoints.cli import app; app()"


def revise(project: Project) -> None:
    run_there("python", str(REVISING), "add events", project=project.path)
    project.commit()


def retype(project: Project, field: str) -> None:
    """Change the field's type like `just entity`, with a revision but without tests."""
    told = json.loads(
        run(
            *(*ENTITY, "--no-checks", "--json", "event", field),
            folder=project.path,
        ).stdout
    )
    enums = [name for name, types in told["retyped"].items() if "→ enum(" in types]
    run_there("python", str(REVISING), told["happened"], *enums, project=project.path)


def program(project: Project, work: str) -> str:
    return run_there("python", "-c", PROGRAM.replace("{work}", work), project=project.path)


def rows(project: Project) -> list[dict[str, object]]:
    """Every row, as the project's models read it."""
    read: list[dict[str, object]] = json.loads(program(project, SELECT))
    return read


def canonical(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    """The rows, with one form for values that are equal in both types."""
    return [{name: _meaning(value) for name, value in row.items()} for row in rows]


def _meaning(value: object) -> object:
    if not isinstance(value, str):
        return value
    words = {"True": "1", "False": "0", "true": "1", "false": "0"}
    try:
        return Decimal(words.get(value, value)).normalize()
    except InvalidOperation:
        pass
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return value
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
