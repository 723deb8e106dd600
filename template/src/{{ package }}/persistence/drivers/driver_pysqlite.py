"""pysqlite, the standard library's SQLite driver, for sync code."""

from typing import Any

from sqlalchemy import Dialect, event
from sqlalchemy.dialects.sqlite.base import SQLiteExecutionContext
from sqlalchemy.engine.interfaces import ExceptionContext
from sqlalchemy.pool import NullPool

from .engine import CountingPool

DRIVER = "sqlite+pysqlite"

DriverPool = CountingPool
SinglePool = NullPool  # keeps no connections: for migrations and listeners
ExecutionContext = SQLiteExecutionContext


def begin(statement: str, connection: Any) -> None:
    """Begin a transaction."""
    connection.driver_connection.execute(statement)


def roll_back(dbapi_connection: Any) -> None:
    """Roll back, if there is a transaction."""
    dbapi_connection.rollback()


def close(driver: Any) -> None:
    """Close a connection that the child of a fork inherited."""
    driver.close()


def keep_interrupted(dialect: Dialect, *, stop: bool) -> None:
    """Keep the connection of a statement that was interrupted.

    Closing it while rows are unread, as for a server, would leave the file locked.
    """

    @event.listens_for(dialect, "handle_error")
    def keep(context: ExceptionContext) -> None:
        if context.connection is None or isinstance(context.original_exception, Exception):
            return
        context.is_disconnect = False
