"""What Alembic writes into a migration of its own accord."""

from typing import Literal

from alembic.autogenerate.api import AutogenContext
from alembic.autogenerate.rewriter import Rewriter
from alembic.operations.ops import AddColumnOp, AlterColumnOp, ModifyTableOps
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, Dialect
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from ._types import FixedPoint, UTCDateTime

rewriter = Rewriter()


def plain_type(kind: str, item: object, _: AutogenContext) -> str | Literal[False]:
    """A migration outlives the kernel's types, so it names SQLAlchemy's."""
    if kind == "type" and isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, FixedPoint):
        return f"sa.Numeric({item.precision}, {item.scale})"
    return False


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


def _default(column: Column[object], dialect: Dialect) -> str | None:
    """The default as the database reads it from text, where rows need one and all have the same."""
    default = column.default
    if column.nullable or column.server_default is not None:
        return None
    if not isinstance(default, ScalarElementColumnDefault):
        return None
    process = column.type.dialect_impl(dialect).bind_processor(dialect)
    value = process(default.arg) if process else default.arg
    return str(int(value) if isinstance(value, bool) else value)


def _with_default(step: AddColumnOp, default: str) -> AddColumnOp:
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
