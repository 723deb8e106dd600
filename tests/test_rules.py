"""The static rules: their findings, their explanations, and rules that an update adds."""

import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from sessionproof.commands.rules import check_revisions, main
from sessionproof.examining.revisions import unsafe_changes
from sessionproof.examining.scan import ast_grep, parse

from .conftest import StartProject
from .support.repository import ROOT
from .support.shell import run
from .support.variants import Answers

RULES = sorted((ROOT / "src/sessionproof/examining/ast-grep/rules").glob("*.yml"))
CASES = ROOT / "tests/rules/cases"
PAGE = ROOT / "docs/reference/rules.md"
SMALL: Answers = {"database": "sqlite", "mode": "sync", "example": False, "ci": "none"}
BY_HAND = "unit = database.unit_of_work().__enter__()\n"

every_rule = pytest.mark.parametrize("file", RULES, ids=lambda file: file.stem)


def loaded(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(file.read_text())
    return content


def rules(project: Path, *, status: int) -> str:
    """The findings of `just rules` in a file that a test adds."""
    result = run(
        *("just", "rules", "--report-style", "short", "planted.py"),
        folder=project,
        status=status,
        UV_PROJECT_ENVIRONMENT=sys.prefix,
        UV_NO_SYNC="1",
    )
    return result.stdout


def test_every_rule_finds_its_invalid_cases_and_no_valid_one() -> None:
    run(
        "ast-grep",
        "test",
        "--config",
        "tests/rules/sgconfig.yml",
        "--skip-snapshot-tests",
        folder=ROOT,
    )


@every_rule
def test_a_rule_says_what_goes_wrong_and_what_is_right(file: Path) -> None:
    rule = loaded(file)
    cases = loaded(CASES / f"{file.stem}-test.yml")

    assert rule["id"] == cases["id"] == file.stem
    assert len(cases["valid"]) >= 2
    assert len(cases["invalid"]) >= 2
    assert rule["severity"] in {"error", "warning", "info"}
    assert re.fullmatch(r"[A-Z`][^\n]{20,160}[^\s.]", rule["message"])
    assert rule["note"].strip()
    assert rule["url"] == f"docs/reference/rules.md#{file.stem}"
    assert set(rule["metadata"]) == {"incident", "since", "example"}


def test_the_page_is_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--explain"]) == 0

    printed = capsys.readouterr().out
    assert printed == PAGE.read_text(), (
        "run: uv run sessionproof rules --explain > docs/reference/rules.md"
    )
    assert re.findall(r"^### ([a-z-]+)$", printed, re.MULTILINE) == [file.stem for file in RULES]


def test_every_rule_finds_the_example_that_explains_it(tmp_path: Path) -> None:
    for file in RULES:
        (tmp_path / f"{file.stem}.py").write_text(loaded(file)["metadata"]["example"])

    found = map(parse, ast_grep(tmp_path, "--json=stream").stdout.splitlines())

    explained = {each.rule for each in found if each.file == f"{each.rule}.py"}
    assert explained == {file.stem for file in RULES}


def test_a_rule_is_explained_by_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--explain", "closed-twice"]) == 0

    printed = capsys.readouterr().out
    assert printed.startswith("### closed-twice\n\nTwo places close this session")
    assert printed.strip() in PAGE.read_text()


def test_an_unknown_rule_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--explain", "no-rule"]) == 2

    assert (
        "there is no rule no-rule; the rules are cancellation-swallowed, "
        in capsys.readouterr().err
    )


def test_every_incident_that_can_be_seen_in_code_has_a_rule() -> None:
    found = {number for file in RULES for number in numbers(loaded(file))}

    unseen = {3, 7, 11, 13}  # no numbers, no load tests, a hope, a search by hand
    assert found == set(range(1, 16)) - unseen


def numbers(rule: dict[str, Any]) -> set[int]:
    given = rule["metadata"]["incident"]
    return set(given) if isinstance(given, list) else {given}


@pytest.mark.slow
def test_a_finding_fails_unless_it_is_suppressed_with_a_reason(start_project: StartProject) -> None:
    project = start_project(**SMALL).path
    planted = project / "planted.py"

    planted.write_text(BY_HAND)
    assert "error[hand-called-enter]" in rules(project, status=1)

    planted.write_text(f"# ast-grep-ignore: hand-called-enter\n{BY_HAND}")
    assert "error[suppression-without-a-reason]" in rules(project, status=1)

    planted.write_text(f"# ast-grep-ignore\n\n{BY_HAND}")
    assert "error[no-suppress-all]" in rules(project, status=1)

    planted.write_text(f"# ast-grep-ignore: hand-called-enter - left below\n{BY_HAND}")
    assert rules(project, status=0) == ""


@pytest.mark.slow
def test_rules_that_an_update_brings_only_warn_until_the_next_one(
    start_project: StartProject,
) -> None:
    project = start_project("v0.5.0", **SMALL)
    (project.path / "planted.py").write_text(BY_HAND)
    project.commit()

    assert project.update("v0.7.0") == []
    assert "warning[hand-called-enter]" in rules(project.path, status=0)

    project.commit()
    assert project.update() == []
    assert "error[hand-called-enter]" in rules(project.path, status=1)


# Revisions -----------------------------------------------------------------------------

REVISION = """
import sqlalchemy as sa
from alembic import op

revision = "{name}"
down_revision = "{after}"
branch_labels = None
depends_on = None
{unsafe}


def upgrade() -> None:
    {step}


def downgrade() -> None:
    pass
"""
DROP = 'op.drop_column("task", "title")'
INDEX = 'op.create_index("ix_task_title", "task", ["title"])'
CONCURRENTLY = f"""
    with op.get_context().autocommit_block():
        {INDEX[:-1]}, postgresql_concurrently=True)
"""
NEW_TABLE = """
    op.create_table("shelf", sa.Column("id", sa.Integer(), primary_key=True))
    op.create_index("ix_shelf_id", "shelf", ["id"])
"""
READS = "print(op.get_bind().execute(sa.text('SELECT 1')).scalar())"


def test_unsafe_changes_are_found_in_new_revisions_on_postgresql(
    start_project: StartProject,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    project = start_project(database="postgresql", mode="sync", ci="none").path
    versions = project / "src/task_queue/migrations/versions"
    monkeypatch.chdir(project)
    for name, value in {
        "UV_PROJECT_ENVIRONMENT": sys.prefix,
        "UV_NO_SYNC": "1",
        "PYTHONPATH": str(project / "src"),
        "DATABASE_URL": "not needed",
    }.items():
        monkeypatch.setenv(name, value)
    assert check_revisions() == 0

    last = "3f9a1c27d5e0"
    for name, unsafe, step in [
        ("old", "", DROP),  # written before the rule, so it has no such line
        ("dropping", "unsafe = ()", DROP),
        ("allowed", 'unsafe = ("ban-drop-column",)', DROP),
        ("index", "unsafe = ()", INDEX),
        ("concurrently", "unsafe = ()", CONCURRENTLY),
        ("table", "unsafe = ()", NEW_TABLE),
        ("reads", "unsafe = ()", READS),
    ]:
        source = REVISION.format(name=name, after=last, unsafe=unsafe, step=step.strip())
        (versions / f"{name}.py").write_text(source)
        last = name

    assert check_revisions() == 1
    found = re.findall(r"versions/(\w+)\.py: ([\w-]+): ", "\n".join(unsafe_changes(Path())))
    assert found == [
        ("dropping", "ban-drop-column"),
        ("index", "require-concurrent-index-creation"),
    ]
    output = capsys.readouterr()
    assert 'unsafe = ("ban-drop-column",)' in output.out
    assert "versions/reads.py: not checked, " in output.err
