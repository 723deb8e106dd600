"""aiosqlite, SQLite's driver for async code: each connection has a thread of its own.

The thread works on one thing after the other, and cannot be stopped half-way.
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
    """A pool that connects in one piece."""

    def _create_connection(self) -> ConnectionPoolEntry:
        made = list[ConnectionPoolEntry]()
        create = super()._create_connection
        try:
            finishing(lambda: made.append(create()))
        except BaseException:
            for connection in made:  # the task that asked for it has been cancelled
                finishing(connection.close)
            raise
        return made[0]


class DriverPool(ConnectingToTheEnd, CountingPool):
    """A pool for units of work."""


class SinglePool(ConnectingToTheEnd, NullPool):
    """A pool that keeps nothing: for migrations and listeners."""


def begin(statement: str, connection: Any) -> None:
    """Begin a transaction."""
    await_(connection.driver_connection.execute(statement))


def roll_back(dbapi_connection: Any) -> None:
    """Roll back to the end, if there is a transaction."""
    if dbapi_connection.driver_connection.in_transaction:
        with suppress(asyncio.CancelledError):  # one is on its way already
            finishing(dbapi_connection.rollback)


def close(driver: Any) -> None:
    """Close what the child of a fork has inherited: its thread is not there."""
    driver._conn.close()


def keep_interrupted(dialect: Dialect, *, stop: bool) -> None:
    """Keep the connection of a statement that was interrupted, and wait for its thread.

    To close the connection under it, as for a server, would leave the file locked. A unit that
    only reads can `stop` the statement: a write that is stopped takes its transaction with it, and
    what follows would be saved alone.
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
    """Wait for what the driver's thread is doing."""
    with suppress(asyncio.CancelledError):  # one is on its way already
        finishing(lambda: await_(driver.cursor()))


# Statements ----------------------------------------------------------------------------


class Cursor(AsyncAdapt_aiosqlite_cursor):
    """SQLAlchemy's cursor, which has all rows as soon as the statement has run.

    SQLAlchemy's own goes to the thread to be made, to execute, to fetch and to be closed. To wait
    for a thread costs more than SQLite does for a row, and a task that is cancelled between two of
    these trips leaves rows unread, which keep the file locked.
    """

    __slots__ = ()

    def _make_new_cursor(self, connection: Any) -> Any:
        """None: the thread makes it when there is a statement."""

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
        """Nothing: it is closed, and tells of its columns all the same."""

    def close(self) -> None:
        """Forget the rows."""
        self._rows.clear()


class ExecutionContext(SQLiteExecutionContext_aiosqlite):
    """A statement whose cursor makes one trip to the thread, which answers with everything."""

    def create_default_cursor(self) -> Any:
        """The cursor that the statement is executed by."""
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
