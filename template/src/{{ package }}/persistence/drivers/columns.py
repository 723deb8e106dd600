"""Rows as columns, with the values that an INSERT would send, for a bulk insert by the driver."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, Dialect, Table, bindparam
from sqlalchemy.orm import Mapper
from sqlalchemy.sql.schema import CallableColumnDefault, ScalarElementColumnDefault

from ..core.types import utcnow
from ..core.values import Hold, Process, checked_column

Rows = Sequence[Mapping[str, object]]
Values = list[object]  # of one column, in the order of the rows
Source = Callable[[Rows], Values]

TRANSLATED = "schema_translate_map"
_NO_CONTEXT = object()  # a default that uses its context fails


class OnlyInsert(Exception):
    """Only an INSERT can compute the values of these rows."""


class Filled(NamedTuple):
    """A table's columns that an INSERT would fill, with the values that it would send."""

    table: Table
    columns: dict[Column[Any], Values]


def require_attributes(mapper: Mapper[Any], rows: Iterable[Iterable[str]], *, all_: bool) -> None:
    """Raise ValueError for a row with an unknown name or, with `all_`, without a required one."""
    known, required = _attributes(mapper)
    for names in set(map(frozenset, rows)):
        if unknown := sorted(names - known):
            raise ValueError(
                f"{mapper.class_.__name__} has no attribute {', '.join(map(repr, unknown))} to store; "
                f"it has {', '.join(sorted(known))}"
            )
        if all_ and (missing := sorted(required - names)):
            raise ValueError(
                f"a row of {mapper.class_.__name__} must have a value for {', '.join(missing)}, "
                f"got one with {', '.join(sorted(names)) or 'nothing'}"
            )


def require_one_table(mapper: Mapper[Any], method: str) -> None:
    """Raise ValueError for a model that is read from several tables."""
    if mapper.selectable is not mapper.local_table:
        raise ValueError(
            f"{method} cannot write {mapper.class_.__name__}, which is read from several tables: "
            f"{mapper.selectable}; use add(), or lock() and change the row"
        )


@lru_cache
def _attributes(mapper: Mapper[Any]) -> tuple[frozenset[str], frozenset[str]]:
    """The attributes that are columns, and those that have no default and so are required."""
    columns = {name: column for name, column in mapper.columns.items() if type(column) is Column}
    made = {mapper.version_id_col, mapper.polymorphic_on}
    made |= {table.autoincrement_column for table in mapper.tables if isinstance(table, Table)}
    if mapper.inherits:
        made.update(mapper.primary_key)
        made.update(*(table.primary_key for table in mapper.tables if isinstance(table, Table)))
    required = {
        name
        for name, column in columns.items()
        if not (column.nullable or column.default or column.server_default or column in made)
    }
    return frozenset(columns), frozenset(required)


def filled(mapper: Mapper[Any], connection: Connection, rows: Rows) -> Filled | None:
    """The values that an INSERT of the rows would send; None if only an INSERT can compute them.

    Also None if the INSERT would fail, so that the caller gets the INSERT's own error.
    """
    table: Any = mapper.local_table  # to pyright, isinstance() would make its rows unknown
    if type(table) is not Table or TRANSLATED in connection.get_execution_options():
        return None
    try:
        columns = _columns(mapper, table, connection.dialect, rows)
    except Exception:  # a type or a default can raise any error
        return None
    return Filled(table, columns) if columns else None


def _columns(
    mapper: Mapper[Any], table: Table, dialect: Dialect, rows: Rows
) -> dict[Column[Any], Values]:
    if set(map(type, rows)) != {dict}:
        rows = [dict(row) for row in rows]
    if set(map(len, rows)) != {len(rows[0])}:  # a row with another name lacks one of these
        raise OnlyInsert
    sources = _sources(mapper, table, dialect, tuple(rows[0]))
    return {column: source(rows) for column, source in sources.items()}


@lru_cache(maxsize=256)
def _sources(
    mapper: Mapper[Any], table: Table, dialect: Dialect, names: tuple[str, ...]
) -> Mapping[Column[Any], Source]:
    """The sources of values for each column, for rows with these attributes."""
    if mapper.inherits or mapper.polymorphic_on is not None:
        raise OnlyInsert
    require_attributes(mapper, [names], all_=True)
    given = {mapper.columns[name]: name for name in names}
    unmade = set(table.primary_key.columns) - {*given, table.autoincrement_column}
    if any(column.default is None and column.server_default is None for column in unmade):
        raise OnlyInsert
    sources = {
        column: _source(mapper, column, given.get(column), dialect) for column in table.columns
    }
    return {column: source for column, source in sources.items() if source}


def _source(
    mapper: Mapper[Any], column: Column[Any], name: str | None, dialect: Dialect
) -> Source | None:
    """Where the column's values come from; None if the database makes them."""
    kind = column.type.dialect_impl(dialect)
    if kind.bind_expression(bindparam(None, type_=kind)) is not None:
        raise OnlyInsert
    process, hold = checked_column(column, dialect)
    generate = mapper.version_id_generator
    if generate and column is mapper.version_id_col:
        return _made(lambda _: generate(None), process, hold)
    if name is None:
        return _default(column, process, hold)
    return _given(column, name, process, hold)


def _given(column: Column[Any], name: str, process: Process | None, hold: Hold) -> Source:
    """The rows' own values. In an INSERT, None stands for the column's default.

    If the column cannot hold a value, the INSERT is used, whose error names the value.
    """
    if column.computed is not None or (column.identity and column.identity.always):
        raise OnlyInsert
    get = itemgetter(name)
    keeps_none = column.type.should_evaluate_none
    has_default = column.primary_key or column.default or column.server_default

    def values(rows: Rows) -> Values:
        found = list(map(get, rows))
        has_none = None in found
        if not hold([value for value in found if value is not None] if has_none else found):
            raise OnlyInsert
        if has_none and not keeps_none:
            if has_default:
                raise OnlyInsert
            if process:
                return [value if value is None else process(value) for value in found]
        return list(map(process, found)) if process else found

    return values


def _default(column: Column[Any], process: Process | None, hold: Hold) -> Source | None:
    """The column's default, if the rows have no value."""
    match column.default:
        case None:
            return None
        case ScalarElementColumnDefault(arg=value):
            if not hold([value]):
                raise OnlyInsert
            return _always(lambda: value, process)
        case CallableColumnDefault(arg=make) if getattr(make, "__wrapped__", None) is utcnow:
            return _always(utcnow, process)  # one timestamp for the statement
        case CallableColumnDefault(arg=make):
            return _made(make, process, hold)
        case _:
            raise OnlyInsert


def _made(make: Process, process: Process | None, hold: Hold) -> Source:
    """A value that is made for each row."""

    def values(rows: Rows) -> Values:
        made = [make(_NO_CONTEXT) for _ in rows]
        if not hold(made):
            raise OnlyInsert
        return list(map(process, made)) if process else made

    return values


def _always(make: Callable[[], object], process: Process | None) -> Source:
    """A value that is made once for all rows."""
    return lambda rows: [process(make()) if process else make()] * len(rows)
