"""Mutation tests for the contract suite: without a guard of the kernel, its named test must fail.

`python -m tests.fuzz.guards` removes one guard at a time from a rendered project, and reports the
result of the test. The guards are in `guards.toml`.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from xml.etree import ElementTree

from jinja2 import Environment

from ..conftest import copy_files
from ..copying.inside import add_copying
from ..support import inside
from ..support.project import copy
from ..support.repository import ROOT
from ..support.shell import clean_environment, stop_servers
from ..support.variants import VARIANTS, Answers, name

PATIENCE = 60  # seconds for one test
SWEEP = "test_incident_5_a_unit_that_is_interrupted_holds_nothing_and_saves_all_or_nothing"

# Python's own tracebacks: to show the source of long ones, pytest 9 fails on Python 3.11.
# Plugins that a single test does not need are disabled: they are slow to import.
PYTEST = [
    *(sys.executable, "-m", "pytest", "-v", "--tb=native"),
    *("-m", ""),  # including tests that are deselected by default
    *(f"-pno:{plugin}" for plugin in ("cacheprovider", "cov", "hypothesispytest", "xdist")),
]

FAILS, HANGS, SURVIVES = "ok", "hangs", "survives"


class Guard(NamedTuple):
    """A part of the kernel that keeps a promise, and the test that fails without it."""

    name: str
    promise: str
    file: str
    old: str
    test: str
    new: str = ""
    only: Sequence[str] = ()

    def path(self, project: Path) -> Path:
        """The module that contains the guard."""
        kernel = project.glob(f"src/*/persistence/{self.file}")
        [path] = [*kernel, *project.glob(f"src/sessionproof/{self.file}")]
        return path

    def removed_from(self, text: str) -> str:
        """The module's text without the guard, which must occur once."""
        assert text.count(self.old) == 1, (
            f"{self.name}: {text.count(self.old)} times in {self.file}"
        )
        return text.replace(self.old, self.new)


class Outcome(NamedTuple):
    """The result of a test in pytest's report."""

    kind: str
    message: str
    details: str

    @property
    def is_complaint(self) -> bool:
        """Whether the test itself failed, or its teardown."""
        if re.search(r"^(NameError|UnboundLocalError|ImportError)\b", self.details, re.MULTILINE):
            return False  # that was the edit
        leftover = re.match(r'failed on teardown with "(assert |AssertionError)', self.message)
        return self.kind == "failure" or (self.kind == "error" and leftover is not None)


class Run(NamedTuple):
    """One run of pytest. Without a status, it timed out."""

    status: int | None
    output: str
    outcomes: Mapping[str, Sequence[Outcome]]

    def is_stuck_in(self, test: str) -> bool:
        """Whether the run was stopped while this test was running."""
        lines = [line.rstrip() for line in self.output.splitlines() if "::" in line]
        return self.status is None and bool(lines) and lines[-1].endswith(node(test))


def guards(answers: Answers) -> list[Guard]:
    """The guards of a variant, rendered for it."""
    text = (ROOT / "tests/fuzz/guards.toml").read_text(encoding="utf-8")
    rendered = Environment(keep_trailing_newline=True).from_string(text).render(tokens(answers))
    all_ = [Guard(**guard) for guard in tomllib.loads(rendered)["guards"]]
    return [guard for guard in all_ if {*guard.only} <= {*answers.values()}]


def tokens(answers: Answers) -> dict[str, object]:
    """The variant's answers, and the names that differ between variants."""
    return {
        **inside.tokens(answers),
        "sweep": f"test_interruption::{SWEEP}",
        "from_sqlite": "" if answers["database"] == "sqlite" else "[sqlite]",
    }


def verdict(guard: Guard, run: Run) -> str:
    """The result of the run without the guard. Only a failure of the named test is a proof."""
    if run.is_stuck_in(guard.test):
        return HANGS
    if run.status == 0:
        return SURVIVES
    if run.status != 1:
        return f"invalid: {'stopped' if run.status is None else f'status {run.status}'}"
    outcomes = run.outcomes.get(guard.test, [])
    if not any(outcome.is_complaint for outcome in outcomes):
        return f"invalid: {'; '.join(outcome.message for outcome in outcomes) or 'not run'}"
    return FAILS


