"""Flood a server and stop its database; `edge.py` starts this program.

It runs inside a rendered project, whose command `http run` serves in a process of its own.
"""

import asyncio
import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Sequence
from http.client import HTTPConnection
from pathlib import Path
from select import select
from typing import Any

import psutil
from sqlalchemy import URL
from task_queue.persistence import migrations
from task_queue.settings import Settings
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

HOST = "127.0.0.1"
SERVE = "from task_queue.entrypoints.cli import app; app()"
HEAD = f"Host: {HOST}\r\nContent-Type: application/json\r\n".encode()
NEW = b'{"title": "Write the report"}'
EVERY = 0.1  # seconds between two checks
PATIENCE = 120  # seconds

CONNECTIONS, SLOW, BODIES, SOCKETS, CLIENTS = 500, 250, 8, 1000, 50
MB = 10**6

Statuses = Counter[str]
Flood = Callable[["Server"], Coroutine[Any, Any, Statuses]]


class Server:
    """The server's process, and its database."""

    def __init__(self, process: psutil.Process, port: int, url: URL, log: Path) -> None:
        self.process = process
        self.port = port
        self.url = url
        self.log = log
        self.memory = 0

    async def watch(self) -> None:
        """Look at the memory until this is cancelled."""
        while True:
            self.memory = max(self.memory, self.process.memory_info().rss)
            await asyncio.sleep(EVERY)

    async def send(self, *parts: bytes, pause: float = 0) -> str:
        """Send a request in parts, and return its status, or what happened in its place."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
            async with asyncio.timeout(PATIENCE):
                reader, writer = await asyncio.open_connection(HOST, self.port)
                with contextlib.closing(writer):
                    writing = asyncio.create_task(write(writer, parts, pause))
                    line = await reader.readuntil(b"\r\n")  # it may come before the end
                    writing.cancel()
                    return line.split()[1].decode()
        return "closed"


async def write(writer: asyncio.StreamWriter, parts: Sequence[bytes], pause: float) -> None:
    with contextlib.suppress(OSError):
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)


# The floods ----------------------------------------------------------------------------


async def idle_and_slow(server: Server) -> Statuses:
    """Open connections that send nothing, or one byte of their headers every second."""
    slow = [bytes([byte]) for byte in b"GET /tasks HTTP/1.1\r\n"]
    idle = [server.send(b"", pause=0) for _ in range(CONNECTIONS - SLOW)]
    return await together(*idle, *(server.send(*slow, pause=1) for _ in range(SLOW)))


async def large_bodies(server: Server) -> Statuses:
    """Send large bodies, half of them without saying so before."""
    post = b"POST /tasks HTTP/1.1\r\n" + HEAD
    chunk = b"%x\r\n%b\r\n" % (MB, b" " * MB)
    declared = (post + b"Content-Length: %d\r\n\r\n" % (200 * MB), *[b" " * MB] * 200)
    chunked = (post + b"Transfer-Encoding: chunked\r\n\r\n", *[chunk] * 200)
    return await together(*(server.send(*each) for each in [declared, chunked] * (BODIES // 2)))


async def web_sockets(server: Server) -> Statuses:
    """Open WebSockets, more than one client may have."""
    task = await server.send(
        b"POST /tasks HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n%b" % (HEAD, len(NEW), NEW)
    )
    assert task == "201", task

    async def watch() -> str:
        try:
            async with connect(f"ws://{HOST}:{server.port}/tasks/1/watch") as socket:
                await socket.recv()
                await asyncio.sleep(5)
        except InvalidStatus as refused:
            return str(refused.response.status_code)
        return "open"

    return await together(*(watch() for _ in range(SOCKETS)))


async def stopped_database(server: Server) -> Statuses:
    """Stop the database while clients ask it."""
    async with stopped(server.url):
        ends = time.monotonic() + 20

        async def ask() -> Statuses:
            seen = Statuses()
            while time.monotonic() < ends:
                body = b"Content-Length: %d\r\n\r\n%b" % (len(NEW), NEW)
                seen[await server.send(b"POST /tasks HTTP/1.1\r\n", HEAD, body)] += 1
            return seen

        return sum(await asyncio.gather(*(ask() for _ in range(CLIENTS))), Statuses())


@contextlib.asynccontextmanager
async def stopped(url: URL) -> AsyncIterator[None]:
    """Stop every process of the server, or hold SQLite's lock for writing."""
    if url.drivername == "sqlite":
        with contextlib.closing(sqlite3.connect(url.database or "")) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
        return
    listening = [each for each in psutil.net_connections() if each.status == psutil.CONN_LISTEN]
    [pid] = {each.pid for each in listening if each.laddr.port == url.port}
    postmaster = psutil.Process(pid)
    processes = [*postmaster.children(), postmaster]
    for process in processes:
        process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            process.send_signal(signal.SIGCONT)


