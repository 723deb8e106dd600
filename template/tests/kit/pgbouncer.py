"""Run a real PgBouncer in transaction mode, with two connections to the tests' server.

Install it as a system package (`pgbouncer` on Debian). Without it, its tests are skipped.
"""

import os
import shutil
import subprocess
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import URL

PORT = 6432  # only a part of the socket's file name, so ports cannot collide
CONFIGURATION = """
[databases]
* = {server}

[pgbouncer]
pool_mode = transaction
default_pool_size = 2
auth_type = any
listen_port = {port}
unix_socket_dir = {folder}
log_connections = 0
log_disconnections = 0
log_pooler_errors = 0
log_stats = 0
"""


@contextmanager
def running_pgbouncer(server: URL, **settings: str) -> Generator[URL]:
    """Run PgBouncer in front of `server`, with additional `settings`, and yield its URL."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if program is None:
        pytest.skip("pgbouncer is not installed; Debian and Ubuntu have a package pgbouncer")
    with TemporaryDirectory() as name:
        folder, user = Path(name), _user(server)
        configuration = CONFIGURATION.format(server=_upstream(server), port=PORT, folder=folder)
        more = "".join(f"{key} = {value}\n" for key, value in settings.items())
        (folder / "pgbouncer.ini").write_text(configuration + more)
        if user:
            shutil.chown(folder, user)
        with _running(program, folder / "pgbouncer.ini", user):
            yield server.set(host=None, port=PORT, query={"host": name})


@contextmanager
def _running(program: str, configuration: Path, user: str | None) -> Generator[None]:
    command = [program, str(configuration)]
    with subprocess.Popen(command, user=user, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            _wait_until_up(process.stderr or ())
            yield
        finally:
            process.terminate()


def _wait_until_up(log: Iterable[str]) -> None:
    said: list[str] = []
    for line in log:
        said.append(line)
        if "process up" in line:
            return
    raise RuntimeError(f"pgbouncer did not start: {''.join(said)}")


def _upstream(server: URL) -> str:
    """The connection string of the server, with the user and the password for PgBouncer."""
    host = server.query.get("host", server.host)
    account = {"user": server.username, "password": server.password}
    place = {"host": host, "port": server.port}
    return " ".join(f"{key}='{value}'" for key, value in (place | account).items() if value)


def _user(server: URL) -> str | None:
    """The user that runs PgBouncer: not root, and with access to the server's socket."""
    if os.geteuid() != 0:
        return None
    socket = server.query.get("host")
    return Path(str(socket)).owner() if socket else "nobody"
