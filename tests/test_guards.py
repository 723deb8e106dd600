"""The list of guards: every edit still applies, and every named test exists."""

import ast
import re
import shutil
from pathlib import Path

import pytest

from .conftest import Render
from .copying.inside import add_copying
from .fuzz.guards import FAILS, HANGS, SURVIVES, Guard, Outcome, Run, guards, node, verdict
from .support.repository import ROOT
from .support.variants import VARIANTS, Answers, name


@pytest.fixture
def project(render: Render, tmp_path: Path, answers: Answers) -> Path:
    """The variant as `rendered()` makes it."""
    project = Path(shutil.copytree(render(**answers, contract=True), tmp_path / "project"))
    add_copying(project, answers)
    return project


every_variant = pytest.mark.parametrize("answers", VARIANTS, ids=name)


def functions(module: Path) -> set[str]:
    tree = ast.parse(module.read_text(encoding="utf-8"))
    return {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


@every_variant
def test_every_guard_can_still_be_removed(project: Path, answers: Answers) -> None:
    for guard in guards(answers):
        path = guard.path(project)
        text = path.read_text(encoding="utf-8")
        edited = guard.removed_from(text)
        assert edited != text, guard.name
        compile(edited, path, "exec")


@every_variant
def test_every_test_of_a_guard_is_there(project: Path, answers: Answers) -> None:
    tests = project / "tests/persistence"

    for module, test in {tuple(guard.test.split("::")) for guard in guards(answers)}:
        assert test.split("[")[0] in functions(tests / f"{module}.py"), f"{module}::{test}"


@every_variant
def test_a_guard_is_named_once(answers: Answers) -> None:
    names = [guard.name for guard in guards(answers)]

    assert len(names) == len(set(names))


def test_every_promise_has_a_guard_and_every_guard_a_promise() -> None:
    pages = ROOT / "docs/explanation"
    table = (pages / "promises.md").read_text(encoding="utf-8")
    design = (pages / "design.md").read_text(encoding="utf-8")
    promises = set(re.findall(r"^\| (\d+) \|", table, re.MULTILINE))
    headings = set(re.findall(r"^## (.*)$", design, re.MULTILINE))

    guarded = {guard.promise for answers in VARIANTS for guard in guards(answers)}

    assert promises <= guarded <= promises | headings


GUARD = Guard(name="a guard", promise="1", file="_it.py", old="it", test="test_it::test_it")


@pytest.mark.parametrize(
    ("kind", "message", "details", "expected"),
    [
        ("failure", "assert 1 == 2", "AssertionError: assert 1 == 2", FAILS),
        ("failure", "NameError: name 'x'", "Traceback\nNameError: name 'x'", "invalid"),
        ("error", 'failed on setup with "assert 1"', "", "invalid"),
        ("error", 'failed on teardown with "assert 1"', "", FAILS),
        ("error", 'failed on teardown with "OSError"', "", "invalid"),
        ("skipped", "not today", "", "invalid"),
    ],
)
def test_only_a_failure_of_the_named_test_counts(
    kind: str, message: str, details: str, expected: str
) -> None:
    outcomes = {GUARD.test: [Outcome(kind, message, details)]}

    assert verdict(GUARD, Run(1, "", outcomes)).startswith(expected)
    assert verdict(GUARD, Run(2, "", outcomes)) == "invalid: status 2"
    assert verdict(GUARD, Run(1, "", {"test_it::test_else": outcomes[GUARD.test]})) != FAILS


def test_passing_failing_and_hanging_tests_are_distinguished() -> None:
    passed = {GUARD.test: [Outcome("passed", "", "")]}

    assert verdict(GUARD, Run(0, "", passed)) == SURVIVES
    assert verdict(GUARD, Run(None, f"{node(GUARD.test)} ", {})) == HANGS
    assert verdict(GUARD, Run(None, f"{node(GUARD.test)} PASSED", {})) == "invalid: stopped"
