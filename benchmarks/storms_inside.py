"""Restart a server under many clients, and cut their connections; `storms.py` starts this program.

It runs inside a rendered project. It is written for async. The sync program is the same text without
`async` and `await`. The events happen in a thread of their own in both.
"""

import asyncio
import functools
import itertools
import json
import logging
import math
import statistics
import sys
import threading
import time
from collections import Counter
from typing import Any, NamedTuple

from task_queue.persistence import Database, migrations
from task_queue.settings import Settings
from task_queue.tasks.model import Task
from task_queue.unit_of_work import UnitOfWork, open_database
from tests.kit.concurrency import at_once
from tests.persistence.cluster import Server, running_cluster

WARM_UP = 3.0  # seconds of load before each event
PATIENCE = 60  # seconds until every client must have succeeded again
REST = 0.05  # seconds between a failure and the client's next unit
CUT = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'
"""

numbers = itertools.count()


class Ended(NamedTuple):
    """A unit of a client, and its error if it has one."""

    client: int
    at: float
    error: str


class Event(NamedTuple):
    """A restart, or a cut of every connection."""

    name: str
    begun: float
    over: float  # when the server accepts connections


async def insert(uow: UnitOfWork, title: str) -> None:
    await uow.tasks.add(Task(title=title))


class Storm:
    """Clients that insert rows, one unit after another."""

    def __init__(self, database: Database[UnitOfWork], clients: int, *, through_run: bool) -> None:
        self.database = database
        self.clients = clients
        self.through_run = through_run
        self.stop = threading.Event()
        self.ended: list[Ended] = []

    async def run(self) -> None:
        """Run all clients until the end."""
        await at_once(*[functools.partial(self.work, number) for number in range(self.clients)])

    async def work(self, client: int) -> None:
        while not self.stop.is_set():
            error = await self.unit(str(next(numbers)))
            self.ended.append(Ended(client, time.monotonic(), error))
            if error:
                await asyncio.sleep(REST)

    async def unit(self, title: str) -> str:
        try:
            if self.through_run:
                await self.database.run(verifiable=True)(insert)(title)
            else:
                async with self.database.unit_of_work() as uow:
                    await insert(uow, title)
        except Exception as error:
            return type(error).__name__
        return ""

    def wait_for_everyone(self, since: float) -> None:
        """Wait until every client has succeeded since then."""
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends and not self.stop.is_set():
            time.sleep(0.2)
            recent = itertools.takewhile(lambda each: each.at > since, reversed(self.ended))
            if len({each.client for each in recent if not each.error}) == self.clients:
                return


class Events:
    """What happens to the server."""

    def __init__(self, server: Server, storm: Storm, *, rounds: int, away: float) -> None:
        self.server = server
        self.away = away
        self.storm = storm
        self.rounds = rounds
        self.done: list[Event] = []
        self.failure: BaseException | None = None

    def run(self) -> None:
        """Let them happen, then stop the load."""
        try:
            for done, happen in enumerate([self.restart, self.cut] * self.rounds):
                print(f"\r{done} of {self.rounds * 2} events", end="", file=sys.stderr, flush=True)
                self.storm.wait_for_everyone(time.monotonic())
                time.sleep(WARM_UP)
                self.done.append(happen())
                self.storm.wait_for_everyone(self.done[-1].over)
        except BaseException as error:
            self.failure = error
        finally:
            self.storm.stop.set()

    def restart(self) -> Event:
        begun = time.monotonic()
        self.server.stop()
        time.sleep(self.away)
        self.server.start()
        return Event("restart", begun, time.monotonic())

    def cut(self) -> Event:
        begun = time.monotonic()
        self.server.execute(CUT)
        return Event("cut", begun, begun)


async def measure(server: Server, options: dict[str, Any]) -> list[dict[str, Any]]:
    """Run the load and the events; return the figures of each event."""
    settings = Settings.model_validate({"database_url": server.url})
    async with open_database(settings) as database:
        clients = options["clients"]
        storm = Storm(database, clients, through_run=options["run"])
        events = Events(server, storm, rounds=options["rounds"], away=options["away"])
        thread = threading.Thread(target=events.run)
        thread.start()
        await storm.run()
        thread.join()
    if events.failure:
        raise events.failure
    begins = [event.begun for event in events.done[1:]] + [math.inf]
    return [
        figures(event, [each for each in storm.ended if event.begun < each.at < following], clients)
        for event, following in zip(events.done, begins, strict=True)
    ]


def figures(event: Event, ended: list[Ended], clients: int) -> dict[str, Any]:
    """The figures of an event, from the units that ended before the next one."""
    succeeded = times(event, ended)
    return {
        "event": event.name,
        "units": len(ended),
        "first": succeeded[0],
        "everyone": succeeded[-1] if len(succeeded) == clients else None,
        "errors": errors_by_client(ended, clients),
        "causes": Counter(each.error for each in ended if each.error),
    }


def times(event: Event, ended: list[Ended]) -> list[float]:
    """The seconds from the end of the event to the first success of each client, sorted."""
    first: dict[int, float] = {}
    for each in ended:
        if each.at > event.over and not each.error:
            first.setdefault(each.client, each.at - event.over)
    return sorted(first.values())


def errors_by_client(ended: list[Ended], clients: int) -> list[float]:
    """The mean number of errors of a client, and the highest."""
    counts = Counter(each.client for each in ended if each.error)
    return [
        statistics.fmean(counts[client] for client in range(clients)),
        max(counts.values(), default=0),
    ]


def main(options: dict[str, Any]) -> None:
    """Print the figures as JSON."""
    logging.disable()
    with running_cluster(standbys=0) as cluster:
        migrations.upgrade(Settings.model_validate({"database_url": cluster.primary.url}))
        done = asyncio.run(measure(cluster.primary, options))
    print(file=sys.stderr)
    print(json.dumps(done))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
