"""Keyset pages: one costs the same however deep it is, and none skips or repeats a row."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import GenericAlias
from typing import Any, Generic, TypeVar, cast

from pydantic import TypeAdapter
from sqlalchemy import UnaryExpression, bindparam, inspect, tuple_
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute
from sqlalchemy.sql import operators

from ._errors import InvalidCursor
from ._types import Int64, Str

T = TypeVar("T")

# A cursor may come from anybody, and no database is asked for what it cannot hold.
_HELD: dict[type, Any] = {int: Int64, str: Str}

Order = InstrumentedAttribute[Any] | UnaryExpression[Any]
Place = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows, and the cursor of the page after them: None on the last one."""

    items: Sequence[T]
    next: str | None


class Keyset:
    """An order in which no two rows are equal: a column, then the primary key."""

    def __init__(
        self, model: type[DeclarativeBase], first: str | None, *, descending: bool
    ) -> None:
        """`first` is the column's attribute; the primary key follows its direction."""
        mapper = inspect(model)
        keys = [mapper.get_property_by_column(column).key for column in mapper.primary_key]
        self.names = tuple(dict.fromkeys([first, *keys] if first else keys))
        self._parameters = [f"keyset_{name}" for name in self.names]
        columns = [mapper.columns[name] for name in self.names]
        kinds = [column.type.python_type for column in columns]
        held = GenericAlias(tuple, tuple(_HELD.get(kind, kind) for kind in kinds))
        self._adapter = TypeAdapter[Any](cast("Any", held))
        here = tuple_(*columns)
        place = tuple_(
            *(
                bindparam(name, type_=column.type)
                for name, column in zip(self._parameters, columns, strict=True)
            )
        )
        self.order = [column.desc() if descending else column.asc() for column in columns]
        self.rest = here < place if descending else here > place

    def place(self, values: Sequence[Any]) -> Place:
        """The parameters of `rest`, from the values of `names`."""
        return dict(zip(self._parameters, values, strict=True))

    def cursor(self, values: Sequence[Any]) -> str:
        """The same as text that is safe in a URL."""
        plain = self._adapter.dump_python(values, mode="json")
        return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode()

    def place_of(self, cursor: str) -> Place:
        """Raises InvalidCursor."""
        try:
            values = self._adapter.validate_python(json.loads(base64.urlsafe_b64decode(cursor)))
        except (ValueError, TypeError, RecursionError) as error:
            raise InvalidCursor(
                f"cursor must come from a page in the same order, got {cursor!r}"
            ) from error
        return self.place(values)


# Slow to make, and few: a model is read in one of few orders.
_keyset = lru_cache(Keyset)


def keyset_of(model: type[DeclarativeBase], order_by: Order | None = None) -> Keyset:
    """`order_by` is a column of `model` or its `.desc()`.

    Raises ValueError for a column that may be null: null is neither before nor after a value.
    """
    descending = getattr(order_by, "modifier", None) is operators.desc_op
    first = None if order_by is None else _name(model, order_by)
    return _keyset(model, first, descending=descending)


def _name(model: type[DeclarativeBase], order_by: Order) -> str:
    """The attribute that `order_by` is about."""
    element = order_by.element if isinstance(order_by, UnaryExpression) else order_by.expression
    for name, column in inspect(model).columns.items():
        if column.shares_lineage(element):
            if column.nullable or column.type.python_type is object:
                raise ValueError(
                    f"pages cannot be ordered by {column}: "
                    "it may be null, or its type does not say its python_type"
                )
            return name
    raise ValueError(f"{model.__name__} has no column {element} to order by")
