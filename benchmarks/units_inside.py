"""Measure one unit of work inside a rendered project; `units.py` starts this program.

It is written for async. The sync program is the same text without `async` and `await`.
"""

import asyncio
import gc
import itertools
import json
import sys
import time
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, Protocol

from instructions import Instructions
from sqlalchemy import URL, Connection, event, insert, select
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from task_queue.persistence import Database, migrations
from task_queue.settings import Settings
from task_queue.tasks.model import Task
from task_queue.unit_of_work import UnitOfWork, open_database

ROWS = 100
MANY = 1000
BLOCK = 100  # units of one way in a turn
SMALL_BLOCK = 5  # for cases with many rows
CASES = {
    "insert": BLOCK,
    "get": BLOCK,
    "get_autocommit": BLOCK,
    "change": BLOCK,
    "page": BLOCK,
    "add_many": SMALL_BLOCK,
    "stream": SMALL_BLOCK,
}
PAGE = select(Task).order_by(Task.id).limit(ROWS)
SOME = select(Task).where(Task.id <= MANY)

numbers = itertools.count()


class Way(Protocol):
    """One way to do the operations that are compared."""

    async def insert(self, number: int) -> None: ...
    async def get(self, number: int) -> None: ...
    async def get_autocommit(self, number: int) -> None: ...
    async def change(self, number: int) -> None: ...
    async def add_many(self, number: int) -> None: ...
    async def page(self, number: int) -> None: ...
    async def stream(self, number: int) -> None: ...


class Engines(NamedTuple):
    """An engine for writing and an engine for reading, as in the project."""

    writing: AsyncEngine
    reading: AsyncEngine


class Plain:
    """Plain SQLAlchemy: the reference for the other ways."""

    def __init__(self, writing: AsyncEngine, reading: AsyncEngine) -> None:
        self.writing = async_sessionmaker(writing, expire_on_commit=False)
        self.reading = async_sessionmaker(reading, expire_on_commit=False)

    async def insert(self, number: int) -> None:
        async with self.writing.begin() as session:
            session.add(Task(title=f"task {number}"))

    async def get(self, number: int) -> None:
        async with self.reading.begin() as session:
            await session.get_one(Task, key(number))

    get_autocommit = get

    async def change(self, number: int) -> None:
        async with self.writing.begin() as session:
            task = await session.get_one(Task, key(number))
            task.title = f"task {number}"

    async def add_many(self, number: int) -> None:
        async with self.writing.begin() as session:
            await session.execute(insert(Task), rows())

    async def page(self, number: int) -> None:
        async with self.reading.begin() as session:
            found = await session.scalars(PAGE)
            found.all()

    async def stream(self, number: int) -> None:
        async with self.reading.begin() as session:
            async for _ in await session.stream_scalars(SOME):
                pass


class Session:
    """A unit of work, used through its session."""

    def __init__(self, database: Database[UnitOfWork]) -> None:
        self.database = database

    async def insert(self, number: int) -> None:
        async with self.database.unit_of_work() as uow:
            uow.session.add(Task(title=f"task {number}"))

    async def get(self, number: int) -> None:
        async with self.database.unit_of_work(read_only=True) as uow:
            await uow.session.get_one(Task, key(number))

    async def get_autocommit(self, number: int) -> None:
        async with self.database.unit_of_work(read_only=True, isolation="autocommit") as uow:
            await uow.session.get_one(Task, key(number))

    async def change(self, number: int) -> None:
        async with self.database.unit_of_work() as uow:
            task = await uow.session.get_one(Task, key(number))
            task.title = f"task {number}"

    async def add_many(self, number: int) -> None:
        async with self.database.unit_of_work() as uow:
            await uow.session.execute(insert(Task), rows())

    async def page(self, number: int) -> None:
        async with self.database.unit_of_work(read_only=True) as uow:
            found = await uow.session.scalars(PAGE)
            found.all()

    async def stream(self, number: int) -> None:
        async with self.database.unit_of_work(read_only=True) as uow:
            async for _ in await uow.session.stream_scalars(SOME):
                pass


class Repository:
    """A unit of work, used through its repository."""

    def __init__(self, database: Database[UnitOfWork]) -> None:
        self.database = database

    async def insert(self, number: int) -> None:
        async with self.database.unit_of_work() as uow:
            await uow.tasks.add(Task(title=f"task {number}"))

    async def get(self, number: int) -> None:
        async with self.database.unit_of_work(read_only=True) as uow:
            await uow.tasks.get(key(number))

    async def get_autocommit(self, number: int) -> None:
        async with self.database.unit_of_work(read_only=True, isolation="autocommit") as uow:
            await uow.tasks.get(key(number))

    async def change(self, number: int) -> None:
        async with self.database.unit_of_work() as uow:
            task = await uow.tasks.get(key(number))
            task.title = f"task {number}"

    async def add_many(self, number: int) -> None:
        async with self.database.unit_of_work() as uow:
            await uow.tasks.add_many(rows())

    async def page(self, number: int) -> None:
        async with self.database.unit_of_work(read_only=True) as uow:
            await uow.tasks.page(limit=ROWS)

    async def stream(self, number: int) -> None:
        async with self.database.unit_of_work(read_only=True) as uow:
            async for _ in uow.tasks.stream(Task.id <= MANY):
                pass


def key(number: int) -> int:
    return number % ROWS + 1


def rows() -> list[dict[str, object]]:
    return [{"title": f"task {number}"} for number in range(MANY)]


