"""Switch a cluster over under load, inside a rendered project; `failover.py` starts this program.

It is written for async. The sync program is the same text without `async` and `await`. The events
happen in a thread of their own in both.
"""

import asyncio
import contextlib
import inspect
import itertools
import json
import logging
import math
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
from bisect import bisect
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import URL
from task_queue.persistence import (
    CommitOutcomeUnknown,
    Database,
    DatabaseUnreachable,
    migrations,
)
from task_queue.settings import Settings
from task_queue.tasks.model import Task
from task_queue.unit_of_work import UnitOfWork, open_database
from tests.kit.concurrency import at_once
from tests.kit.pgbouncer import running_pgbouncer
from tests.persistence.cluster import Cluster, running_cluster

STANDBYS = 2
WARM_UP, AFTERWARDS = 1.5, 2.0  # seconds of load before and after each event
PATIENCE = 60  # seconds until writes must succeed again
REST = 0.05  # seconds between a failure and the client's next unit

numbers = itertools.count()


async def insert(uow: UnitOfWork, title: str) -> None:
    await uow.tasks.add(Task(title=title))


async def show(uow: UnitOfWork, key: int) -> None:
    await uow.session.get(Task, key)


class Failed(NamedTuple):
    """A unit that raised an error; reads have no title."""

    begun: float
    at: float
    title: str
    error: BaseException


class Load:
    """Clients that write and read, and what happened to their units."""

    def __init__(self, database: Database[UnitOfWork], *, through_run: bool) -> None:
        self.database = database
        self.through_run = through_run
        self.stop = threading.Event()
        self.saved: list[tuple[float, str]] = []  # the time of the answer, and the title
        self.failed: list[Failed] = []
        self.running: dict[object, float] = {}  # when each client's call began
        self.read = 0
        self.slowest = 0.0

    async def write(self) -> None:
        """Insert rows, one after another; no title is tried twice."""
        while not self.stop.is_set():
            title = str(next(numbers))
            begun = time.monotonic()
            try:
                await self.unit(insert, title)
            except Exception as error:
                self.failed.append(Failed(begun, time.monotonic(), title, error))
                await asyncio.sleep(REST)
            else:
                now = time.monotonic()
                self.saved.append((now, title))
                self.slowest = max(self.slowest, now - begun)

    async def look(self) -> None:
        """Read a row, again and again."""
        while not self.stop.is_set():
            begun = time.monotonic()
            try:
                await self.unit(show, 1, read_only=True)
            except Exception as error:
                self.failed.append(Failed(begun, time.monotonic(), "", error))
                await asyncio.sleep(REST)
            else:
                self.read += 1

    async def unit(self, work: Any, argument: Any, *, read_only: bool = False) -> None:
        call = object()
        self.running[call] = time.monotonic()
        try:
            if self.through_run:
                options: dict[str, Any] = {"read_only": read_only}
                if "verifiable" in inspect.signature(self.database._retried).parameters:
                    options["verifiable"] = not read_only
                await self.database.run(**options)(work)(argument)
            else:
                async with self.database.unit_of_work(read_only=read_only) as uow:
                    await work(uow, argument)
        finally:
            del self.running[call]

    def wait_for_progress(self) -> None:
        """Wait until a write succeeds that was begun now, and all earlier calls have ended.

        So each outcome is looked up before the next event: after two of them no server knows it.
        """
        now = time.monotonic()
        before = len(self.saved)
        while len(self.saved) < before + 50 or min(list(self.running.values()), default=now) < now:
            if time.monotonic() > now + PATIENCE:
                return
            time.sleep(0.05)


class Events:
    """Switchovers or failovers, and their times."""

    def __init__(self, cluster: Cluster, load: Load, *, kill: bool, rounds: int) -> None:
        self.cluster = cluster
        self.load = load
        self.kill = kill
        self.rounds = rounds
        self.times: list[float] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        """Let them happen, then stop the load."""
        try:
            for done in range(self.rounds):
                print(f"\r{done} of {self.rounds} events", end="", file=sys.stderr, flush=True)
                self.load.wait_for_progress()
                time.sleep(WARM_UP)
                self.happen()
                self.load.wait_for_progress()
                time.sleep(AFTERWARDS)
        except BaseException as error:
            self.error = error
        finally:
            self.load.stop.set()

    def happen(self) -> None:
        self.times.append(time.monotonic())
        if self.kill:
            old = self.cluster.fail_over()
            old.follow(self.cluster.primary)
        else:
            self.cluster.switch_over()
        self.cluster.wait_for_standbys()


async def measure(cluster: Cluster, url: URL, options: dict[str, Any]) -> dict[str, Any]:
    """Run the load and the events; return the figures."""
    settings = Settings.model_validate(
        {
            "database_url": url,
            "database_pgbouncer": options["pgbouncer"],
            "database_shared_archive": True,  # no two servers begin the same timeline here
        }
    )
    async with open_database(settings) as database:
        load = Load(database, through_run=options["run"])
        await load.unit(insert, "first")
        events = Events(cluster, load, kill=options["kill"], rounds=options["rounds"])
        thread = threading.Thread(target=events.run)
        thread.start()
        clients = options["clients"]
        await at_once(*[load.write] * clients, *[load.look] * clients)
        thread.join()
    if events.error:
        raise events.error
    return figures(load, events.times, cluster.primary.execute("SELECT title FROM task").split())


