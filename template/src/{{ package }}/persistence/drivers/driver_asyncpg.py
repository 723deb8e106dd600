"""asyncpg, PostgreSQL's driver for async code."""

import asyncio
import socket
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from importlib import import_module
from typing import Any, NoReturn
from urllib.parse import urlencode

from anyio import fail_after, move_on_after
from sqlalchemy import URL, Dialect, event
from sqlalchemy.dialects.postgresql.asyncpg import (
    AsyncAdapt_asyncpg_connection,
    AsyncAdapt_asyncpg_cursor,
    AsyncAdapt_asyncpg_ss_cursor,
)
from sqlalchemy.engine.interfaces import DBAPIConnection, ExceptionContext, ExecutionContext
from sqlalchemy.exc import DisconnectionError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.util.concurrency import await_, in_greenlet

from ..core.errors import DatabaseUnreachable
from ..core.interruption import finishing
from .columns import Filled
from .copyable import portions

asyncpg: Any = import_module("asyncpg")  # it has no types

NAME = "asyncpg"
DRIVER = "postgresql+asyncpg"

# Arguments for PgBouncer: no connection keeps a named prepared statement.
WITHOUT_NAMES: dict[str, object] = {
    "statement_cache_size": 0,  # asyncpg's
    "prepared_statement_cache_size": 0,  # SQLAlchemy's
}
# Ends a connection whose packets are lost: probes after so many seconds; and unanswered data, in ms.
KEEPALIVE = {
    "TCP_KEEPIDLE": 30,
    "TCP_KEEPINTVL": 10,
    "TCP_KEEPCNT": 3,
    "TCP_USER_TIMEOUT": 60_000,
}
PART = 500  # rows, which the server must have processed in the time for one answer
STALE = ("InvalidCachedStatementError", "OutdatedSchemaCacheError")

# The URL -------------------------------------------------------------------------------

# asyncpg treats these like libpq, but accepts them only in a URL.
TLS = (
    *("sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl"),
    *("sslpassword", "sslnegotiation", "ssl_min_protocol_version", "ssl_max_protocol_version"),
)
# asyncpg has other names for the first three, and does not support the last two.
RENAMED = ("application_name", "connect_timeout", "options", "channel_binding", "gssencmode")
KNOWN = {
    *("host", "port", *TLS, *RENAMED, "ssl", "target_session_attrs", "krbsrvname", "gsslib"),
    *("database", "user", "password", "passfile", "service", "servicefile"),
    "prepared_statement_cache_size",  # SQLAlchemy's
}
CHOICES = {"channel_binding": ("disable", "prefer"), "gssencmode": ("disable", "prefer")}
NO_FILES: tuple[str, ...] = ()  # values of parameters that otherwise name a file


def known_parameters() -> set[str]:
    """The parameters that a URL may have."""
    return KNOWN


def without_parameters(url: URL) -> tuple[URL, dict[str, object]]:
    """The URL without the parameters that asyncpg takes as arguments, and these arguments."""
    tls = {name: value for name, value in url.query.items() if name in TLS}
    hosts = url.host or str(url.query.get("host", ""))
    is_local = all(host.startswith("/") for host in hosts.split(","))  # no TLS there, as in libpq
    arguments = {"dsn": f"postgresql://?{urlencode(tls)}"} if tls and not is_local else {}
    return url.difference_update_query([*TLS, *RENAMED]), {**arguments}


def connecting(
    url: URL, *, name: str, seconds: int, options: str, server: Mapping[str, str]
) -> tuple[URL, dict[str, object]]:
    """The URL, and the driver's arguments; `server` has the server's settings."""
    url, arguments = without_parameters(url)
    given = {"application_name": name}
    if options:
        given["options"] = options
    if server:
        given |= {"jit": "off", **server}
    return url, arguments | {"timeout": seconds, "server_settings": given}


# Connections ---------------------------------------------------------------------------


def is_in_transaction(connection: Any) -> bool:
    """Whether the connection has a transaction, as far as the driver knows; sends nothing."""
    return bool(connection.driver_connection.is_in_transaction())


def in_hot_standby(connection: Any) -> str:
    """What the server said: `on` for a standby, `off`, or nothing if it is older than 14."""
    return getattr(connection.driver_connection.get_settings(), "in_hot_standby", "")


def require_open(connection: Any) -> None:
    """Raise an error if the server has closed the connection; sends nothing."""
    if connection.driver_connection.is_closed():
        raise ConnectionError


def require_idle(connection: Any) -> None:
    """Make the pool replace a connection that has a transaction: its COMMIT might save nothing."""
    if is_in_transaction(connection):
        raise DisconnectionError


def ask(connection: Any, query: str, through_pgbouncer: bool) -> Any:
    """The row of a query that runs outside of the connection's transaction, before or after it."""
    return connection.dbapi_connection.ask(query, through_pgbouncer)


async def _row(driver: Any, query: str, through_pgbouncer: bool) -> Any:
    if not through_pgbouncer:
        return await driver.fetchrow(query)
    async with driver.transaction():  # its two messages must reach the same server
        return await driver.fetchrow(query)