def dialect(settings: Settings) -> Any:
    """Return the kernel's module for the database."""
    return import_module(
        f"task_queue.persistence.drivers.dialect_{settings.database_url.drivername}"
    )


def plain_engines(settings: Settings) -> Engines:
    """Create engines that do the same work as the kernel's, without its guards.

    Driver, pool, connection settings and BEGIN are the kernel's; SQLite's BEGIN uses the event of
    SQLAlchemy's documentation. So the price of the guards on the kernel's engines is part of the
    measured cost of a unit.
    """
    kernel = dialect(settings)
    if settings.database_url.drivername == "postgresql":
        url, arguments = kernel._connecting(settings, kernel.server_settings(settings))
        engine = create_async_engine(
            url,
            pool_size=settings.database_pool_size,
            max_overflow=0,
            pool_pre_ping=True,
            connect_args=arguments,
        )
        return Engines(engine, engine.execution_options(postgresql_readonly=True))
    pragmas = [f"PRAGMA {name}={value}" for name, value in kernel.PRAGMAS.items()]
    return Engines(
        plain_sqlite(settings, 1, pragmas, "BEGIN IMMEDIATE"),
        plain_sqlite(settings, settings.database_pool_size, [*pragmas, "PRAGMA query_only=1"]),
    )


def plain_sqlite(
    settings: Settings, pool_size: int, pragmas: list[str], begin: str = "BEGIN"
) -> AsyncEngine:
    engine = create_async_engine(
        settings.database_url.set(drivername=dialect(settings).DRIVER),
        pool_size=pool_size,
        max_overflow=0,
        connect_args={"timeout": settings.database_busy_timeout},
    )
    listened = getattr(engine, "sync_engine", engine)

    @event.listens_for(listened, "connect")
    def set_up(connection: DBAPIConnection, record: object) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(listened, "begin")
    def do_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


@contextmanager
def migrated_database() -> Generator[Settings]:
    """Create a database with the project's schema; yield its settings."""
    with TemporaryDirectory() as folder, new_url(Path(folder)) as url:
        settings = Settings.model_validate({"database_url": url})
        migrations.upgrade(settings)
        yield settings


@contextmanager
def new_url(folder: Path) -> Generator[str | URL]:
    if Settings().database_url.drivername == "sqlite":
        yield f"sqlite:///{folder / 'units.db'}"
        return
    from tests.kit.postgresql import create_database, own_server

    with own_server() as server:  # it waits for the disk, unlike the tests' server
        url = server.url.set(database="benchmark_units")
        create_database(url)
        yield url


async def measure(settings: Settings, rounds: int) -> dict[str, dict[str, list[list[float]]]]:
    """Return, by case and way, the µs per unit of each round: on the clock and of CPU."""
    async with open_ways(settings) as ways:
        return {case: await measure_case(ways, case, rounds) for case in CASES}


async def count(settings: Settings) -> dict[str, dict[str, int]]:
    """Return, by case and way, the instructions of one unit, after others have filled the caches."""
    async with open_ways(settings) as ways:
        return {
            case: {name: await count_instructions(ways[name], case) for name in ways}
            for case in CASES
        }


@asynccontextmanager
async def open_ways(settings: Settings) -> AsyncIterator[dict[str, Way]]:
    """Open every way on the same database, which contains some rows."""
    engines = [*plain_engines(settings), *dialect(settings).open_engines(settings).all()]
    try:
        async with open_database(settings) as database:
            ways: dict[str, Way] = {
                "plain": Plain(*engines[:2]),
                "engines": Plain(*engines[2:4]),
                "session": Session(database),
                "repository": Repository(database),
            }
            await ways["plain"].add_many(0)
            yield ways
    finally:
        for engine in set(engines):
            await engine.dispose()


async def count_instructions(way: Way, case: str) -> int:
    unit = getattr(way, case)
    for number in range(3):
        await unit(number)
    with Instructions() as instructions:
        await unit(0)
    return instructions.count


async def measure_case(
    ways: dict[str, Way], case: str, rounds: int
) -> dict[str, list[list[float]]]:
    """Measure in rounds; each begins with another way. Round 0 is a warm-up."""
    figures: dict[str, list[list[float]]] = {name: [] for name in ways}
    names = list(ways)
    for done in range(rounds + 1):
        for name in names:
            figure = await run_block(ways[name], case)
            if done:
                figures[name].append(figure)
        names = [*names[1:], names[0]]
        print(f"\r{case}: round {done} of {rounds}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return figures


async def run_block(way: Way, case: str) -> list[float]:
    """Return the µs per unit: on the clock, and of CPU in all threads of this process."""
    unit, units = getattr(way, case), CASES[case]
    gc.collect()
    gc.disable()
    wall, cpu = time.perf_counter(), time.process_time()
    for number in itertools.islice(numbers, units):
        await unit(number)
    figure = [time.perf_counter() - wall, time.process_time() - cpu]
    gc.enable()
    return [seconds / units * 1e6 for seconds in figure]


def main(rounds: int) -> None:
    """Print the figures as JSON. OpenTelemetry is off, because it is an optional extra."""
    sys.modules["opentelemetry"] = None  # type: ignore[assignment]
    with migrated_database() as settings:
        if rounds:
            print(json.dumps(asyncio.run(measure(settings, rounds))))
        else:
            print(json.dumps(asyncio.run(count(settings))))


if __name__ == "__main__":
    main(int(sys.argv[1]))
