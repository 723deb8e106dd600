"""Keyset pages: one costs the same however deep it is, and none skips or repeats a row."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter
from sqlalchemy import Select, UnaryExpression, inspect, literal, tuple_
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute
from sqlalchemy.sql import operators

from ._errors import InvalidCursor
from ._types import Int64, Str

M = TypeVar("M", bound=DeclarativeBase)

# A cursor may come from anybody, and no database is asked for what it cannot hold.
_HELD: dict[type, Any] = {int: Int64, str: Str}

Order = InstrumentedAttribute[Any] | UnaryExpression[Any]


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """Some rows, and the cursor of the page after them: None on the last one."""

    items: Sequence[M]
    next: str | None


class Keyset(Generic[M]):
    """An order in which no two rows are equal: a column, then the primary key."""

    def __init__(self, model: type[M], order_by: Order | None = None) -> None:
        """`order_by` is a column of `model` or its `.desc()`; the primary key follows its direction.

        Raises ValueError for a column that may be null: null is neither before nor after a value.
        """
        self._mapper = inspect(model)
        self._descending = getattr(order_by, "modifier", None) is operators.desc_op
        self._names = [
            self._mapper.get_property_by_column(column).key for column in self._mapper.primary_key
        ]
        if order_by is not None:
            first = self._name(order_by)
            self._names = [first, *(name for name in self._names if name != first)]
        self._columns = [self._mapper.columns[name] for name in self._names]
        kinds = [column.type.python_type for column in self._columns]
        self._adapters = [TypeAdapter[Any](_HELD.get(kind, kind)) for kind in kinds]

    def after(self, statement: Select[M], cursor: str | None) -> Select[M]:
        """`statement` in this order, from the row after the cursor on. Raises InvalidCursor."""
        order = [column.desc() if self._descending else column.asc() for column in self._columns]
        statement = statement.order_by(*order)
        if cursor is None:
            return statement
        here = tuple_(*self._columns)
        there = tuple_(*self._decode(cursor))
        return statement.where(here < there if self._descending else here > there)

    def cursor(self, row: M) -> str:
        """The place of `row` in this order, as text that is safe in a URL."""
        values = [
            adapter.dump_python(getattr(row, name), mode="json")
            for adapter, name in zip(self._adapters, self._names, strict=True)
        ]
        return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()

    def _decode(self, cursor: str) -> Sequence[Any]:
        try:
            values = json.loads(base64.urlsafe_b64decode(cursor))
            return [
                literal(adapter.validate_python(value), column.type)
                for adapter, value, column in zip(
                    self._adapters, values, self._columns, strict=True
                )
            ]
        except (ValueError, TypeError, RecursionError) as error:
            raise InvalidCursor(
                f"cursor must come from a page in the same order, got {cursor!r}"
            ) from error

    def _name(self, order_by: Order) -> str:
        """The attribute that `order_by` is about."""
        element = order_by.element if isinstance(order_by, UnaryExpression) else order_by.expression
        for name, column in self._mapper.columns.items():
            if column.shares_lineage(element):
                if column.nullable or column.type.python_type is object:
                    raise ValueError(
                        f"pages cannot be ordered by {column}: "
                        "it may be null, or its type does not say its python_type"
                    )
                return name
        raise ValueError(f"{self._mapper.class_.__name__} has no column {element} to order by")
