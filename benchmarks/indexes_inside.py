"""Run in a rendered project: measure units beside a migration, and kill migrations.

`python indexes_inside.py ROWS KILLS WAY...` prints the figures as JSON.
"""

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import text
from task_queue.persistence import Database
from task_queue.settings import Settings
from task_queue.unit_of_work import UnitOfWork
from tests.kit.postgresql import own_server
from tests.persistence.test_online import MIGRATING, PROGRAM, Revisions

Units = Database[UnitOfWork]

QUIET = 15  # seconds of the run without a migration
READ_EVERY, WRITE_EVERY = 0.05, 0.1  # seconds
TABLE = """
op.execute("CREATE TABLE shelf (id BIGINT PRIMARY KEY, place TEXT, number INT) WITH (fillfactor = 90)")
op.execute("INSERT INTO shelf SELECT n, md5(n::text), 0 FROM generate_series(1, {rows}) AS n")
"""
CONCURRENTLY = """
with op.get_context().autocommit_block():
    op.create_index("ix_shelf", "shelf", ["place"], postgresql_concurrently=True)
"""
PLAIN = 'op.create_index("ix_shelf", "shelf", ["place"])'
COLUMN = 'op.add_column("shelf", sa.Column("colour", sa.Text()))'
UNDO = (
    "DROP INDEX IF EXISTS ix_shelf",
    "ALTER TABLE shelf DROP COLUMN IF EXISTS colour",
    "UPDATE alembic_version SET version_num = 'r1'",
)
STEPS = {
    "concurrently": CONCURRENTLY,
    "plain": PLAIN,
    "short": COLUMN,
    "long": COLUMN,
}
STATE = "SELECT indisvalid FROM pg_index WHERE indrelid = 'shelf'::regclass AND NOT indisprimary"


def main(rows: str, kills: str, *ways: str) -> None:
    """Print the figures."""
    with own_server() as server, TemporaryDirectory() as folder:
        settings = Settings.model_validate({"database_url": server.url})
        revisions = {way: Revisions(Path(folder) / way, settings) for way in STEPS}
        for way, each in revisions.items():
            each.folder.mkdir()
            each.write(TABLE.format(rows=rows), STEPS[way])
        first = revisions["concurrently"]
        first.upgrade("r1")
        first.execute("ANALYZE shelf")
        found = {
            way: asyncio.run(beside(revisions.get(way), settings, int(rows), way)) for way in ways
        }
        completed = sum(is_completed(first, number) for number in range(int(kills)))
    print(json.dumps({"ways": found, "killed": int(kills), "completed": completed}))


async def beside(
    revisions: Revisions | None, settings: Settings, rows: int, way: str
) -> dict[str, Any]:
    """Measure units while the migration runs in another process."""
    if revisions:
        for statement in UNDO:
            await asyncio.to_thread(revisions.execute, statement)
    async with Database(settings, UnitOfWork) as database, asyncio.TaskGroup() as group:
        is_over = asyncio.Event()
        times: list[float] = []
        failed: list[Exception] = []
        for work, every in ((read, READ_EVERY), (write, WRITE_EVERY)):
            group.create_task(load(database, rows, work, every, is_over, times, failed))
        await asyncio.sleep(2)  # warm
        times.clear()
        began = time.monotonic()
        if way in ("short", "long"):
            group.create_task(hold(database))
            await asyncio.sleep(1)
        if revisions:
            await migrate(revisions, "2" if way == "short" else "10")
        else:
            await asyncio.sleep(QUIET)
        seconds = time.monotonic() - began
        is_over.set()
    times.sort()
    return {
        "seconds": round(seconds, 1),
        "units": len(times),
        "p50": round(times[len(times) // 2] * 1000, 1),
        "p99": round(times[len(times) * 99 // 100] * 1000, 1),
        "longest": round(times[-1] * 1000, 1),
        "failed": len(failed),
    }


async def load(
    database: Units,
    rows: int,
    work: Callable[[Units, int], Awaitable[None]],
    every: float,
    is_over: asyncio.Event,
    times: list[float],
    failed: list[Exception],
) -> None:
    """Start a unit at each step of a clock, and note how long after that it was done."""

    async def timed(due: float) -> None:
        try:
            await work(database, random.randint(1, rows))
        except Exception as error:
            failed.append(error)
        times.append(time.monotonic() - due)

    due = time.monotonic()
    async with asyncio.TaskGroup() as group:
        while not is_over.is_set():
            group.create_task(timed(due))
            due += every
            await asyncio.sleep(max(0, due - time.monotonic()))


async def read(database: Units, key: int) -> None:
    async with database.unit_of_work(read_only=True) as uow:
        await uow.session.execute(text("SELECT number FROM shelf WHERE id = :key"), {"key": key})


async def write(database: Units, key: int) -> None:
    async with database.unit_of_work() as uow:
        await uow.session.execute(
            text("UPDATE shelf SET number = number + 1 WHERE id = :key"), {"key": key}
        )


async def hold(database: Units) -> None:
    """A transaction of 15 seconds that has read the table."""
    async with database.unit_of_work(read_only=True) as uow:
        await uow.session.execute(text("SELECT number FROM shelf WHERE id = 1"))
        await asyncio.sleep(15)


def start(revisions: Revisions, lock_timeout: str = "2") -> subprocess.Popen[bytes]:
    url = revisions.settings.database_url.render_as_string(hide_password=False)
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(revisions.folder), url],
        env=os.environ | {"DATABASE_MIGRATION_LOCK_TIMEOUT": lock_timeout},
    )


async def migrate(revisions: Revisions, lock_timeout: str) -> None:
    process = start(revisions, lock_timeout)
    if code := await asyncio.to_thread(process.wait):
        raise RuntimeError(f"the migration ended with {code}")


def is_completed(revisions: Revisions, number: int) -> bool:
    """Kill the migration, or end its connection, at a random time; then run it again."""
    for statement in UNDO:
        revisions.execute(statement)
    process = start(revisions)
    while process.poll() is None and not revisions.look(MIGRATING):
        time.sleep(0.01)
    time.sleep(random.uniform(0, 4))
    process.kill()
    process.wait()
    if (
        number % 2
    ):  # else the server goes on until it notices, and the next migration waits for that
        revisions.look(MIGRATING.replace("pid", "pg_terminate_backend(pid, 5000)"))
    before = revisions.look(STATE)
    revisions.upgrade()
    after = (revisions.look(STATE), revisions.current())
    print(number, "left", before, "completed", after, file=sys.stderr)
    return after == ([True], ["r2"])


if __name__ == "__main__":
    main(*sys.argv[1:])
