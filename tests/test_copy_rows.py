"""`sessionproof copy-rows`: its output, its refusals, and interruptions."""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from .conftest import StartProject
from .support.project import Project
from .support.shell import SESSIONPROOF, clean_environment, run, run_there

pytestmark = pytest.mark.slow

NO_ROWS = "0" * 32
MANY = 20_000
FILL = """
WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ?)
INSERT INTO task (title, state, created_at, updated_at, version)
SELECT 'Task ' || n, 'pending', '2026-11-21 12:00:00.000000', '2026-11-21 12:00:00.000000', 1
FROM number
"""


both_modes = pytest.mark.parametrize("project", ["async", "sync"], indirect=True)


@pytest.fixture
def project(request: pytest.FixtureRequest, start_project: StartProject) -> Project:
    """A project with an empty database, and with another one beside it, `old.db`."""
    project = start_project(mode=getattr(request, "param", "async"), ci="none")
    program = "from task_queue.entrypoints.cli import app; app()"
    run_there("python", "-c", program, "db", "upgrade", project=project.path)
    shutil.copy(project.path / "task_queue.db", project.path / "old.db")
    return project


def environment(project: Project) -> dict[str, Any]:
    """Environment variables that let the project use the environment of these tests."""
    return {
        "PYTHONPATH": project.path / "src",
        "UV_PROJECT_ENVIRONMENT": sys.prefix,
        "UV_NO_SYNC": "1",
    }


def copy_rows(project: Project, *words: str, status: int = 0, **more: str) -> CompletedProcess[str]:
    given = environment(project) | more
    return run(*SESSIONPROOF, "copy-rows", *words, folder=project.path, status=status, **given)


def fill(project: Project, rows: int) -> None:
    with closing(sqlite3.connect(project.path / "old.db")) as connection, connection:
        connection.execute(FILL, [rows])


def count(project: Project) -> int:
    with closing(sqlite3.connect(project.path / "task_queue.db")) as connection:
        return int(connection.execute("SELECT count(*) FROM task").fetchone()[0])


@both_modes
def test_every_table_is_named_with_its_rows_and_its_checksum(project: Project) -> None:
    fill(project, 3)

    told = copy_rows(project, "sqlite:///old.db", "--json")
    again = copy_rows(project, "sqlite:///old.db")

    document = json.loads(told.stdout)
    tables = {each["table"]: each for each in document["tables"]}
    assert document["status"] == "copied"
    assert {name: each["rows"] for name, each in tables.items()} == {"task": 3, "task_event": 0}
    assert tables["task_event"]["checksum"] == NO_ROWS
    assert tables["task"]["checksum"] != NO_ROWS
    assert told.stderr == "task: 0 of 3\ntask: 3 of 3\ntask_event: 0 of 0\n"
    assert re.search(rf"task .* 3 .* {tables['task']['checksum']} .* already there", again.stdout)


def test_a_terminal_shows_the_progress(project: Project) -> None:
    fill(project, 3)

    shown = copy_rows(project, "sqlite:///old.db", TTY_COMPATIBLE="1").stderr

    assert re.search(r"task .*100%", shown)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("sqlite:///no.db", "cannot read sqlite:///no.db: unable to open database file; check"),
        (
            "mysql://ada:secret@host/app",
            "the source mysql://ada:***@host/app is not a database; write sqlite:///old.db",
        ),
        ("secret", "the source is not a URL; write it like sqlite:///old.db or postgresql://"),
        ("sqlite:///task_queue.db", "sqlite:///task_queue.db is this project's own database"),
        ("postgresql://ada:secret@127.0.0.1:1/app", "cannot read postgresql://ada:***@127.0.0.1"),
    ],
)
def test_a_refusal_is_one_sentence_without_a_password(
    project: Project, source: str, reason: str
) -> None:
    refused = copy_rows(project, source, "--json", status=2)

    assert refused.stderr.startswith(f"refused: {reason}")
    assert len(refused.stderr.splitlines()) == 1
    assert json.loads(refused.stdout).keys() == {"status", "reason"}
    assert "secret" not in refused.stderr + refused.stdout


def test_the_projects_own_errors_are_repeated_in_one_sentence(project: Project) -> None:
    (project.path / "task_queue.db").unlink()

    missing = copy_rows(project, "sqlite:///old.db", status=2).stderr
    wrong = copy_rows(project, "sqlite:///old.db", status=2, DATABASE_URL="ada:secret").stderr

    assert missing.startswith("refused: there is no database at sqlite:///task_queue.db; create it")
    assert wrong.startswith("refused: database URL must look like sqlite:///task_queue.db")
    assert "secret" not in wrong


def test_a_folder_without_a_project_is_refused(tmp_path: Path) -> None:
    refused = run(*SESSIONPROOF, "copy-rows", "sqlite:///old.db", folder=tmp_path, status=2)

    assert refused.stderr.startswith("refused: ")
    assert len(refused.stderr.splitlines()) == 1


def test_a_mistake_in_the_projects_code_is_shown(project: Project) -> None:
    with (project.path / "src/task_queue/unit_of_work.py").open("a") as file:
        file.write("\nprint('hello')\nraise RuntimeError('no such luck')\n")

    stopped = copy_rows(project, "sqlite:///old.db", "--json", status=3)

    assert "RuntimeError: no such luck" in stopped.stderr
    assert json.loads(stopped.stdout)["status"] == "stopped"


def test_output_of_the_projects_code_is_not_part_of_the_answer(project: Project) -> None:
    with (project.path / "src/task_queue/unit_of_work.py").open("a") as file:
        file.write("\nprint('hello')\n")

    told = copy_rows(project, "sqlite:///old.db", "--json")

    assert json.loads(told.stdout)["status"] == "copied"
    assert "hello" in told.stderr


@both_modes
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_copy_that_is_stopped_leaves_nothing_and_is_run_again(
    project: Project, number: signal.Signals
) -> None:
    fill(project, MANY)
    started = subprocess.Popen(
        [*SESSIONPROOF, "copy-rows", "sqlite:///old.db"],
        cwd=project.path,
        env=clean_environment()
        | {name: str(value) for name, value in environment(project).items()},
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler) and None,
    )
    assert started.stderr
    assert started.stderr.readline() == f"task: 0 of {MANY}\n"

    if number == signal.SIGINT:
        os.killpg(started.pid, number)  # as a terminal does
    else:
        started.send_signal(number)
    _, said = started.communicate(timeout=60)

    reason = "you interrupted it; no table was copied in part; run it again to continue"
    assert said == f"stopped: {reason}\n"
    assert (started.returncode, count(project)) == (3, 0)
    copy_rows(project, "sqlite:///old.db")
    assert count(project) == MANY
