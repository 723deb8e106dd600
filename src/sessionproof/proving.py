"""The contract suite: the tests of the kernel's guarantees, run against a project's own code.

Most projects do not contain these tests. They are rendered for the project's version and answers into
a copy of the project, and run there in the project's environment.
"""

import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.etree import ElementTree

from pathspec import PathSpec

from .updating.project import UV, Answers, Project, Refusal, own_environment
from .updating.template import Template, Version

SUITE = "contract_suite"  # the list in copier.yml


@contextmanager
def with_suite(
    project: Project, template: Template, version: Version, answers: Answers
) -> Iterator[tuple[Path, list[str]]]:
    """Yield a copy of the project with the contract suite, and the paths of the suite's tests."""
    suite = template.settings(version).get(SUITE, {}).get("default", [])
    if not suite:
        raise Refusal(
            f"projects of {version.name} contain the contract suite; run it with just test"
        )
    belongs: Callable[[str], bool] = PathSpec.from_lines("gitignore", suite).match_file
    own = {*project.tracked(), *project.new_files()}
    rendered: dict[str, bytes] = {}
    if not answers.get("contract"):  # else render nothing: the team may have deleted some tests
        rendered |= template.render(version, answers | {"contract": True}).files
    added = {path: text for path, text in rendered.items() if belongs(path) and path not in own}
    with TemporaryDirectory() as place:
        folder = Path(place).resolve()
        folder.chmod(0o755)  # if root runs the tests, PostgreSQL's server runs as another user
        for path in own | added.keys():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
        for path in own:
            shutil.copy2(project.folder / path, folder / path)
        for path, text in added.items():
            (folder / path).write_bytes(text)
        tests = (path for path in own | added.keys() if Path(path).name.startswith("test_"))
        yield folder, sorted(filter(belongs, tests))


def run_tests(project: Project, folder: Path, arguments: Sequence[str]) -> int:
    """Run pytest in the copy, with the project's environment, and return its exit code."""
    return subprocess.run(**_pytest(project, folder, arguments), check=False).returncode


def count_tests(project: Project, folder: Path, arguments: Sequence[str]) -> dict[str, object]:
    """Run pytest and return `status`, `tests`, `skipped`, `seconds` and the names of `failed`."""
    report = folder / "junit.xml"
    command = _pytest(project, folder, [*arguments, f"--junitxml={report}"])
    done = subprocess.run(**command, stdout=subprocess.DEVNULL, check=False)
    suite = ElementTree.parse(report).getroot().find("testsuite") if report.exists() else None
    if suite is None:
        raise Refusal("pytest ended before it ran a test; run just prove without --json to see why")
    bad = [
        case for case in suite if case.find("failure") is not None or case.find("error") is not None
    ]
    return {
        "status": "passed" if done.returncode == 0 else "failed",
        "tests": int(suite.get("tests", 0)),
        "skipped": int(suite.get("skipped", 0)),
        "seconds": float(suite.get("time", 0)),
        "failed": [f"{case.get('classname')}::{case.get('name')}" for case in bad],
    }


def _pytest(project: Project, folder: Path, arguments: Sequence[str]) -> dict[str, Any]:
    return {
        "args": [UV, "run", "--project", str(project.folder), "pytest", *arguments],
        "cwd": folder,
        "env": own_environment() | {"PYTHONPATH": str(folder / "src")},
    }
