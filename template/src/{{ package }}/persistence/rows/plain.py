"""The objects that a query makes of rows: models, or plain objects of the caller's class."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import fields, is_dataclass
from functools import lru_cache, partial
from itertools import starmap
from types import GenericAlias
from typing import Any, cast

from pydantic import BaseModel, TypeAdapter
from sqlalchemy import Result, Select, inspect
from sqlalchemy.orm import DeclarativeBase

Make = Callable[[Sequence[Sequence[Any]]], Sequence[Any]]


class Models:
    """Makes models, which the session tracks."""

    batch_size = 1000  # of a stream, in memory

    def __init__(self, key: tuple[str, ...]) -> None:
        self._key = key

    def select(self, statement: Select[Any]) -> Select[Any]:
        """The statement that reads the columns."""
        return statement

    def fetch(self, result: Result[Any]) -> Sequence[Any]:
        """The rows of the result."""
        return result.scalars().unique().all()

    def make(self, rows: Sequence[Any]) -> Sequence[Any]:
        """The objects for the caller."""
        return rows

    def key(self, row: Any) -> tuple[Any, ...]:
        """The row's place in the order."""
        return tuple(getattr(row, name) for name in self._key)


class Plain(Models):
    """Makes objects of the caller's class from the columns that it has fields for."""

    batch_size = 5000  # about as much memory as a thousand models

    def __init__(
        self, model: type[DeclarativeBase], into: type[object], key: tuple[str, ...]
    ) -> None:
        """Raise ValueError if a field is not a column, TypeError for another kind of class."""
        names, self._make = _maker(into)
        known = inspect(model).column_attrs.keys()
        odd = [name for name in names if name not in known]
        if odd:
            raise ValueError(
                f"fields of {into.__name__} must be columns of {model.__name__}, "
                f"got {', '.join(odd)}; the columns are {', '.join(known)}"
            )
        selected = tuple(dict.fromkeys((*names, *key)))
        self._columns = [getattr(model, name) for name in selected]
        self._count = len(names)
        self._key_at = [selected.index(name) for name in key]

    def select(self, statement: Select[Any]) -> Select[Any]:
        """The statement that reads the columns of the fields, and of the key."""
        return cast("Select[Any]", statement.with_only_columns(*self._columns))

    def fetch(self, result: Result[Any]) -> Sequence[Any]:
        """All rows of the result, also equal ones."""
        return result.all()

    def make(self, rows: Sequence[Any]) -> Sequence[Any]:
        """One object for each row."""
        if self._count < len(self._columns):
            rows = [row[: self._count] for row in rows]
        return self._make(rows)

    def key(self, row: Any) -> tuple[Any, ...]:
        """The row's place in the order."""
        return tuple(row[index] for index in self._key_at)


_plain = lru_cache(Plain)


def read_as(
    model: type[DeclarativeBase], into: type[object] | None, key: tuple[str, ...] = ()
) -> Models:
    """What makes models, or objects of `into`; `key` are the attributes that `key()` returns."""
    return Models(key) if into is None else _plain(model, cast("Hashable", into), key)


def _maker(into: type[object]) -> tuple[Sequence[str], Make]:
    """The names of the class's fields, and a function that makes objects from their values."""
    if issubclass(into, BaseModel):
        names = tuple(into.model_fields)
        adapter = TypeAdapter[Any](cast("Any", GenericAlias(list, (into,))))
        # One call for all rows is faster than `model_construct()` for each.
        return names, lambda rows: adapter.validate_python(_named(names, rows), by_name=True)
    if is_dataclass(into):
        given = [field for field in fields(into) if field.init]
        names = tuple(field.name for field in given)
        if any(field.kw_only for field in given):
            return names, lambda rows: [into(**values) for values in _named(names, rows)]
        return names, lambda rows: [*starmap(into, rows)]
    if hasattr(into, "_make"):
        new = partial(cast("Any", tuple).__new__, into)  # the same as `_make`, but faster
        return getattr(into, "_fields", ()), lambda rows: [*map(new, rows)]
    raise TypeError(f"into must be a NamedTuple, a dataclass or a Pydantic model, got {into!r}")


def _named(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> Sequence[dict[str, Any]]:
    return [dict(zip(names, row, strict=True)) for row in rows]
