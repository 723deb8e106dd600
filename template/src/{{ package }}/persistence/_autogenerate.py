"""What Alembic writes into a migration of its own accord."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from fnmatch import fnmatchcase
from typing import Any, Literal
from uuid import UUID

from alembic.autogenerate.api import AutogenContext
from alembic.autogenerate.rewriter import Rewriter
from alembic.operations.ops import (
    AddColumnOp,
    AlterColumnOp,
    CreateTableOp,
    ExecuteSQLOp,
    MigrationScript,
    ModifyTableOps,
)
from alembic.runtime.migration import MigrationContext
from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Dialect,
    Enum,
    MetaData,
    String,
    TextClause,
    inspect,
    literal,
    select,
    text,
)
from sqlalchemy import column as sa_column
from sqlalchemy import table as sa_table
from sqlalchemy.sql.schema import (
    CallableColumnDefault,
    ColumnElementColumnDefault,
    ScalarElementColumnDefault,
)

from ._types import EnumValue, FixedPoint, UTCDateTime

rewriter = Rewriter()


def plain_type(kind: str, item: object, context: AutogenContext) -> str | Literal[False]:
    """A migration outlives the kernel's types, so it names SQLAlchemy's; it imports a team's own."""
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, FixedPoint):
        return f"sa.Numeric({item.precision}, {item.scale})"
    if kind == "type" and isinstance(item, EnumValue):
        return f"sa.{item.impl_instance!r}"
    module = type(item).__module__
    if kind == "type" and not module.startswith("sqlalchemy."):
        context.imports.add(f"import {module}")
    return False


def filters(
    metadata: MetaData, leave_alone: Sequence[str]
) -> tuple[Callable[..., bool], Callable[..., bool]]:
    """What Alembic compares: the schemas of the models, but no table that is to be left alone."""
    schemas = {None, *(table.schema for table in metadata.tables.values())}

    def is_ours(name: str) -> bool:
        return not any(fnmatchcase(name, pattern) for pattern in leave_alone)

    def include_name(name: str | None, kind: str, parents: Mapping[str, str | None]) -> bool:
        if kind == "schema":
            return name in schemas
        return kind != "table" or is_ours(parents.get("schema_qualified_table_name") or name or "")

    def include_object(item: Any, name: str | None, kind: str, *_: object) -> bool:
        return kind != "table" or is_ours(item.fullname)

    return include_name, include_object


def type_comparison(retyped: Collection[str]) -> Callable[..., bool | None]:
    """A type has changed too if it is `retyped`, or if rows hold what is no member of an enum."""

    def compare(
        context: MigrationContext, _: object, column: Column[Any], *types: object
    ) -> Literal[True] | None:
        is_named = f"{column.table.name}.{column.name}" in retyped
        return is_named or _holds_strangers(context.connection, column) or None

    return compare


def _holds_strangers(connection: Connection | None, column: Column[Any]) -> bool:
    if connection is None or not isinstance(column.type, Enum) or column.type.native_enum:
        return False
    table: Any = column.table
    place = sa_table(table.name, sa_column(column.name, String()), schema=table.schema)
    field = place.c[column.name]
    query = select(literal(1)).select_from(place).where(field.not_in(column.type.enums)).limit(1)
    return connection.scalar(query) is not None


def with_schemas(context: MigrationContext, scripts: Sequence[MigrationScript]) -> None:
    """A revision that makes the first table of a schema makes the schema too."""
    there = {*inspect(context.connection).get_schema_names()} if context.connection else set[str]()
    for script in scripts:
        for steps in script.upgrade_ops_list:
            made = {step.schema for step in steps.ops if isinstance(step, CreateTableOp)} - there
            quote = context.dialect.identifier_preparer.quote
            steps.ops[:0] = [
                ExecuteSQLOp(f"CREATE SCHEMA IF NOT EXISTS {quote(schema)}")
                for schema in sorted(filter(None, made))
            ]


@rewriter.rewrites(ModifyTableOps)
def fill_rows(
    context: MigrationContext, revision: object, table: ModifyTableOps
) -> list[ModifyTableOps]:
    """A new column that may not be empty has its default in the rows that are there.

    The database is told the default with the column, and in a second step to forget it: it is
    the model's. Two steps, because SQLite makes the table anew for the second.
    """
    forget = list[AlterColumnOp]()
    for place, step in enumerate(table.ops):
        default = _default(step.column, context.dialect) if isinstance(step, AddColumnOp) else None
        if isinstance(step, AddColumnOp) and default is not None:
            table.ops[place] = _with_default(step, default)
            forget.append(_without_default(step))
    again = ModifyTableOps(table.table_name, forget, schema=table.schema)
    return [table, again] if forget else [table]


def _default(column: Column[Any], dialect: Dialect) -> str | TextClause | None:
    """What the database fills rows with, if the column's default can be told to it."""
    default: Any = column.default
    if column.nullable or column.server_default is not None:
        return None
    if isinstance(default, ColumnElementColumnDefault):
        return text(
            str(default.arg.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
        )
    if isinstance(default, CallableColumnDefault):
        return _called(column, default, dialect)
    if isinstance(default, ScalarElementColumnDefault):
        return _literal(default.arg, column, dialect)
    return None


def _called(
    column: Column[Any], default: CallableColumnDefault, dialect: Dialect
) -> str | TextClause | None:
    """A function that always returns the same gives a value; the database has its own clock and dice."""
    call: Any = default.arg
    try:
        value, again = call(None), call(None)
    except Exception:  # it needs the row, or something else that is not here
        return None
    if value == again:
        return _literal(value, column, dialect)
    is_sqlite = dialect.name == "sqlite"
    if isinstance(value, UUID):
        return text("(lower(hex(randomblob(16))))" if is_sqlite else "gen_random_uuid()")
    if isinstance(value, datetime):
        return text("CURRENT_TIMESTAMP")
    return text("CURRENT_DATE") if isinstance(value, date) else None


def _literal(value: Any, column: Column[Any], dialect: Dialect) -> str | TextClause:
    """The value in SQL, as the column stores it."""
    if isinstance(value, bytes):
        digits = value.hex()
        return text(f"x'{digits}'" if dialect.name == "sqlite" else f"'\\x{digits}'::bytea")
    if isinstance(column.type, JSON):
        return json.dumps(value)
    bind = column.type.dialect_impl(dialect).bind_processor(dialect)
    stored = bind(value) if bind else value
    if isinstance(stored, bool | int | float):
        return str(int(stored) if isinstance(stored, bool) else stored)
    if isinstance(stored, str) and not isinstance(value, dict | list):
        return stored
    sql = str(
        literal(value, column.type).compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    )
    if isinstance(value, list) and not value and dialect.name != "sqlite" and "[" in sql:
        sql = "'{}'"
    return text(sql.replace(":", "\\:"))


def _with_default(step: AddColumnOp, default: str | TextClause) -> AddColumnOp:
    column = Column(step.column.name, step.column.type, server_default=default, nullable=False)
    return AddColumnOp(step.table_name, column, schema=step.schema)


def _without_default(step: AddColumnOp) -> AlterColumnOp:
    return AlterColumnOp(
        step.table_name,
        step.column.name,
        schema=step.schema,
        modify_server_default=None,
        existing_type=step.column.type,
        existing_nullable=False,
    )
