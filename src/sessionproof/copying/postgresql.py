"""The steps of a copy that differ for PostgreSQL."""

from collections.abc import Sequence

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Table,
    TableClause,
    create_engine,
    func,
    select,
    text,
)
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from .errors import CopyRefused, reason
from .layout import Layout
from .order import refers_back

_UNLIMITED = text(
    "SELECT set_config(name, '0', true) FROM pg_settings "
    "WHERE name IN ('statement_timeout', 'idle_in_transaction_session_timeout')"
)
_IDENTITY = text(
    "SELECT pg_postmaster_start_time(), oid FROM pg_database WHERE datname = current_database()"
)


def engine(url: URL) -> Engine:
    """Return a read-only engine, for projects whose own database is SQLite."""
    try:
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            poolclass=NullPool,
            isolation_level="REPEATABLE READ",
            query_cache_size=0,
        )
    except ImportError as error:
        raise CopyRefused(
            f"cannot read {url.set(query={})}: psycopg cannot be imported: {reason(error)}"
        ) from error
    return engine.execution_options(postgresql_readonly=True)


def set_up(connection: Connection) -> None:
    """Switch off the server's timeouts for this transaction."""
    connection.execute(_UNLIMITED)


def identity(connection: Connection) -> object:
    """Return a value that is equal for two connections only if they use the same database."""
    return connection.execute(_IDENTITY).one()


def prepare(session: Session, group: Sequence[Table]) -> Sequence[TableClause]:
    """Return the tables to insert into: the group's own, or temporary ones."""
    if not _is_staged(group):
        return [Layout(table).table for table in group]
    for number, table in enumerate(group):
        session.execute(
            text(
                f"CREATE TEMPORARY TABLE copying_{number} ON COMMIT DROP AS "
                f"SELECT {_columns(session, table)} FROM {_name(session, table)} WITH NO DATA"
            )
        )
    return [Layout(table).like(f"copying_{number}") for number, table in enumerate(group)]


def finish(session: Session, group: Sequence[Table]) -> None:
    """Move rows from temporary tables into the group's, and advance the tables' sequences."""
    if _is_staged(group):
        session.execute(text(_move(session, group)))
    for table in group:
        _count_on(session, table)


def _is_staged(group: Sequence[Table]) -> bool:
    """Return whether temporary tables are needed: for circular references or identity columns."""
    identities = [column.identity for table in group for column in table.columns]
    return refers_back(group) or any(each and each.always for each in identities)


def _move(session: Session, group: Sequence[Table]) -> str:
    """Return one statement for the group: the server checks foreign keys after the statement."""
    moves = [
        f"move_{number} AS (INSERT INTO {_name(session, table)} ({_columns(session, table)}) "
        f"OVERRIDING SYSTEM VALUE SELECT * FROM copying_{number})"
        for number, table in enumerate(group)
    ]
    return f"WITH {', '.join(moves)} SELECT 1"


def _count_on(session: Session, table: Table) -> None:
    """Set the table's sequences to the highest key."""
    for column in table.columns:
        if column.identity or column is table.autoincrement_column:
            counter = func.pg_get_serial_sequence(_name(session, table), column.name)
            highest = func.max(column)
            session.execute(select(func.setval(counter, highest)).having(highest > 0))


def _name(session: Session, table: Table) -> str:
    return session.get_bind().dialect.identifier_preparer.format_table(table)


def _columns(session: Session, table: Table) -> str:
    quote = session.get_bind().dialect.identifier_preparer.quote
    return ", ".join(map(quote, Layout(table).names))
