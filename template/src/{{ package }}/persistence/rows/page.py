"""Keyset pages: a deep page costs as much as the first, and no page skips or repeats a row."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from types import GenericAlias
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AllowInfNan, ConfigDict, NaiveDatetime, TypeAdapter
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    ColumnElement,
    Dialect,
    Float,
    Integer,
    UnaryExpression,
    bindparam,
    cast,
    inspect,
    tuple_,
)
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute
from sqlalchemy.sql import operators
from sqlalchemy.types import TypeEngine

from ..core.errors import InvalidCursor
from ..core.types import Datetime, Int64, Str
from ..core.values import can_hold

T = TypeVar("T")

# A client can send any cursor, so its values are checked before they reach the database.
_HELD: dict[type, Any] = {int: Int64, str: Str, Decimal: Annotated[Decimal, AllowInfNan()]}
# By default, Pydantic's JSON holds only bytes that are UTF-8, and writes NaN and infinity as null.
_AS_TEXT = ConfigDict(
    ser_json_bytes="base64", val_json_bytes="base64", ser_json_inf_nan="constants"
)

Order = InstrumentedAttribute[Any] | UnaryExpression[Any]
Place = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """The rows of one page, and the cursor of the next page: None on the last one."""

    items: Sequence[T]
    next: str | None


class Keyset:
    """A total order: one column, then the primary key."""

    def __init__(
        self, model: type[DeclarativeBase], first: str | None, *, descending: bool
    ) -> None:
        """`first` is the column's attribute; the primary key follows its direction."""
        mapper = inspect(model)
        keys = [mapper.get_property_by_column(column).key for column in mapper.primary_key]
        self.names = tuple(dict.fromkeys([first, *keys] if first else keys))
        self._parameters = [f"keyset_{name}" for name in self.names]
        columns = [mapper.columns[name] for name in self.names]
        self._kinds = [_kind(column) for column in columns]
        held: Any = GenericAlias(tuple, tuple(_held(column.type) for column in columns))
        self._adapter = TypeAdapter[Any](held, config=_AS_TEXT)
        here = tuple_(*columns)
        place = tuple_(*map(_parameter, self._parameters, columns))
        self.order = [column.desc() if descending else column.asc() for column in columns]
        self.rest = here < place if descending else here > place

    def place(self, values: Sequence[Any]) -> Place:
        """The parameters of the condition `rest`, from the values of `names`."""
        return dict(zip(self._parameters, values, strict=True))

    def cursor(self, values: Sequence[Any]) -> str:
        """The values as text that is safe in a URL."""
        return base64.urlsafe_b64encode(self._adapter.dump_json(values)).decode()

    def place_of(self, cursor: str, dialect: Dialect) -> Place:
        """The parameters of `rest`, from a cursor. Raises InvalidCursor."""
        try:
            values = self._adapter.validate_json(base64.urlsafe_b64decode(cursor))
            for kind, value in zip(self._kinds, values, strict=True):
                if not can_hold(kind, dialect)(value):
                    raise ValueError(value)
        except ValueError as error:
            raise InvalidCursor(
                f"cursor must come from a page in the same order, got {cursor!r}"
            ) from error
        return self.place(values)


# A keyset is slow to build, and a model is read in few orders.
_keyset = lru_cache(Keyset)


def keyset_of(model: type[DeclarativeBase], order_by: Order | None = None) -> Keyset:
    """The keyset of a column of `model`, or of its `.desc()`.

    Raises ValueError for another expression, and for a column that can be null: null is neither
    before nor after a value.
    """
    descending = is_descending(order_by)
    first = None if order_by is None else _name(model, order_by)
    return _keyset(model, first, descending=descending)


def is_descending(order: object) -> bool:
    """Whether it is the `.desc()` of an expression."""
    return getattr(order, "modifier", None) is operators.desc_op


def _name(model: type[DeclarativeBase], order_by: Order) -> str:
    """The attribute that `order_by` names."""
    element = order_by.element if isinstance(order_by, UnaryExpression) else order_by.expression
    for name, column in inspect(model).columns.items():
        if column.shares_lineage(element):
            if reason := _no_order(column):
                raise ValueError(
                    f"pages of {model.__name__} cannot be ordered by {name}, {reason}; "
                    "order by another column, or use list(order_by=…)"
                )
            return name
    raise ValueError(
        f"pages of {model.__name__} must be ordered by one of its columns or its .desc(), "
        f"got {element}; list(order_by=…) takes any expression"
    )


def _no_order(column: ColumnElement[Any]) -> str:
    """Why pages cannot be ordered by the column; empty if they can."""
    if not isinstance(column, Column):
        return "which is computed and may be null"
    if column.nullable:
        return "which may be null"
    kind: TypeEngine[Any] = column.type
    if isinstance(kind, ARRAY) or kind.python_type is object:
        return f"whose type {kind!r} has no order, or does not define python_type"
    return ""


def _held(kind: TypeEngine[Any]) -> Any:
    """The type of the column's values in a cursor."""
    if kind.python_type is datetime:
        return Datetime if getattr(kind, "timezone", False) else NaiveDatetime
    return _HELD.get(kind.python_type, kind.python_type)


def _parameter(name: str, column: ColumnElement[Any]) -> ColumnElement[Any]:
    """A parameter to compare with the column. Its type is wider, so every number has a place."""
    kind = _kind(column)
    value = bindparam(name, type_=kind)
    return cast(value, kind) if isinstance(kind, Float) else value  # a REAL has fewer digits


def _kind(column: ColumnElement[Any]) -> TypeEngine[Any]:
    kind: TypeEngine[Any] = column.type
    return BigInteger() if isinstance(kind, Integer) else kind
