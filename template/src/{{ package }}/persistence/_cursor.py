"""A statement is one trip to the thread of the driver, which answers with everything.

SQLAlchemy's cursor goes there to be made, to execute, to fetch and to be closed. To wait for a
thread costs more than SQLite does for a row, and who is cancelled between two of these trips
leaves rows unread, which keep the file locked.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from typing import Any

from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_cursor,
    SQLiteExecutionContext_aiosqlite,
)

Answer = tuple[Any, Sequence[Any]]


class Cursor(AsyncAdapt_aiosqlite_cursor):
    """SQLAlchemy's cursor, which has all rows as soon as the statement has run."""

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


class OneTrip(SQLiteExecutionContext_aiosqlite):
    """A statement with a cursor of ours."""

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
