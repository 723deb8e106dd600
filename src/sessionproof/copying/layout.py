"""The columns of a table that are copied, with their types and without defaults."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import JSON, Column, Row, Select, Table
from sqlalchemy.types import TypeDecorator, TypeEngine

BATCH = 1000  # rows that are in memory at the same time
# A team's own type may not declare whether SQLAlchemy can cache statements that use it.
UNCACHED: Mapping[str, Any] = {"compiled_cache": None}


class Layout:
    """The stored columns of a table, without the columns that the database computes."""

    def __init__(self, table: Table) -> None:
        self.name = table.fullname
        columns = [column for column in table.columns if column.computed is None]
        self.names = [column.name for column in columns]
        self._columns = [sa.column(column.name, _stored(column)) for column in columns]
        self._json = [column for column in self._columns if isinstance(column.type, JSON)]
        self.table = self.like(table.name, table.schema)

    def like(self, name: str, schema: str | None = None) -> sa.TableClause:
        """Return a table with this name and these columns."""
        columns = [sa.column(column.name, column.type) for column in self._columns]
        return sa.table(name, *columns, schema=schema)

    def rows(self) -> Select[Any]:
        """Select every column, and `IS NULL` of JSON columns: both SQL and JSON null read as None."""
        columns = self.table.columns
        absent = [columns[column.name].is_(sa.null()) for column in self._json]
        return sa.select(*columns, *absent).execution_options(yield_per=BATCH)

    def values(self, row: Row[Any]) -> dict[str, object]:
        """Return the values to insert for a row of `rows()`."""
        values: dict[str, object] = dict(zip(self.names, row, strict=False))
        absent: Sequence[bool] = row[len(self.names) :]
        for column, is_absent in zip(self._json, absent, strict=True):
            if is_absent:
                values[column.name] = sa.null()
        return values


def _stored(column: Column[Any]) -> TypeEngine[Any]:
    """Return the column's type, or JSON for a type decorator of JSON: it tells both nulls apart."""
    kind = column.type
    if isinstance(kind, TypeDecorator) and isinstance(kind.impl_instance, JSON):
        return kind.impl_instance
    return kind
