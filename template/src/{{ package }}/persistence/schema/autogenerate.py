"""What Alembic writes into a new migration: types, defaults of new columns, and ignored tables."""

import ast
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

from alembic.autogenerate.api import AutogenContext
from alembic.autogenerate.rewriter import Rewriter
from alembic.operations.ops import AddColumnOp, AlterColumnOp, ModifyTableOps
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Dialect,
    Enum,
    MetaData,
    String,
    TextClause,
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

from ..core.types import EnumValue, FixedPoint, UTCDateTime

rewriter = Rewriter()


def plain_type(kind: str, item: object, context: AutogenContext) -> str | Literal[False]:
    """Name SQLAlchemy's types in place of the kernel's, which can change; import a team's own."""
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, FixedPoint):
        return f"sa.Numeric({item.precision}, {item.scale})"
    if kind == "type" and isinstance(item, EnumValue):
        return f"sa.{item.plain()!r}"
    module = type(item).__module__
    if kind == "type" and not module.startswith("sqlalchemy."):
        context.imports.add(f"import {module}")
    return False


def filters(
    metadata: MetaData, leave_alone: Sequence[str]
) -> tuple[Callable[..., bool], Callable[..., bool]]:
    """Filters for Alembic's comparison: the schemas of the models, without ignored tables."""
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


def type_comparison(
    retyped: Collection[str], scripts: ScriptDirectory | None = None
) -> Callable[..., bool | None]:
    """A comparison that finds changes of types which look the same in the database.

    These are the columns in `retyped`, and enums that have lost a member: members are found in
    earlier revisions and in the rows.
    """
    recorded = cache(lambda: recorded_members(scripts) if scripts else {})

    def compare(
        context: MigrationContext, _: object, column: Column[Any], *types: object
    ) -> Literal[True] | None:
        place = f"{column.table.name}.{column.name}"
        members = _members(column, context.dialect)
        if place in retyped:
            return True
        if members is None:
            return None
        has_lost = not {*recorded().get(place, ())} <= {*members}
        return has_lost or _holds_strangers(context.connection, column, members) or None

    return compare


def recorded_members(scripts: ScriptDirectory) -> dict[str, frozenset[object]]:
    """The members of each enum in the last revision that wrote it, by `table.column`.

    In the database an enum is text, which does not show that a member is gone.
    """
    revisions = reversed([*scripts.walk_revisions()])
    sources = [Path(revision.path).read_text(encoding="utf-8") for revision in revisions]
    upgrades = [
        node
        for source in sources
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef) and node.name == "upgrade"
    ]
    return {place: members for upgrade in upgrades for place, members in _written_types(upgrade)}


def _written_types(upgrade: ast.FunctionDef) -> Iterator[tuple[str, frozenset[object]]]:
    """Each column that gets a type, with the members of the enum; none for another type."""
    names = dict[str, ast.expr]()
    for node in ast.walk(upgrade):
        match node:
            case ast.Assign([ast.Name(name)], value):
                names[name] = value
            case ast.With([ast.withitem(ast.Call() as step)]) | ast.Expr(ast.Call() as step):
                for column, type_ in _typed(node):
                    match step:
                        case ast.Call(
                            ast.Attribute(ast.Name("op")), [ast.Constant(str(table)), *_]
                        ):
                            enum = names.get(getattr(type_, "id", ""), type_)
                            yield f"{table}.{column}", _listed(enum)
                        case _:
                            pass
            case _:
                pass


def _typed(step: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    """The columns to which a step gives a type."""
    for node in ast.walk(step):
        match node:
            case ast.Call(ast.Attribute(_, "Column"), [ast.Constant(str(name)), type_, *_]):
                yield name, type_
            case ast.Call(ast.Attribute(_, "alter_column"), [*_, ast.Constant(str(name))], options):
                yield from ((name, option.value) for option in options if option.arg == "type_")
            case _:
                pass


def _listed(type_: ast.expr) -> frozenset[object]:
    match type_:
        case ast.Call(ast.Attribute(_, "Enum"), values):
            return frozenset(each.value for each in values if isinstance(each, ast.Constant))
        case _:
            return frozenset()


def _members(column: Column[Any], dialect: Dialect) -> Sequence[str] | None:
    """The texts of an enum's members, if the column in the database takes any text."""
    type_: Any = column.type.plain() if isinstance(column.type, EnumValue) else column.type
    if not isinstance(type_, Enum) or (type_.native_enum and dialect.supports_native_enum):
        return None
    return type_.enums


def _holds_strangers(
    connection: Connection | None, column: Column[Any], members: Sequence[str]
) -> bool:
    if connection is None:
        return False
    table: Any = column.table
    place = sa_table(table.name, sa_column(column.name, String()), schema=table.schema)
    field = place.c[column.name]
    query = select(literal(1)).select_from(place).where(field.not_in(members)).limit(1)
    return connection.scalar(query) is not None


@rewriter.rewrites(ModifyTableOps)
def fill_rows(
    context: MigrationContext, revision: object, table: ModifyTableOps
) -> list[ModifyTableOps]:
    """Fill a new NOT NULL column in existing rows with the model's default.

    The first step adds the column with a default in the database; the second drops that default,
    because the model has it. The steps are separate, because SQLite rebuilds the table for the
    second.
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
    """The default for existing rows, if it can be written in SQL."""
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
    """A function that returns the same value twice gives that; times and UUIDs come from SQL."""
    call: Any = default.arg
    try:
        value, again = call(None), call(None)
    except Exception:  # it needs the row, or something else that is missing here
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
    """The value as a SQL literal."""
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
