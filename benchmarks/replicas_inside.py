"""Read own writes with a delayed standby, inside a rendered project; `replicas.py` starts this program.

It is written for async. The sync program is the same text without `async` and `await`.
"""

import asyncio
import json
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any

from task_queue.persistence import Database, migrations
from task_queue.settings import Settings
from task_queue.tasks.model import Task
from task_queue.unit_of_work import UnitOfWork, open_database
from tests.kit.concurrency import at_once
from tests.persistence.cluster import Cluster, running_cluster

PERIOD = 4.0  # seconds between two writes of a client, on average


async def measure(cluster: Cluster, options: dict[str, Any]) -> dict[str, Any]:
    """The costs in µs, and the counts of reads with and without a token."""
    async with open_database(settings_of(cluster, replicated=True)) as database:
        figures: dict[str, Any] = {"µs": await costs(database, cluster, options["pairs"])}
        cluster.standbys[0].delay(options["delay"])
        for name in ("with", "without"):
            clients = [Client(database, name == "with") for _ in range(options["clients"])]
            each = options[f"reads_{name}"] // len(clients)
            await at_once(*(partial(client.work, each) for client in clients))
            figures[name] = Counter[str]()
            for client in clients:
                figures[name].update(client.counts)
    return figures


def settings_of(cluster: Cluster, *, replicated: bool) -> Settings:
    urls = [standby.url for standby in cluster.standbys] if replicated else []
    given = {"database_url": cluster.primary.url, "database_replica_urls": urls}
    return Settings.model_validate(given | {"database_read_from": "replica"})


class Client:
    """Writes to a row of its own now and then, and reads it all the time."""

    def __init__(self, database: Database[UnitOfWork], uses_token: bool) -> None:
        self.database = database
        self.uses_token = uses_token
        self.counts = Counter[str]()

    async def work(self, reads: int) -> None:
        async with self.database.unit_of_work() as uow:
            task = await uow.tasks.add(Task(title="0"))
        key, written, token, next_write = task.id, 0, uow.token, time.monotonic()
        for _ in range(reads):
            if time.monotonic() >= next_write:
                written += 1
                token = await write(self.database, key, str(written))
                next_write = time.monotonic() + random.uniform(0, 2 * PERIOD)
            look = self.database.run(read_only=True, after=token if self.uses_token else None)(show)
            replica, title = await look(key)
            self.counts["reads"] += 1
            self.counts["by replicas"] += replica is not None
            self.counts["stale"] += title is None or int(title) < written


async def show(uow: UnitOfWork, key: int) -> tuple[str | None, str | None]:
    task = await uow.session.get(Task, key)
    return uow.replica, task.title if task else None


async def write(database: Database[UnitOfWork], key: int, title: str) -> str | None:
    async with database.unit_of_work() as uow:
        task = await uow.tasks.get(key)
        task.title = title
    return uow.token


async def read(database: Database[UnitOfWork], key: int, **options: Any) -> None:
    async with database.unit_of_work(read_only=True, **options) as uow:
        await uow.session.get(Task, key)


async def costs(
    database: Database[UnitOfWork], cluster: Cluster, pairs: int
) -> dict[str, Sequence[float]]:
    """The medians of units that take turns, and their quartiles, in µs."""
    taken: dict[str, list[float]] = {}

    def note(name: str, began: float) -> None:
        taken.setdefault(name, []).append((time.perf_counter() - began) * 1e6)

    async with open_database(settings_of(cluster, replicated=False)) as alone:
        async with alone.unit_of_work() as uow:
            task = await uow.tasks.add(Task(title="0"))
        for number in range(pairs):
            began = time.perf_counter()
            await write(alone, task.id, f"{number}")
            note("write without a token", began)
            began = time.perf_counter()
            token = await write(database, task.id, f"{number}!")
            note("write with a token", began)
            began = time.perf_counter()
            await read(alone, task.id)
            note("read from the primary", began)
            began = time.perf_counter()
            await read(database, task.id)
            note("read from a replica", began)
            began = time.perf_counter()
            await read(database, task.id, after=token)
            note("read from a replica after a token", began)
    return {name: statistics.quantiles(times, n=4) for name, times in taken.items()}


def main(options: dict[str, Any]) -> None:
    """Print the figures as JSON."""
    with running_cluster() as cluster:
        migrations.upgrade(settings_of(cluster, replicated=False))
        done = asyncio.run(measure(cluster, options))
    print(json.dumps(done))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
