"""The command `worker`."""

import json
import re

import pytest

from ..kit.fixtures import Cli


def add_task(cli: Cli, title: str) -> int:
    [task] = json.loads(cli("tasks", "add", title, "--json").stdout)
    return int(task["id"])


def test_run_once_does_what_is_due(cli: Cli) -> None:
    task = add_task(cli, "Write the report")

    result = cli("worker", "run", "--once")

    assert (result.exit_code, result.stdout) == (0, "")
    assert "%" not in result.stderr
    assert json.loads(cli("tasks", "show", task, "--json").stdout)["state"] == "succeeded"


def test_on_a_terminal_run_once_shows_its_progress(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    for number in range(3):
        add_task(cli, f"Task {number}")

    result = cli("worker", "run", "--once")

    assert re.search(r"tasks .*100%", result.stderr)


def test_tasks_that_were_given_up_are_listed_and_requeued(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKER_ATTEMPTS", "1")
    task = add_task(cli, "Fail, please")
    cli("worker", "run", "--once")

    [dead] = json.loads(cli("worker", "list", "--dead", "--json").stdout)
    result = cli("worker", "requeue", task)

    assert (dead["task_id"], dead["worker"]) == (task, None)
    assert result.stdout == f"task {task} is pending again\n"
    assert json.loads(cli("worker", "list", "--json").stdout) == []


def test_a_pending_task_is_not_requeued(cli: Cli) -> None:
    task = add_task(cli, "Write the report")

    result = cli("worker", "requeue", task)

    assert result.exit_code == 1
    assert f"task {task} is pending and cannot be requeued" in result.stderr


def test_leases_are_shown_as_a_table(cli: Cli) -> None:
    result = cli("worker", "list")

    assert result.exit_code == 0
    assert "free at" in result.stdout
