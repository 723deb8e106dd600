"""The container image: the steps of its Dockerfile, run without a container."""

import json
import os
import re
import shlex
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from .conftest import StartProject

PYTHON = "/usr/bin/python3"  # any user may run it
USER = 10001 if os.geteuid() == 0 else None  # only root can become another user
PATIENCE = 60  # seconds


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that other users may read; pytest's own may not."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.mark.slow
@pytest.mark.skipif(not Path(PYTHON).exists(), reason=f"needs {PYTHON}")
def test_the_program_serves_as_a_user_who_may_write_only_its_data(
    start_project: StartProject, folder: Path
) -> None:
    project = start_project(http=True, image=True).path
    dockerfile = (project / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    [check] = re.findall(r"^HEALTHCHECK .* CMD (\[.*\])$", dockerfile, re.MULTILINE)
    build = {**os.environ, **dict(re.findall(r"(UV_\w+)=(\S+)", dockerfile))}
    build |= {
        "UV_CACHE_DIR": str(folder / "cache"),
        "UV_PYTHON": PYTHON,
        "UV_PROJECT_ENVIRONMENT": str(folder / "venv"),
    }
    data = folder / "data"
    data.mkdir()
    data.chmod(0o777)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])

    subprocess.run(["uv", "lock", "--quiet"], cwd=project, check=True)
    for step in re.findall(r"^RUN (?:--mount\S+ )*(uv .*)$", dockerfile, re.MULTILINE):
        subprocess.run(shlex.split(step), cwd=project, env=build, check=True)

    with subprocess.Popen(
        ["task-queue", "http", "run", "--port", port, "--migrate"],
        cwd=data,
        env={"PATH": str(folder / "venv/bin"), "DATABASE_URL": f"sqlite:///{data}/tasks.db"},
        user=USER,
        group=USER,
    ) as server:
        asked = [
            str(folder / "venv/bin/python"),
            *json.loads(check.replace(":8000", f":{port}"))[1:],
        ]
        until = time.monotonic() + PATIENCE
        while subprocess.run(asked, stderr=subprocess.DEVNULL).returncode:
            assert server.poll() is None, "the server ended by itself"
            assert time.monotonic() < until
            time.sleep(0.2)
        server.terminate()
    assert server.returncode == 0
