"""The same small test with each kind of fixture; `testing.py` runs it in a rendered project.

It is written for async. The sync program is the same text without `async` and `await`.
"""

import os
from collections.abc import AsyncIterator
from importlib import import_module
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from task_queue.persistence import Database
from task_queue.settings import Settings
from task_queue.tasks.model import Task
from task_queue.unit_of_work import UnitOfWork, metadata


def dialect(settings: Settings) -> Any:
    """Return the kernel's module for the database."""
    return import_module(
        f"task_queue.persistence.drivers.dialect_{settings.database_url.drivername}"
    )


each = pytest.mark.parametrize("number", range(int(os.environ["TESTS"])))


@pytest.fixture(scope="session")
async def engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    """The kernel's engine, so that a recipe is not slower only because of another engine."""
    engines = dialect(settings).open_engines(settings)
    yield engines.writing
    for engine in set(engines.all()):
        await engine.dispose()


@pytest.fixture
async def session(engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
    """The usual recipe: an outer transaction, in which each commit is a savepoint."""
    async with engine.connect() as connection:
        transaction = await connection.begin()
        async with AsyncSession(connection, join_transaction_mode="create_savepoint") as session:
            yield session
        await transaction.rollback()


@pytest.fixture
async def recreated(empty_database: Settings) -> AsyncIterator[Database[UnitOfWork]]:
    """A database whose tables are created before each test and dropped after it."""
    engine = dialect(empty_database).migration_engine(empty_database)
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    async with Database(empty_database, UnitOfWork) as database:
        yield database
    async with engine.begin() as connection:
        await connection.run_sync(metadata.drop_all)
    await engine.dispose()


@each
async def test_empty(number: int) -> None:
    assert number >= 0


@each
async def test_uow(number: int, uow: UnitOfWork) -> None:
    await uow.tasks.add(Task(title=f"task {number}"))


@each
async def test_recipe(number: int, session: AsyncSession) -> None:
    session.add(Task(title=f"task {number}"))
    await session.flush()


@each
async def test_database(number: int, database: Database[UnitOfWork]) -> None:
    async with database.unit_of_work() as uow:
        await uow.tasks.add(Task(title=f"task {number}"))


@each
async def test_recreate(number: int, recreated: Database[UnitOfWork]) -> None:
    async with recreated.unit_of_work() as uow:
        await uow.tasks.add(Task(title=f"task {number}"))
