"""Find changes in new revisions that are unsafe while people use the database, with squawk."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..updating.project import UV, own_environment

SQUAWK = Path(sys.executable).with_name("squawk")  # of this environment
PROGRAM = Path(__file__).with_name("revision_sql.py")
CHECKED = re.compile(r"^unsafe\b", re.MULTILINE)

# Rules about style, and about timeouts, which migrations have anyway.
IGNORED = re.compile(
    "prefer-|require-(lock|statement)-timeout|require-timeout|require-table-schema|"
    "require-enum-value-ordering|identifier-too-long|ban-char-field"
)
WAY_OUT = """\
The template's page docs/how-to/online-migrations.md shows safe steps. If a change is safe here, allow it in
its revision, for example with: unsafe = ("ban-drop-column",)"""


class RevisionsError(Exception):
    """The reason why no revision was checked, in one sentence."""


def unsafe_changes(project: Path) -> list[str]:
    """Return a line for each finding. Raises RevisionsError."""
    return [line for revision in revisions(project) for line in findings(revision)]


def revisions(project: Path) -> Iterator[Mapping[str, Any]]:
    """Yield the revisions to check, with their statements."""
    recorded = project / ".copier-answers.yml"
    answers = recorded.read_text(encoding="utf-8") if recorded.exists() else ""
    if not re.search(r"^database: postgresql$", answers, re.MULTILINE):
        return
    folders = project.glob("src/*/migrations/versions/*.py")
    if not any(CHECKED.search(file.read_text(encoding="utf-8")) for file in folders):
        return
    [package] = re.findall(r"^package: ['\"]?(\w+)", answers, re.MULTILINE)
    command = [UV, "run", "--quiet", "python", PROGRAM, package]
    done = subprocess.run(
        command,
        cwd=project,
        env=own_environment(),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        raise RevisionsError(
            f"the revisions cannot be read: {done.stderr.strip().splitlines()[-1]}"
        )
    yield from map(json.loads, done.stdout.splitlines())


def findings(revision: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each unsafe statement of a revision."""
    if revision["problem"]:
        print(f"{revision['path']}: not checked, {revision['problem']}", file=sys.stderr)
    statements = revision["sql"].splitlines()
    for found in squawk(revision["sql"]):
        rule = found["rule_name"]
        if not IGNORED.match(rule) and rule not in revision["allowed"]:
            statement = statements[found["line"]].strip()
            words = " ".join(filter(None, [found["message"], found["help"]]))
            yield f"{revision['path']}: {rule}: {statement}\n    {words}"


def squawk(sql: str) -> list[Mapping[str, Any]]:
    """Return what squawk finds. Raises RevisionsError if it fails."""
    command = [str(SQUAWK), "--reporter=json"]
    try:
        done = subprocess.run(
            command, input=sql, capture_output=True, encoding="utf-8", check=False
        )
        found: list[Mapping[str, Any]] = json.loads(done.stdout)
    except (FileNotFoundError, ValueError) as error:
        raise RevisionsError(
            "squawk, which is installed with sessionproof, does not run"
        ) from error
    return found