def limit_answers(connection: Any, seconds: float | None) -> None:
    """Close the connection if the server does not answer a call in this time."""
    connection.driver_connection.patience = seconds


def watch_connecting(dialect: Dialect, grace: float, patience: float | None = None) -> None:
    """Raise DatabaseUnreachable in place of other errors while connecting.

    Also let a cancellation wait until the driver has connected or closed: asyncpg would leak.
    """
    terminate = dialect.do_terminate
    dbapi: Any = dialect.loaded_dbapi

    def terminate_to_the_end(dbapi_connection: DBAPIConnection) -> None:
        if in_greenlet():
            finishing(lambda: terminate(dbapi_connection), grace=grace)
        else:  # a finalizer cannot wait
            terminate(dbapi_connection)

    @event.listens_for(dialect, "do_connect")
    def connect(dialect: Dialect, record: object, args: Any, kwargs: Any) -> Any:
        made = list[Any]()
        try:
            finishing(lambda: made.append(_connect(dialect, kwargs)), grace=grace)
        except (OSError, dbapi.Error) as error:
            raise DatabaseUnreachable(f"cannot connect to the database: {_said(error)}") from error
        except asyncio.CancelledError:
            for connection in made:
                terminate_to_the_end(connection)
            raise
        [connection] = made
        if connection.driver_connection.is_closed():  # the server closed it meanwhile
            raise DatabaseUnreachable("the database closed a connection right after it was opened")
        limit_answers(connection, patience)
        keep_alive(connection.driver_connection)
        return connection

    dialect.do_terminate = terminate_to_the_end  # type: ignore[method-assign]


def _connect(dialect: Dialect, arguments: dict[str, Any]) -> Any:
    """Connect to the first host that fits, each in the time for one: asyncpg limits all together."""
    hosts: list[str] | str | None = arguments.get("host")
    ports: list[int] = arguments.get("port", [])
    if not isinstance(hosts, list) or arguments.get("target_session_attrs") == "prefer-standby":
        return _open(dialect, arguments)
    dbapi: Any = dialect.loaded_dbapi
    failures: dict[str, Exception] = {}
    for host, port in zip(hosts, ports, strict=True):
        try:
            return _open(dialect, arguments | {"host": host, "port": port})
        except (OSError, dbapi.Error) as error:
            failures[f"{host}:{port}"] = error
    reasons = [f"{place}: {_said(error)}" for place, error in failures.items()]
    raise ConnectionError("; ".join(reasons)) from failures.popitem()[1]


def _open(dialect: Dialect, arguments: dict[str, Any]) -> Any:
    """Connect as SQLAlchemy's dialect does, but with classes that limit the time for answers."""
    names = {"prepared_statement_cache_size"} & arguments.keys()
    options = {name: int(arguments[name]) for name in names}  # SQLAlchemy's
    rest = {name: value for name, value in arguments.items() if name not in names}
    driver = asyncpg.connect(connection_class=Driver, **rest)
    return await_(LimitedConnection.create(dialect.loaded_dbapi, driver, **options))


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__  # a time-out says nothing


# Answers -------------------------------------------------------------------------------


class Driver(asyncpg.Connection):  # type: ignore[misc]
    """asyncpg's connection, which closes itself if the server does not answer in time.

    asyncpg's own limit, `command_timeout`, would connect again to cancel the statement, and leave
    this connection open.
    """

    patience: float | None = None  # seconds
    gave_up_after: float | None = None

    def give_up(self) -> None:
        """Close the connection without the server."""
        self.gave_up_after = self.patience
        self.terminate()


def keep_alive(driver: Any) -> None:
    """Let the system end the connection if packets are lost, as libpq does by its own parameters."""
    wire = driver._transport.get_extra_info("socket")
    if wire.family != getattr(socket, "AF_UNIX", None):
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in KEEPALIVE.items():
            if option := getattr(socket, name, None):  # not every system has all
                wire.setsockopt(socket.IPPROTO_TCP, option, value)


def limited(method: Callable[..., Any]) -> Callable[..., Any]:
    """Limit the time in which the server must answer this call of a connection or a cursor."""

    @wraps(method)
    def call(self: Any, *args: Any) -> Any:
        driver: Any = self._connection
        if driver.patience is None:
            return method(self, *args)
        timer = asyncio.get_running_loop().call_later(driver.patience, driver.give_up)
        try:
            return method(self, *args)
        except Exception as error:
            self._handle_exception(error)
        finally:
            timer.cancel()

    return call


