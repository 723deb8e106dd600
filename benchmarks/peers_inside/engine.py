"""The engine of every way that has SQLAlchemy's: what people have, with the file's settings."""

from typing import Any

from sqlalchemy import URL, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

PRAGMAS = ("journal_mode = wal", "synchronous = normal", "foreign_keys = on")
PATIENT = {"connect_args": {"timeout": 60}}  # a run is not to end because one writer was unlucky


class OnEngine:
    """A way with an engine, which connects by itself."""

    engine: AsyncEngine

    async def open(self) -> None:
        """Nothing to do."""

    async def close(self) -> None:
        await self.engine.dispose()


def make_engine(url: URL) -> AsyncEngine:
    """With SQLAlchemy's own pool and its own transactions."""
    if url.get_backend_name() != "sqlite":
        return create_async_engine(url)
    engine = create_async_engine(url, **PATIENT)
    listen(engine)
    return engine


def listen(engine: AsyncEngine) -> None:
    """Have every new connection set up."""
    event.listen(getattr(engine, "sync_engine", engine), "connect", set_up)


async def total(result: Any) -> int:
    """The sum of the quantities, taken part by part."""
    quantities = 0
    async for part in result.partitions():
        quantities += sum(each.quantity for each in part)
    return quantities


def set_up(connection: DBAPIConnection, record: object) -> None:
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
