"""psycopg, PostgreSQL's driver for sync code."""

import time
from collections.abc import Mapping
from typing import Any, TypeVar

import psycopg
from psycopg import sql
from psycopg.abc import PQGen
from sqlalchemy import URL, Connection, Dialect, event
from sqlalchemy.engine.interfaces import ExceptionContext, ExecutionContext
from sqlalchemy.exc import DisconnectionError, IntegrityError

from ..core.errors import DatabaseUnreachable
from .columns import Filled
from .copyable import TYPES, portions, type_name

T = TypeVar("T")

NAME = "libpq"
DRIVER = "postgresql+psycopg"

# Arguments for PgBouncer: no connection keeps a named prepared statement.
WITHOUT_NAMES: dict[str, object] = {"prepare_threshold": None}

# Ends a connection whose packets are lost: probes after so many seconds; and unanswered data, in ms.
KEEPALIVE = {
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}

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
    keepalive = {key: url.query.get(key, value) for key, value in KEEPALIVE.items()}
    given = {"application_name": name, "connect_timeout": seconds, "options": options}
    return url, {**keepalive, **given}


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


def limit_answers(connection: Any, seconds: float | None) -> None:
    """Close the connection if the server does not answer a call in this time."""
    connection.patience = seconds


class LimitedConnection(psycopg.Connection[Any]):
    """psycopg's connection, which closes itself if the server is silent for too long."""

    patience: float | None = None  # seconds

    def wait(self, gen: PQGen[T], *args: Any, **options: Any) -> T:
        """Wait until the server has answered."""
        limited = gen if self.patience is None else self._limited(gen, self.patience)
        return super().wait(limited, *args, **options)

    def _limited(self, gen: PQGen[T], patience: float) -> PQGen[T]:
        """The steps of `gen`; psycopg asks for the next one when data comes, and every 0.1 seconds."""
        ends = time.monotonic() + patience
        try:
            wanted = next(gen)
            while True:
                if ready := (yield wanted):
                    ends = time.monotonic() + patience
                elif time.monotonic() > ends:
                    break
                wanted = gen.send(ready)
        except StopIteration as end:
            result: T = end.value
            return result
        self.pgconn.finish()  # close() would refuse this inside of a pipeline
        raise psycopg.OperationalError(
            f"the server did not answer in {patience:g} seconds, so the connection was closed"
        )


def watch_connecting(dialect: Dialect, _: float, patience: float | None = None) -> None:
    """Raise DatabaseUnreachable in place of other errors while connecting."""

    @event.listens_for(dialect, "do_connect")
    def connect(dialect: Dialect, record: object, args: Any, kwargs: Any) -> Any:
        try:
            connection = LimitedConnection.connect(*args, **kwargs)
        except psycopg.OperationalError as error:
            reason = " ".join(str(error).split())  # the failures of all hosts, each in lines
            raise DatabaseUnreachable(f"cannot connect to the database: {reason}") from error
        limit_answers(connection, patience)
        return connection


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
    """LISTEN on one connection, whose server must answer in `patience` seconds."""

    def __init__(self, patience: float) -> None:
        self.driver: Any = None
        self._patience = patience

    def subscribe(self, connection: Connection, channel: str) -> None:
        """Listen on the channel."""
        self.driver = connection.connection.driver_connection
        limit_answers(self.driver, self._patience)
        self.driver.autocommit = True
        self.driver.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))

    def ping(self) -> None:
        """Raise an error if the server does not answer."""
        self.driver.execute("SELECT 1")

    def payloads(self, seconds: float) -> frozenset[str]:
        """Those of the notifications that come in this time. Raises an error if there is no connection."""
        notices = self.driver.notifies(timeout=seconds, stop_after=1)
        return frozenset(notice.payload for notice in notices)
