"""Restart a database under an HTTP server and its clients; `storms.py` starts this program.

It runs inside a rendered project, whose command `http run` serves in a process of its own.
"""

import asyncio
import contextlib
import itertools
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Generator
from typing import Any, NamedTuple

from storms_inside import Ended, Event, Events, errors_by_client, times
from task_queue.persistence import migrations
from task_queue.settings import Settings
from tests.persistence.cluster import running_cluster

HOST = "127.0.0.1"
SERVE = "from task_queue.entrypoints.cli import app; app()"
PATIENCE = 60  # seconds
REST = 0.05  # seconds between a failed request and the client's next one, and between checks
EVERY_CHECK = 0.05
TOO_LATE = 1.0  # seconds until Kubernetes counts a check as failed, by default

numbers = itertools.count()


class Answer(NamedTuple):
    """The status of an answer, or 0 if the connection was lost."""

    client: int
    begun: float
    at: float
    status: int


class Clients:
    """Clients of the server, and a client that asks for its health."""

    def __init__(self, port: int, clients: int) -> None:
        self.port = port
        self.clients = clients
        self.answers: list[Answer] = []
        self.health: dict[str, list[Answer]] = {"ready": [], "live": []}
        self.stop = asyncio.Event()

    async def run(self, events: Events) -> None:
        """Send requests until all events have happened."""
        async with asyncio.TaskGroup() as tasks:
            for client in range(self.clients):
                tasks.create_task(self.send(client, "POST /tasks", self.answers, 0))
            for check, answers in self.health.items():
                tasks.create_task(self.send(-1, f"GET /health/{check}", answers, EVERY_CHECK))
            await asyncio.to_thread(events.run)
            self.stop.set()

    async def send(self, client: int, request: str, answers: list[Answer], every: float) -> None:
        """Send one request after another, and connect again if the connection is lost."""
        while not self.stop.is_set():
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection(HOST, self.port)
                with contextlib.closing(writer):
                    while not self.stop.is_set():
                        answer = await self.ask(client, request, reader, writer)
                        answers.append(answer)
                        if not answer.status:
                            break
                        await asyncio.sleep(every or (answer.status >= 400) * REST)
            await asyncio.sleep(REST)

    async def ask(
        self, client: int, request: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> Answer:
        begun = time.monotonic()
        status = 0
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            writer.write(message(request))
            async with asyncio.timeout(PATIENCE):
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                if "content-length:" in head:
                    await reader.readexactly(int(head.partition("content-length:")[2].split()[0]))
            status = int(head.split()[1])
        return Answer(client, begun, time.monotonic(), status)

    # As `Events` expects it of a load

    @property
    def ended(self) -> list[Answer]:
        return self.answers

    def wait_for_everyone(self, since: float) -> None:
        """Wait until every client has got an answer without an error since then."""
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            time.sleep(0.2)
            recent = [each for each in list(self.answers) if each.begun > since]
            if len({each.client for each in recent if each.status == 201}) == self.clients:
                return


def message(request: str) -> bytes:
    body = json.dumps({"title": f"task {next(numbers)}"}) if request.startswith("POST") else ""
    head = f"{request} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


def figures(event: Event, following: float, clients: Clients) -> dict[str, Any]:
    """What clients and health checks saw from one event to the next one."""
    answers = [each for each in clients.answers if event.begun < each.at < following]
    health = {
        name: [each for each in checks if event.begun < each.at < following]
        for name, checks in clients.health.items()
    }
    ended = [Ended(each.client, each.at, "" if each.status == 201 else "x") for each in answers]
    succeeded = times(event, ended)
    return {
        "event": event.name,
        "first": succeeded[0],
        "everyone": succeeded[-1] if len(succeeded) == clients.clients else None,
        "errors": errors_by_client(ended, clients.clients),
        "statuses": Counter(each.status for each in answers),
        "unready": min(
            (at - event.begun for at in unready(health["ready"]) if at > event.begun), default=None
        ),
        "ready": min(
            (each.at - event.over for each in health["ready"] if is_ready(each, event)),
            default=None,
        ),
        "live": Counter(each.status for each in health["live"]),
        "live_slowest": max((each.at - each.begun for each in health["live"]), default=0),
    }


def unready(checks: list[Answer]) -> list[float]:
    """When a check failed, or when a load balancer stopped waiting for its answer."""
    late = [check.begun + TOO_LATE for check in checks if check.at - check.begun > TOO_LATE]
    return [check.at for check in checks if check.status != 200] + late


def is_ready(check: Answer, event: Event) -> bool:
    return check.status == 200 and check.begun > event.over


@contextlib.contextmanager
def serving(settings: Settings) -> Generator[int]:
    """Serve the project's API in a process; yield its port."""
    url = settings.database_url.render_as_string(hide_password=False)
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", SERVE, "http", "run", "--port", "0"],
        env={**os.environ, "DATABASE_URL": url},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr
        line = next(line for line in process.stderr if "listening on" in line)
        log = subprocess.Popen(["cat"], stdin=process.stderr, stdout=subprocess.DEVNULL)
        try:
            yield int(line.partition(f"http://{HOST}:")[2].split('"')[0].split()[0])
        finally:
            process.terminate()
            log.wait()


def main(options: dict[str, Any]) -> None:
    """Print the figures of each event as JSON."""
    with running_cluster(standbys=0) as cluster:
        settings = Settings.model_validate({"database_url": cluster.primary.url})
        migrations.upgrade(settings)
        with serving(settings) as port:
            clients = Clients(port, options["clients"])
            events = Events(
                cluster.primary, clients, rounds=options["rounds"], away=options["away"]
            )
            asyncio.run(clients.run(events))
    if events.failure:
        raise events.failure
    begins = [event.begun for event in events.done[1:]] + [float("inf")]
    done = [figures(*each, clients) for each in zip(events.done, begins, strict=True)]
    print(file=sys.stderr)
    print(json.dumps(done))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