class Cursor(AsyncAdapt_asyncpg_cursor):
    """SQLAlchemy's cursor, with a limit for answers."""

    __slots__ = ()

    execute = limited(AsyncAdapt_asyncpg_cursor.execute)
    send_many = limited(AsyncAdapt_asyncpg_cursor.executemany)

    def executemany(self, operation: Any, seq_of_parameters: Sequence[Any]) -> None:
        """Send the statement for many rows, in parts: the limit is for one answer."""
        for start in range(0, len(seq_of_parameters), PART):
            self.send_many(operation, seq_of_parameters[start : start + PART])

    @limited
    def copy(self, table: str, options: Mapping[str, Any]) -> None:
        """Send rows by COPY."""
        driver: Any = self._connection
        await_(driver.copy_records_to_table(table, **options))


class StreamingCursor(AsyncAdapt_asyncpg_ss_cursor):
    """SQLAlchemy's cursor of the server, with a limit for answers."""

    __slots__ = ()

    execute = limited(AsyncAdapt_asyncpg_ss_cursor.execute)
    fetchone = limited(AsyncAdapt_asyncpg_ss_cursor.fetchone)
    fetchmany = limited(AsyncAdapt_asyncpg_ss_cursor.fetchmany)
    fetchall = limited(AsyncAdapt_asyncpg_ss_cursor.fetchall)


class LimitedConnection(AsyncAdapt_asyncpg_connection):
    """SQLAlchemy's connection, with a limit for answers."""

    __slots__ = ()

    _cursor_cls = Cursor
    _ss_cursor_cls = StreamingCursor

    commit = limited(AsyncAdapt_asyncpg_connection.commit)
    rollback = limited(AsyncAdapt_asyncpg_connection.rollback)
    ping = limited(AsyncAdapt_asyncpg_connection.ping)

    @limited
    def ask(self, query: str, through_pgbouncer: bool) -> Any:
        """See the function `ask`."""
        return await_(_row(self._connection, query, through_pgbouncer))

    def close(self) -> None:
        """Say goodbye and close, as libpq does: asyncpg would wait for the server."""
        self.rollback()
        self._connection.terminate()

    def _handle_exception(self, error: Exception) -> NoReturn:
        driver: Any = self._connection
        if driver.gave_up_after is not None:
            error = asyncpg.ConnectionDoesNotExistError(
                f"the server did not answer in {driver.gave_up_after:g} seconds, so the connection was "
                "closed"
            )
        super()._handle_exception(error)


# Errors --------------------------------------------------------------------------------


def give_up_broken(dialect: Dialect) -> None:
    """Discard a connection that was cut during an operation: it may not look closed."""

    @event.listens_for(dialect, "handle_error")
    def lose(context: ExceptionContext) -> None:
        if type(context.original_exception.__cause__).__name__ == "InternalClientError":
            context.is_disconnect = True
            context.invalidate_pool_on_disconnect = False


def is_stale_plan(error: BaseException | None) -> bool:
    """Whether a prepared statement does not fit its tables any more, because a migration ran."""
    return error is not None and type(error.__cause__).__name__ in STALE


def violation(error: IntegrityError) -> tuple[str, str, str] | None:
    """The names of the violated constraint and its table, and the detail."""
    cause: Any = getattr(error.orig, "__cause__", None)
    if getattr(cause, "constraint_name", None) is None:
        return None
    return cause.constraint_name, cause.table_name, cause.detail or ""


# Many rows -----------------------------------------------------------------------------


def send_rows(cursor: Any, statement: str, filled: Filled, context: ExecutionContext) -> None:
    """Send the rows by COPY."""
    names = [column.name for column in filled.columns]
    where: dict[str, Any] = {"schema_name": filled.table.schema, "columns": names}
    try:
        for rows in portions(filled):
            cursor.copy(filled.table.name, {"records": rows, **where})
    except (ArithmeticError, TypeError, ValueError) as error:
        dbapi: Any = context.dialect.loaded_dbapi
        raise dbapi.Error(f"invalid input: {error}", error) from error
    except Exception as error:
        cursor._handle_exception(error)  # raises SQLAlchemy's error


# Listener -------------------------------------------------------------------------------


class Subscription:
    """LISTEN on one connection, whose server must answer in `patience` seconds."""

    def __init__(self, patience: float) -> None:
        self.driver: Any = None
        self._patience = patience
        self._arrived = asyncio.Event()
        self._payloads = set[str]()

    async def subscribe(self, connection: AsyncConnection, channel: str) -> None:
        """Listen on the channel."""
        raw = await connection.get_raw_connection()
        self.driver = raw.driver_connection
        with fail_after(self._patience):
            await self.driver.add_listener(channel, self._note)

    async def ping(self) -> None:
        """Raise an error if the server does not answer."""
        await self.driver.execute("SELECT 1", timeout=self._patience)

    async def payloads(self, seconds: float) -> frozenset[str]:
        """Those of the notifications that come in this time. Raises an error if there is no connection."""
        with move_on_after(seconds):
            await self._arrived.wait()
        if self.driver.is_closed():
            raise ConnectionError("the server has closed the connection")
        self._arrived.clear()
        arrived = frozenset(self._payloads)
        self._payloads.clear()
        return arrived

    def _note(self, _: object, process: int, channel: str, payload: str) -> None:
        self._payloads.add(payload)
        self._arrived.set()
