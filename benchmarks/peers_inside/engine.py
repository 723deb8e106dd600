"""The engine of every way that uses SQLAlchemy: its defaults, with the same PRAGMAs."""

from typing import Any

from sqlalchemy import URL, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

PRAGMAS = ("journal_mode = wal", "synchronous = normal", "foreign_keys = on")
LONG_TIMEOUT = {
    "connect_args": {"timeout": 60}
}  # so that a run does not end because one writer waited long


class OnEngine:
    """A way with an engine, which connects when it is used."""

    engine: AsyncEngine

    async def open(self) -> None:
        """Do nothing."""

    async def close(self) -> None:
        await self.engine.dispose()


def make_engine(url: URL) -> AsyncEngine:
    """Create an engine with SQLAlchemy's default pool and transactions."""
    if url.get_backend_name() != "sqlite":
        return create_async_engine(url)
    engine = create_async_engine(url, **LONG_TIMEOUT)
    listen(engine)
    return engine


def listen(engine: AsyncEngine) -> None:
    """Set up every new connection."""
    event.listen(getattr(engine, "sync_engine", engine), "connect", set_up)


async def total(result: Any) -> int:
    """Return the sum of the quantities, read in partitions."""
    quantities = 0
    async for part in result.partitions():
        quantities += sum(each.quantity for each in part)
    return quantities


def set_up(connection: DBAPIConnection, record: object) -> None:
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
