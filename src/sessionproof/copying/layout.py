"""A table as it is copied: its columns with their types, and nothing that makes values by itself."""

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import JSON, Column, Row, Select, Table
from sqlalchemy.types import TypeDecorator, TypeEngine

BATCH = 1000  # rows, which are in memory at the same time
# A type of the team's may not say whether SQLAlchemy can keep statements with it for later.
UNCACHED: Mapping[str, Any] = {"compiled_cache": None}


class Layout:
    """The stored columns of a table; what the database computes is left to it."""

    def __init__(self, table: Table) -> None:
        self.name = table.fullname
        columns = [column for column in table.columns if column.computed is None]
        self.names = [column.name for column in columns]
        self._columns = [sa.column(column.name, _stored(column)) for column in columns]
        self._json = [column for column in self._columns if isinstance(column.type, JSON)]
        self.table = self.like(table.name, table.schema)

    def like(self, name: str, schema: str | None = None) -> sa.TableClause:
        """A table of these columns."""
        columns = [sa.column(column.name, column.type) for column in self._columns]
        return sa.table(name, *columns, schema=schema)

    def rows(self) -> Select[Any]:
        """Every value, and for JSON whether there is one: SQL's NULL and JSON's both read as None."""
        columns = self.table.columns
        absent = [columns[column.name].is_(sa.null()) for column in self._json]
        return sa.select(*columns, *absent).execution_options(yield_per=BATCH)

    def values(self, row: Row[Any]) -> dict[str, object]:
        """A row of `rows()`, to be inserted."""
        values: dict[str, object] = dict(zip(self.names, row, strict=False))
        absent: Sequence[bool] = row[len(self.names) :]
        for column, is_absent in zip(self._json, absent, strict=True):
            if is_absent:
                values[column.name] = sa.null()
        return values


def _stored(column: Column[Any]) -> TypeEngine[Any]:
    """The column's type; of one that is made of JSON the JSON, for only that tells its NULLs apart."""
    kind = column.type
    if isinstance(kind, TypeDecorator) and isinstance(kind.impl_instance, JSON):
        return kind.impl_instance
    return kind