def try_all(project: Path, chosen: Sequence[Guard]) -> Iterator[tuple[Guard, str]]:
    """Remove one guard at a time, and report the results."""
    tests = sorted({guard.test for guard in chosen})
    complete = run_tests(project, tests, patience=PATIENCE + 10 * len(tests))
    for guard in chosen:
        kinds = [outcome.kind for outcome in complete.outcomes.get(guard.test, [])]
        if kinds != ["passed"]:
            yield guard, f"invalid: {' and '.join(kinds) or 'not run'} with the guard too"
            continue
        with removed(guard, project):
            run = run_tests(project, [guard.test], patience=PATIENCE)
        yield guard, verdict(guard, run)


@contextmanager
def removed(guard: Guard, project: Path) -> Iterator[None]:
    """Remove the guard from the project."""
    path = guard.path(project)
    text = path.read_text(encoding="utf-8")
    edited = guard.removed_from(text)
    compile(edited, path, "exec")
    path.write_text(edited, encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(text, encoding="utf-8")


def run_tests(project: Path, tests: Sequence[str], *, patience: float) -> Run:
    """Run the tests in the project, for at most `patience` seconds."""
    report = project / "report.xml"
    report.unlink(missing_ok=True)
    process = subprocess.Popen(
        [*PYTEST, f"--junitxml={report}", *map(node, tests)],
        cwd=project,
        # The next run must not find bytecode of this edit.
        env=clean_environment() | {"PYTHONPATH": "src", "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        return Run(None, output, {})
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        stop_servers(project)
    return Run(process.returncode, output, read(report) if report.exists() else {})


def node(test: str) -> str:
    """The argument of pytest for `test_commit::test_it`."""
    module, _, function = test.partition("::")
    return f"tests/persistence/{module}.py::{function}"


def read(report: Path) -> dict[str, list[Outcome]]:
    """Read pytest's report: the result of each test, and of each failed teardown."""
    outcomes: dict[str, list[Outcome]] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        module = case.get("classname", "").rpartition(".")[2]
        results = [each for each in case if each.tag in ("failure", "error", "skipped")]
        found = outcomes.setdefault(f"{module}::{case.get('name')}", [])
        found.extend(
            Outcome(each.tag, each.get("message", ""), each.text or "") for each in results
        )
        if not results:
            found.append(Outcome("passed", "", ""))
    return outcomes


@contextmanager
def rendered(answers: Answers) -> Iterator[Path]:
    """The variant, rendered from the current files."""
    with TemporaryDirectory() as folder:
        template, project = Path(folder).resolve() / "template", Path(folder).resolve() / "project"
        copy_files(ROOT, template)
        try:
            copy(template, project, {**answers, "contract": True})
            add_copying(project, answers)
            yield project
        finally:
            stop_servers(project)


def table(verdicts: Mapping[tuple[str, str], str], chosen: Mapping[str, Sequence[Guard]]) -> str:
    """A table of all guards with their promises, tests, and results in each variant."""
    removed: dict[
        tuple[str, str], dict[str, None]
    ] = {}  # a test may have another name in each mode
    for guard in (guard for those in chosen.values() for guard in those):
        test = guard.test.replace(SWEEP, "test_incident_5_…")
        removed.setdefault((guard.name, guard.promise), {})[f"`{test}`"] = None
    rows = [["guard removed", "promise", "test that fails", *chosen], ["---"] * (3 + len(chosen))]
    for (guarded, promise), tests in removed.items():
        cells = [verdicts.get((guarded, variant), "–").replace("|", "\\|") for variant in chosen]
        rows.append([guarded, promise, "<br>".join(tests), *cells])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 1 if a guard can be removed without a failing test."""
    variants = {name(answers): answers for answers in VARIANTS}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=variants, metavar="VARIANT", default=variants)
    parser.add_argument("--guard", default="", help="a part of the guards' names", metavar="TEXT")
    options = parser.parse_args(arguments)
    # A shell lets background processes ignore Ctrl-C, which some tests press.
    signal.signal(signal.SIGINT, signal.default_int_handler)

    chosen = {
        variant: [guard for guard in guards(variants[variant]) if options.guard in guard.name]
        for variant in options.only
    }
    if not any(chosen.values()):
        parser.error(f"no guard's name has {options.guard!r} in it")
    verdicts: dict[tuple[str, str], str] = {}
    for variant, those in chosen.items():
        if not those:  # without tests, pytest would run everything
            continue
        with rendered(variants[variant]) as project:
            for guard, found in try_all(project, those):
                verdicts[guard.name, variant] = found
                print(f"{variant}: {guard.name}: {found}", file=sys.stderr, flush=True)
    print(table(verdicts, chosen))
    return 0 if {*verdicts.values()} <= {FAILS, HANGS} else 1


if __name__ == "__main__":
    sys.exit(main())
