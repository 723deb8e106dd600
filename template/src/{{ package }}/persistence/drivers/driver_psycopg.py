"""psycopg, PostgreSQL's driver for sync code."""

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import URL, Connection, Dialect, event
from sqlalchemy.engine.interfaces import ExceptionContext, ExecutionContext
from sqlalchemy.exc import DisconnectionError, IntegrityError

from ..core.errors import DatabaseUnreachable
from .columns import Filled
from .copyable import TYPES, portions, type_name

NAME = "libpq"
DRIVER = "postgresql+psycopg"

# Arguments for PgBouncer: no connection keeps a named prepared statement.
WITHOUT_NAMES: dict[str, object] = {"prepare_threshold": None}

# The URL -------------------------------------------------------------------------------

CHOICES = {
    "channel_binding": ("disable", "prefer", "require"),
    "gssencmode": ("disable", "prefer", "require"),
}
NO_FILES = ("system",)  # values of parameters that otherwise name a file


def known_parameters() -> set[str]:
    """The parameters that a URL may have."""
    from psycopg.pq import Conninfo  # imported here, because most URLs have no parameters

    return {option.keyword.decode() for option in Conninfo.get_defaults()}


def connecting(
    url: URL, *, name: str, seconds: int, options: str, server: Mapping[str, str]
) -> tuple[URL, dict[str, object]]:
    """The URL, and the driver's arguments; `server` has the server's settings."""
    options = " ".join([options, *(f"-c {name}={value}" for name, value in server.items())])
    return url, {"application_name": name, "connect_timeout": seconds, "options": options}


# Connections ---------------------------------------------------------------------------


def is_in_transaction(connection: Any) -> bool:
    """Whether the connection has a transaction, as far as the driver knows; sends nothing."""
    return bool(connection.pgconn.transaction_status)  # IDLE is 0


def in_hot_standby(connection: Any) -> str:
    """What the server said: `on` for a standby, `off`, or nothing if it is older than 14."""
    said: bytes | None = connection.pgconn.parameter_status(b"in_hot_standby")
    return (said or b"").decode()


def require_open(connection: Any) -> None:
    """Raise an error if the server has closed the connection; sends nothing."""
    connection.pgconn.consume_input()  # the server's last message
    connection.pgconn.consume_input()  # the end of the stream


def require_idle(connection: Any) -> None:
    """Make the pool replace a connection that has a transaction: its COMMIT might save nothing."""
    if connection.pgconn.transaction_status or connection.pgconn.pipeline_status:  # IDLE, OFF: 0
        raise DisconnectionError


def ask(connection: Any, query: str, _: bool) -> Any:
    """The row of a query that runs outside of the connection's transaction, before or after it."""
    driver = connection.driver_connection
    before, driver.autocommit = driver.autocommit, True
    row = driver.execute(query).fetchone()
    driver.autocommit = before
    return row


def watch_connecting(dialect: Dialect, _: float) -> None:
    """Raise DatabaseUnreachable in place of other errors while connecting."""

    @event.listens_for(dialect, "do_connect")
    def connect(dialect: Dialect, record: object, args: Any, kwargs: Any) -> Any:
        try:
            return dialect.connect(*args, **kwargs)
        except psycopg.OperationalError as error:
            reason = " ".join(str(error).split())  # the failures of all hosts, each in lines
            raise DatabaseUnreachable(f"cannot connect to the database: {reason}") from error


# Errors --------------------------------------------------------------------------------


def give_up_broken(dialect: Dialect) -> None:
    """Discard a connection with a stale plan: psycopg forgets plans on rollback only."""

    @event.listens_for(dialect, "handle_error")
    def drop(context: ExceptionContext) -> None:
        if is_stale_plan(context.original_exception):
            context.is_disconnect = True
            context.invalidate_pool_on_disconnect = False


def is_stale_plan(error: BaseException | None) -> bool:
    """Whether a prepared statement does not fit its tables any more, because a migration ran."""
    return (
        isinstance(error, psycopg.errors.FeatureNotSupported)
        and error.diag.source_function == "RevalidateCachedQuery"
    )


def violation(error: IntegrityError) -> tuple[str, str, str] | None:
    """The names of the violated constraint and its table, and the detail."""
    cause: Any = error.orig
    diag = cause.diag
    if diag.constraint_name is None:
        return None
    return diag.constraint_name, diag.table_name, diag.message_detail or ""


# Many rows -----------------------------------------------------------------------------


def send_rows(cursor: Any, statement: str, filled: Filled, context: ExecutionContext) -> None:
    """Send the rows by COPY."""
    types = [TYPES[type_name(column, context.dialect)][0] for column in filled.columns]
    for rows in portions(filled):
        with cursor.copy(_copy(filled)) as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)


def _copy(filled: Filled) -> sql.Composed:
    """The statement, without SQLAlchemy's doubled percent signs."""
    name = [part for part in (filled.table.schema, filled.table.name) if part]
    columns = [sql.Identifier(column.name) for column in filled.columns]
    return sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
        sql.Identifier(*name), sql.SQL(", ").join(columns)
    )


# Listener -------------------------------------------------------------------------------


class Subscription:
    """LISTEN on one connection."""

    def __init__(self) -> None:
        self.driver: Any = None

    def subscribe(self, connection: Connection, channel: str) -> None:
        """Listen on the channel."""
        self.driver = connection.connection.driver_connection
        self.driver.autocommit = True
        self.driver.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))

    def has_arrived(self, seconds: float) -> bool:
        """Whether a notification comes in this time. Raises an error if the connection was lost."""
        return bool(list(self.driver.notifies(timeout=seconds, stop_after=1)))
