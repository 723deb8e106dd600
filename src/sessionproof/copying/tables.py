"""Copy the tables that are empty, and compare all tables with the source.

A table is copied in one unit of work, together with the tables that refer to it and that it refers
to. So a table holds all rows or none, even if the process dies. The next copy compares the tables
that have rows, and continues with the others.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from sqlalchemy import MetaData, Table, TableClause, insert, select
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import Session

from .comparison import Comparison, CopiedTable, Report, Rows
from .errors import CopyRefused, reason
from .layout import UNCACHED, Layout
from .order import groups
from .source import Source, kind, reading, revisions
from .target import Target, in_its_mode, opened


def copy(
    source_url: str, kernel: Any, settings: Any, metadata: MetaData, report: Report
) -> Sequence[CopiedTable]:
    """Copy every table of `metadata` into the database of the project's settings.

    `kernel` is the project's package `persistence`. Raises its DatabaseError. Raises CopyRefused if
    the source cannot be read, if a table already holds other rows, or if it cannot hold the same
    values. Tables that were copied before the error stay.
    """

    def work() -> Sequence[CopiedTable]:
        with opened(kernel, settings) as target, reading(source_url, kernel, settings) as source:
            target.require_current_schema()
            return copy_tables(source, target, metadata, report)

    return in_its_mode(kernel, work)


def copy_tables(
    source: Source, target: Target, metadata: MetaData, report: Report
) -> Sequence[CopiedTable]:
    """Like `copy`, with an open source and an open target."""
    done = target.run(partial(_compare_what_is_there, source, metadata, report), read_only=True)
    for group in groups(metadata):
        if group[0].fullname not in done:
            with _naming(group):
                copied = target.run(partial(_copy_group, source, group, report))
            done |= {table.table: table for table in copied}
    return list(done.values())


def _compare_what_is_there(
    source: Source, metadata: MetaData, report: Report, session: Session
) -> dict[str, CopiedTable]:
    """Return the tables that an earlier run copied. Raises CopyRefused if other rows are there."""
    _require_another(source, session)
    _require_same_revisions(source, session)
    there = dict[str, CopiedTable]()
    for group in groups(metadata):
        if any(session.scalar(select(select(table).exists())) for table in group):
            for table in group:
                with _naming([table]):
                    there[table.fullname] = _compare(session, source, table, report)
    return there


def _require_another(source: Source, session: Session) -> None:
    connections = session.connection(), source.connection
    ours, theirs = (kind(connection).identity(connection) for connection in connections)
    if ours == theirs:
        raise CopyRefused(
            f"{source.name} is this project's own database; name the database to copy from"
        )


def _require_same_revisions(source: Source, session: Session) -> None:
    """Compare the revisions of both databases; the target is already known to match the code."""
    ours, theirs = revisions(session.connection()), revisions(source.connection)
    if ours != theirs:
        raise CopyRefused(
            f"{source.name} is at {theirs or 'no revision'}, but this code needs {ours or 'none'}; "
            "run `db upgrade` first in the project that uses it"
        )


def _compare(session: Session, source: Source, table: Table, report: Report) -> CopiedTable:
    comparison = Comparison(session, source, table, report)
    comparison.read_source()
    return comparison.conclude(was_there=True)


def _copy_group(
    source: Source, group: Sequence[Table], report: Report, session: Session
) -> Sequence[CopiedTable]:
    """Copy the rows of a group of tables, and read them back."""
    here = kind(session.connection())
    comparisons = [Comparison(session, source, table, report) for table in group]
    for comparison, place in zip(comparisons, here.prepare(session, group), strict=True):
        comparison.read_source(partial(_insert, session, comparison.layout, place))
    here.finish(session, group)
    return [comparison.conclude(was_there=False) for comparison in comparisons]


def _insert(session: Session, layout: Layout, place: TableClause, rows: Rows) -> None:
    values = [layout.values(row) for row in rows]
    session.execute(insert(place), values, execution_options=UNCACHED)


@contextmanager
def _naming(group: Sequence[Table]) -> Generator[None]:
    """Raises CopyRefused with the tables' names if a value cannot be inserted."""
    try:
        yield
    except (StatementError, LookupError, TypeError, ValueError) as error:
        names = ", ".join(table.fullname for table in group)
        raise CopyRefused(
            f"{names} cannot be copied: {reason(error)}; the transaction was rolled back"
        ) from error
