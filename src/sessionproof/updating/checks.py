"""Run the project's checks after an update."""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.console import Console

from .project import UV, own_environment
from .report import Check

Commands = Mapping[str, Sequence[str]]

PROVE = (sys.executable, "-m", "sessionproof", "prove")
CHECKS: Commands = {
    "just lint": ["just", "lint"],
    "the contract suite": [*PROVE, "-q", "--tb=short"],
}
MODELS_CHANGED = "New upgrade operations detected"  # Alembic's words


def run_checks(folder: Path, console: Console, checks: Commands = CHECKS) -> Iterator[Check]:
    """Run the checks one after another, and yield each outcome."""
    for name, command in checks.items():
        console.print(f"\n{name} …", end=" ")
        check = _run(name, command, folder)
        console.print("passes" if check.passed else "fails")
        yield check


def needs_migration(checks: Sequence[Check]) -> bool:
    """Return whether a check failed because the models need a migration."""
    return any(MODELS_CHANGED in check.output for check in checks if not check.passed)


def _run(name: str, command: Sequence[str], folder: Path) -> Check:
    uv_run = () if command[0] == sys.executable else (UV, "run")
    result = subprocess.run(
        [*uv_run, *command],
        cwd=folder,
        env=own_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    return Check(name, result.returncode == 0, result.stdout.strip())
