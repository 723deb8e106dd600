"""What only SQLite needs in a copy."""

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
    """An engine that only reads the file, in one transaction."""
    file = f"{Path(url.database or '').absolute().as_uri()}?mode=ro"
    engine = create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(file, uri=True, isolation_level=None),
        poolclass=NullPool,
        query_cache_size=0,
    )

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:  # the driver would begin none for a SELECT
        connection.exec_driver_sql("BEGIN")

    return engine


def set_up(connection: Connection) -> None:
    """Nothing to do here: SQLite does not limit how long a reader may take."""


def identity(connection: Connection) -> object:
    """What two connections have in common only if they lead to the same file."""
    file = Path(connection.exec_driver_sql("PRAGMA database_list").scalars(2).one()).stat()
    return file.st_dev, file.st_ino


def prepare(session: Session, group: Sequence[Table]) -> Sequence[TableClause]:
    """Where to insert the rows of each table; foreign keys are checked at the commit."""
    if refers_back(group):
        # SQLite obeys while it prepares this. The driver keeps what was prepared, and after an
        # interruption would not prepare it again: so no two are the same.
        session.execute(text(f"PRAGMA defer_foreign_keys = ON -- {uuid4()}"))
    return [Layout(table).table for table in group]


def finish(session: Session, group: Sequence[Table]) -> None:
    """Nothing to do here: SQLite counts up from the highest key."""
