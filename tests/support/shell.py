"""Functions that run programs."""

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

SESSIONPROOF = (sys.executable, "-m", "sessionproof")
UPDATE = (*SESSIONPROOF, "update")
ENTITY = (*SESSIONPROOF, "entity")
OWNED = (*SESSIONPROOF, "owned")

# Variables of this test run that would mislead another one.
_OURS = (
    "PYTEST_",
    "COV_",
    "COVERAGE_",
    "DATABASE_URL",
    "TEST_DATABASE_URL",
    "UV_PROJECT_ENVIRONMENT",
    "VIRTUAL_ENV",
)


def run(
    *command: str | Path,
    folder: Path,
    status: int | None = 0,
    patience: float = 900,
    **environment: str | Path,
) -> subprocess.CompletedProcess[str]:
    """Run a program. Fails with its whole output if it does not end with this status."""
    result = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env=clean_environment() | {name: str(value) for name, value in environment.items()},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=patience,
        check=False,
    )
    output = f"{result.stdout}\n{result.stderr}".strip()
    assert status in (result.returncode, None), f"{' '.join(map(str, command))}\n\n{output}"
    return result


def run_there(*command: str, project: Path, patience: float = 900, **environment: Any) -> str:
    """Run a program of the project in the environment of these tests, and return its output."""
    result = run(
        *command,
        folder=project,
        patience=patience,
        PYTHONPATH=project / "src",
        UV_PROJECT_ENVIRONMENT=sys.prefix,
        UV_NO_SYNC="1",
        **environment,
    )
    return result.stdout


def clean_environment() -> dict[str, str]:
    """This environment without the test run's own variables, with this Python's programs first."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    # `python -m uv run` does not add uv to PATH, but sets UV.
    uv = os.environ.get("UV") or shutil.which("uv") or ""
    paths = [str(Path(sys.executable).parent), environment["PATH"], str(Path(uv).parent)]
    return environment | {"PATH": os.pathsep.join(paths)}


def servers(folder: Path) -> list[psutil.Process]:
    """The PostgreSQL servers whose data is in the folder."""
    return [
        process
        for process in psutil.process_iter(["name", "cmdline"])
        if process.info["name"] == "postgres"
        and any(word.startswith(f"{folder}/") for word in process.info["cmdline"] or [])
    ]


def stop_servers(folder: Path) -> None:
    """Stop these servers, and wait until they have stopped."""
    for server in servers(folder):
        with suppress(psutil.NoSuchProcess):  # it was already stopping
            server.terminate()
            server.wait(timeout=30)
