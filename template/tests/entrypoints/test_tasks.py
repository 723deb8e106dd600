"""`tasks`, as somebody types it."""

import json

import pytest

from ..kit.fixtures import Cli


@pytest.fixture
def report(cli: Cli) -> int:
    """The number of a pending task."""
    result = cli("tasks", "add", "Write the report", "--json")
    [task] = json.loads(result.stdout)
    return int(task["id"])


def test_a_task_goes_its_way(cli: Cli, report: int) -> None:
    cli("tasks", "start", report)
    cli("tasks", "finish", report, "--note", "twelve pages")

    shown = json.loads(cli("tasks", "show", report, "--json").stdout)

    assert shown["state"] == "succeeded"
    assert [event["note"] for event in shown["events"]] == [None, None, "twelve pages"]


def test_a_task_may_fail(cli: Cli, report: int) -> None:
    cli("tasks", "start", report)

    result = cli("tasks", "fail", report, "no ink")

    assert "failed" in result.stdout


def test_a_task_is_shown_with_its_steps(cli: Cli, report: int) -> None:
    result = cli("tasks", "show", report)

    assert f"task {report}: Write the report" in result.stdout
    assert "pending" in result.stdout


def test_incident_1_search_ends_clean(cli: Cli, report: int) -> None:
    result = cli("tasks", "search", "REPORT")

    assert (result.exit_code, result.stderr) == (0, "")
    assert "Write the report" in result.stdout


def test_list_goes_on_where_it_stopped(cli: Cli, report: int) -> None:
    cli("tasks", "add", "Post the letter")

    first = cli("tasks", "list", "--limit", 1)
    cursor = first.stdout.split("--after ")[1].strip()
    second = cli("tasks", "list", "--after", cursor)

    assert "Write the report" in first.stdout
    assert "Post the letter" in second.stdout
    assert "Write the report" not in second.stdout


def test_list_shows_one_state(cli: Cli, report: int) -> None:
    result = cli("tasks", "list", "--state", "running", "--json")

    assert json.loads(result.stdout) == []


def test_titles_are_printed_as_they_are(cli: Cli) -> None:
    result = cli("tasks", "add", "[bold]not markup[/bold]")

    assert "[bold]not markup[/bold]" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["show", 99], "no Task with key 99"),
        (["add", "  "], "title: String should have at least 1 character"),
        (["list", "--after", "nonsense"], "cursor must come from a page"),
        (["finish", 1], "is pending and cannot become succeeded, only running"),
    ],
    ids=["no such task", "no title", "no cursor", "not started"],
)
def test_a_mistake_is_one_line_and_no_traceback(
    cli: Cli, report: int, arguments: list[object], sentence: str
) -> None:
    result = cli("tasks", *arguments)

    assert (result.exit_code, result.stdout) == (1, "")
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_schema_that_is_behind_is_refused_before_anything_is_done(cli: Cli) -> None:
    cli("db", "downgrade", "base")

    result = cli("tasks", "add", "Write the report")

    assert result.exit_code == 1
    assert "is at no revision" in result.stderr
    assert "db upgrade" in result.stderr