async def together(*sent: Coroutine[Any, Any, str]) -> Statuses:
    return Statuses(await asyncio.gather(*sent))


# The measurement -----------------------------------------------------------------------


@contextlib.contextmanager
def checking(port: int) -> Generator[dict[str, float]]:
    """Ask for the health from other processes, and fill in the seconds of the slowest check."""
    slowest: dict[str, float] = {}
    running = {
        check: subprocess.Popen(
            [sys.executable, __file__, "check", str(port), check],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for check in ("live", "ready")
    }
    yield slowest
    slowest |= {check: float(process.communicate("")[0]) for check, process in running.items()}


def check(port: int, name: str) -> None:
    """Print the seconds of the slowest check, at the end of the standard input."""
    slowest = 0.0
    while not select([sys.stdin], [], [], EVERY)[0]:
        began = time.monotonic()
        connection = HTTPConnection(HOST, port, timeout=PATIENCE)
        connection.request("GET", f"/health/{name}")
        assert connection.getresponse().status in (200, 204, 503)
        connection.close()
        slowest = max(slowest, time.monotonic() - began)
    print(slowest)


async def measure(server: Server, flood: Flood) -> dict[str, Any]:
    server.memory, logged = 0, server.log.stat().st_size
    watching = asyncio.create_task(server.watch())
    with checking(server.port) as slowest:
        await asyncio.sleep(1)
        statuses = await flood(server)
    watching.cancel()
    written = server.log.stat().st_size - logged
    return {
        "statuses": statuses,
        **slowest,
        "mib": server.memory / 2**20,
        "kib": written / 2**10,
    }


@contextlib.contextmanager
def serving(settings: Settings, log: Path) -> Generator[Server]:
    """Serve the project's API in a process."""
    url = settings.database_url.render_as_string(hide_password=False)
    with (
        log.open("w") as stderr,
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", SERVE, "http", "run", "--port", "0"],
            env={**os.environ, "DATABASE_URL": url},
            stderr=stderr,
        ) as process,
    ):
        while "listening on" not in (text := log.read_text()):
            assert process.poll() is None, text
            time.sleep(0.1)
        port = int(text.partition(f"http://{HOST}:")[2].split('"')[0].split()[0])
        try:
            yield Server(psutil.Process(process.pid), port, settings.database_url, log)
        finally:
            process.terminate()


@contextlib.contextmanager
def database(folder: Path) -> Generator[Settings]:
    """A new file, or a new server of PostgreSQL."""
    if Settings().database_url.drivername == "sqlite":
        yield Settings.model_validate({"database_url": f"sqlite:///{folder / 'test.db'}"})
        return
    from tests.persistence.cluster import running_cluster

    with running_cluster(standbys=0) as cluster:
        yield Settings.model_validate({"database_url": cluster.primary.url})


def main() -> None:
    """Print the figures of each flood as JSON."""
    floods = (idle_and_slow, large_bodies, web_sockets, stopped_database)
    with tempfile.TemporaryDirectory() as folder, database(Path(folder)) as settings:
        migrations.upgrade(settings)
        with serving(settings, Path(folder) / "log") as server:
            figures = {
                flood.__name__.replace("_", " "): asyncio.run(measure(server, flood))
                for flood in floods
            }
    print(json.dumps(figures))


if __name__ == "__main__":
    if sys.argv[1:2] == ["check"]:
        check(int(sys.argv[2]), sys.argv[3])
    else:
        main()