def figures(load: Load, events: list[float], rows: list[str]) -> dict[str, Any]:
    """Compare what clients were told with the rows that are there."""
    present = set(rows)
    away = outages(load.saved, events)
    broken = [each for each in load.failed if not is_unreachable(each.error)]
    unknown = {each.title for each in load.failed if isinstance(each.error, CommitOutcomeUnknown)}
    refused = {each.title for each in load.failed} - unknown
    return {
        "events": len(events),
        "written": len(load.saved),
        "read": load.read,
        "failed": len(load.failed),
        "broken": len(broken),
        "broken_at_most": max(
            Counter(bisect(events, each.at) for each in broken).values(), default=0
        ),
        "afterwards": sum(is_afterwards(each, events, away) for each in load.failed),
        "unknown": len(unknown),
        "lost": len({title for _, title in load.saved} - present),
        "twice": len(rows) - len(present),
        "false": len(refused & present),
        "pauses": [end - begun for begun, end in away],
        "slowest": load.slowest,
        "errors": Counter(summary(each.error) for each in load.failed),
    }


def is_unreachable(error: BaseException) -> bool:
    """Whether the unit got no connection, because no server was a primary."""
    return isinstance(error, DatabaseUnreachable) or "connection failed" in str(error)


def is_afterwards(failed: Failed, events: list[float], away: list[tuple[float, float]]) -> bool:
    """Whether other clients could write when this unit began."""
    event = bisect(events, failed.at) - 1
    return event < 0 or failed.begun > away[event][1]


def outages(saved: list[tuple[float, str]], events: list[float]) -> list[tuple[float, float]]:
    """The longest time without an acknowledged write, from each event to the next one."""
    answers = sorted(at for at, _ in saved)
    gaps = list(itertools.pairwise(answers))
    return [
        max((gap for gap in gaps if begun <= gap[1] < following), key=lambda gap: gap[1] - gap[0])
        for begun, following in itertools.pairwise([*events, math.inf])
    ]


def summary(error: BaseException) -> str:
    """The error's class, and what distinguishes it from others of that class."""
    code = getattr(getattr(error, "orig", None), "sqlstate", None)
    text = str(getattr(error, "orig", None) or error).splitlines()[0]
    return f"{type(error).__name__} {code or ''}: {text[:90]}"


# Ways to the primary


@contextlib.contextmanager
def way(cluster: Cluster, options: dict[str, Any]) -> Generator[URL]:
    """Yield a URL that leads to the primary, whichever server that is."""
    with contextlib.ExitStack() as stack:
        if options["way"] == "hosts":
            url = cluster.urls(target_session_attrs="primary")
        else:
            url = stack.enter_context(running_haproxy(cluster))
        if options["pgbouncer"]:
            url = stack.enter_context(
                running_pgbouncer(url, default_pool_size="10", server_login_retry="0.2")
            )
        yield url


HAPROXY = """
defaults
    mode tcp
    timeout connect 2s
    timeout client 1h
    timeout server 1h
    timeout check 2s
listen primary
    bind 127.0.0.1:{port}
    option tcp-check
{check}
    default-server inter 200ms fall 2 rise 1 on-marked-down shutdown-sessions
{servers}
"""


@contextlib.contextmanager
def running_haproxy(cluster: Cluster) -> Generator[URL]:
    """Run HAProxy, which asks each server whether it is in recovery, in front of the cluster."""
    from tests.persistence.cluster import _free_port

    program = shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        sys.exit("haproxy is not installed; Debian and Ubuntu have a package haproxy")
    port = _free_port()
    servers = [
        f"    server {server.name} 127.0.0.1:{server.port} check" for server in cluster.servers
    ]
    text = HAPROXY.format(port=port, check=is_primary(), servers="\n".join(servers))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "haproxy.cfg"
        file.write_text(text)
        with subprocess.Popen([program, "-q", "-db", "-f", str(file)]) as process:
            time.sleep(1)
            try:
                yield cluster.primary.url.set(port=port)
            finally:
                process.terminate()


def is_primary() -> str:
    """HAProxy's check: connect to PostgreSQL, and expect `f` as the answer to a query."""
    parameters = b"user\0postgres\0database\0postgres\0\0"
    hello = struct.pack("!II", len(parameters) + 8, 196608) + parameters
    query = b"SELECT pg_is_in_recovery()\0"
    ask = b"Q" + struct.pack("!I", len(query) + 4) + query
    no = b"D" + struct.pack("!IHI", 11, 1, 1) + b"f"
    bye = b"X" + struct.pack("!I", 4)
    lines = [
        f"tcp-check send-binary {hello.hex()}",
        f"tcp-check send-binary {ask.hex()}",
        f"tcp-check send-binary {bye.hex()}",  # otherwise it would wait for more after a `t`
        f"tcp-check expect binary {no.hex()}",
    ]
    return "\n".join(f"    {line}" for line in lines)


def main(options: dict[str, Any]) -> None:
    """Print the figures as JSON."""
    logging.disable()
    with running_cluster(standbys=STANDBYS) as cluster:
        migrations.upgrade(Settings.model_validate({"database_url": cluster.primary.url}))
        if options["synchronous"]:
            cluster.synchronous()
        with way(cluster, options) as url:
            done = asyncio.run(measure(cluster, url, options))
    print(file=sys.stderr)
    print(json.dumps(done))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
