"""aiosqlite, SQLite's driver for async code. Each connection has a thread.

The thread runs one call after the other, and a call cannot be stopped.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, suppress
from typing import Any

from sqlalchemy import Dialect, event
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_cursor,
    SQLiteExecutionContext_aiosqlite,
)
from sqlalchemy.engine.interfaces import ExceptionContext
from sqlalchemy.pool import ConnectionPoolEntry, NullPool, Pool
from sqlalchemy.util.concurrency import await_

from ..core.interruption import finishing
from .engine import CountingPool

DRIVER = "sqlite+aiosqlite"

Answer = tuple[Any, Sequence[Any]]

# Connections ---------------------------------------------------------------------------


class ConnectingToTheEnd(Pool):
    """A pool in which a cancellation waits until a connection is complete."""

    def _create_connection(self) -> ConnectionPoolEntry:
        made = list[ConnectionPoolEntry]()
        create = super()._create_connection
        try:
            finishing(lambda: made.append(create()))
        except BaseException:
            for connection in made:  # the task that needed it was cancelled
                finishing(connection.close)
            raise
        return made[0]


class DriverPool(ConnectingToTheEnd, CountingPool):
    """A pool for units of work."""


class SinglePool(ConnectingToTheEnd, NullPool):
    """A pool that keeps no connections: for migrations and listeners."""


def begin(statement: str, connection: Any) -> None:
    """Begin a transaction."""
    await_(connection.driver_connection.execute(statement))


def roll_back(dbapi_connection: Any) -> None:
    """Roll back if there is a transaction; a cancellation waits."""
    if dbapi_connection.driver_connection.in_transaction:
        with suppress(asyncio.CancelledError):  # the unit raises it afterwards
            finishing(dbapi_connection.rollback)


def close(driver: Any) -> None:
    """Close a connection that the child of a fork inherited, which has no thread in the child."""
    driver._conn.close()


def keep_interrupted(dialect: Dialect, *, stop: bool) -> None:
    """Keep the connection of a statement that was interrupted, and wait for its thread.

    Closing the connection during a statement, as for a server, would leave the file locked. `stop`
    ends the statement early, for read-only units: stopping a write rolls back its transaction, and
    later changes would be saved alone.
    """

    @event.listens_for(dialect, "handle_error")
    def keep(context: ExceptionContext) -> None:
        if context.connection is None or isinstance(context.original_exception, Exception):
            return
        context.is_disconnect = False
        if driver := context.connection.connection.driver_connection:
            if stop:
                await_(driver.interrupt())
            _wait_until_idle(driver)


def _wait_until_idle(driver: Any) -> None:
    """Wait until the driver's thread is idle."""
    with suppress(asyncio.CancelledError):  # the unit raises it afterwards
        finishing(lambda: await_(driver.cursor()))


# Statements ----------------------------------------------------------------------------


class Cursor(AsyncAdapt_aiosqlite_cursor):
    """A cursor that makes one trip to the thread, and returns with all rows.

    SQLAlchemy's own cursor makes four: to be created, to execute, to fetch and to be closed. A trip
    costs more than SQLite needs for a row, and a task that is cancelled between two trips leaves
    unread rows, which keep the file locked.
    """

    __slots__ = ()

    def _make_new_cursor(self, connection: Any) -> Any:
        """Return None: the thread creates the cursor with the first statement."""

    def _aenter_cursor(self, cursor: Any) -> Any:
        return cursor

    async def _execute_async(self, operation: Any, parameters: Any) -> None:
        await self._ask(_execute, operation, parameters or ())

    async def _executemany_async(self, operation: Any, seq_of_parameters: Any) -> None:
        await self._ask(_execute_many, operation, seq_of_parameters)

    async def _ask(self, work: Callable[..., Answer], *arguments: Any) -> None:
        driver: Any = self._connection
        self._cursor, rows = await driver._execute(work, driver._conn, *arguments)
        self._rows = deque(rows)

    async def _async_soft_close(self) -> None:
        """Do nothing: the thread has closed it, and its columns are still known."""

    def close(self) -> None:
        """Forget the rows."""
        self._rows.clear()


class ExecutionContext(SQLiteExecutionContext_aiosqlite):
    """Makes SQLAlchemy use `Cursor`."""

    def create_default_cursor(self) -> Any:
        """The cursor that executes the statement."""
        connection: Any = self._dbapi_connection.dbapi_connection
        return Cursor(connection)


def _execute(connection: Any, statement: str, parameters: Sequence[Any]) -> Answer:
    with closing(connection.cursor()) as cursor:
        cursor.execute(statement, parameters)
        return cursor, cursor.fetchall() if cursor.description else ()


def _execute_many(connection: Any, statement: str, rows: Iterable[Sequence[Any]]) -> Answer:
    with closing(connection.cursor()) as cursor:
        cursor.executemany(statement, rows)
        return cursor, ()
