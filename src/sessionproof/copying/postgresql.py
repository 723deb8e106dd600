"""What only PostgreSQL needs in a copy."""

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
    """An engine that only reads the database, for projects whose own driver is SQLite's."""
    try:
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            poolclass=NullPool,
            isolation_level="REPEATABLE READ",
            query_cache_size=0,
        )
    except ImportError as error:
        raise CopyRefused(
            f"cannot read {url.set(query={})}: the driver psycopg is missing: {reason(error)}"
        ) from error
    return engine.execution_options(postgresql_readonly=True)


def set_up(connection: Connection) -> None:
    """Let this transaction wait for the other database as long as that takes."""
    connection.execute(_UNLIMITED)


def identity(connection: Connection) -> object:
    """What two connections have in common only if they lead to the same database."""
    return connection.execute(_IDENTITY).one()


def prepare(session: Session, group: Sequence[Table]) -> Sequence[TableClause]:
    """Where to insert the rows of each table: into it, or into a temporary one beside it."""
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
    """Move what was inserted beside the tables into them, and set what hands out their keys."""
    if _is_staged(group):
        session.execute(text(_move(session, group)))
    for table in group:
        _count_on(session, table)


def _is_staged(group: Sequence[Table]) -> bool:
    """Whether rows refer to each other, or have keys that only the server may hand out."""
    identities = [column.identity for table in group for column in table.columns]
    return refers_back(group) or any(each and each.always for each in identities)


def _move(session: Session, group: Sequence[Table]) -> str:
    """One statement for the whole group: the server checks foreign keys at a statement's end."""
    moves = [
        f"move_{number} AS (INSERT INTO {_name(session, table)} ({_columns(session, table)}) "
        f"OVERRIDING SYSTEM VALUE SELECT * FROM copying_{number})"
        for number, table in enumerate(group)
    ]
    return f"WITH {', '.join(moves)} SELECT 1"


def _count_on(session: Session, table: Table) -> None:
    """Let the next key come after the highest one."""
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
