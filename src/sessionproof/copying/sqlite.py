"""The steps of a copy that differ for SQLite."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from sqlalchemy import URL, Connection, Engine, Table, TableClause, create_engine, event, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from .layout import Layout
from .order import refers_back


def engine(url: URL) -> Engine:
    """Return a read-only engine for the file."""
    file = f"{Path(url.database or '').absolute().as_uri()}?mode=ro"
    engine = create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(file, uri=True, isolation_level=None),
        poolclass=NullPool,
        query_cache_size=0,
    )

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:  # the driver begins no transaction for a SELECT
        connection.exec_driver_sql("BEGIN")

    return engine


def set_up(connection: Connection) -> None:
    """Do nothing: SQLite has no timeouts for readers."""


def identity(connection: Connection) -> object:
    """Return a value that is equal for two connections only if they use the same file."""
    file = Path(connection.exec_driver_sql("PRAGMA database_list").scalars(2).one()).stat()
    return file.st_dev, file.st_ino


def prepare(session: Session, group: Sequence[Table]) -> Sequence[TableClause]:
    """Return the tables to insert into; foreign keys are checked at the commit."""
    if refers_back(group):
        # SQLite executes this PRAGMA while it prepares the statement. The driver caches prepared
        # statements and would not prepare an equal one again, so every statement is unique.
        session.execute(text(f"PRAGMA defer_foreign_keys = ON -- {uuid4()}"))
    return [Layout(table).table for table in group]


def finish(session: Session, group: Sequence[Table]) -> None:
    """Do nothing: SQLite's next key follows the highest key."""
