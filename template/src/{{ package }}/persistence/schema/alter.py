"""Alembic on PostgreSQL: no row loses its value, and an interrupted revision can run again."""

import logging
from collections.abc import Sequence
from typing import Any

from alembic.ddl.postgresql import PostgresqlImpl
from alembic.operations.ops import CreateTableOp, ExecuteSQLOp, MigrationScript
from alembic.runtime.migration import MigrationContext
from sqlalchemy import (
    Boolean,
    Connection,
    Index,
    MetaData,
    Table,
    Text,
    cast,
    column,
    inspect,
    literal,
    literal_column,
    not_,
    select,
    table,
    text,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateIndex, DropIndex
from sqlalchemy.types import TypeEngine

from ..core.errors import MigrationRefused
from ..drivers.checks import reason
from .online import OUTSIDE, concurrently, is_blocked
from .retype import WAY_OUT, conversion, require_survival, require_values, spelled

log = logging.getLogger(__name__)


class LosslessPostgreSQL(PostgresqlImpl):
    """Alembic's operations for PostgreSQL; defining the class registers it."""

    __dialect__ = "postgresql"

    def alter_column(
        self,
        table_name: str,
        column_name: str,
        *,
        nullable: bool | None = None,
        type_: TypeEngine[Any] | None = None,
        schema: str | None = None,
        existing_type: TypeEngine[Any] | None = None,
        **options: Any,
    ) -> None:
        """Check the rows first, unless the revision has its own `postgresql_using`."""
        place = table(table_name, column(column_name), schema=schema)
        try:
            if nullable is False and self._online:
                require_values(self._online, place, place.c[column_name])
            if type_ is not None and "postgresql_using" not in options:
                known = self._online and _type_of(self._online, place, column_name)
                if old := known or existing_type:
                    options |= self._conversion(place, column_name, old, type_)
            super().alter_column(  # pyright: ignore[reportUnknownMemberType]
                table_name,
                column_name,
                nullable=nullable,
                type_=type_,
                schema=schema,
                existing_type=existing_type,
                **options,
            )
        except DBAPIError as error:
            if is_blocked(error):
                raise
            raise MigrationRefused(
                f"{table_name}.{column_name} cannot be changed: {reason(error)}; "
                f"change such rows, {WAY_OUT}"
            ) from error

    def compare_server_default(
        self,
        inspector_column: Any,
        metadata_column: Any,
        rendered_metadata_default: str | None,
        rendered_inspector_default: str | None,
    ) -> bool:
        """Compare defaults; as text if the type has no `=`, like JSON."""
        defaults = (rendered_metadata_default, rendered_inspector_default)
        if self.connection is None:
            return False
        try:
            compare: Any = super().compare_server_default  # pyright: ignore
            with self.connection.begin_nested():
                return bool(compare(inspector_column, metadata_column, *defaults))
        except DBAPIError:
            default = metadata_column.server_default.arg
            new: Any = literal(default) if isinstance(default, str) else default
            old = literal_column(f"({rendered_inspector_default})", Text())
            type_ = inspector_column.type
            same = cast(cast(new, type_), Text) == cast(cast(old, type_), Text)
            return not self.connection.scalar(select(same))

    def create_index(self, index: Index, **options: Any) -> None:
        """Create it, unless an earlier run of this revision has created it concurrently."""
        if not (self._online and _is_concurrent(index)):
            super().create_index(index, **options)
            return
        statement = str(CreateIndex(index).compile(dialect=self.dialect))
        with concurrently(self._online, statement, self._patience):
            if self._has(self._online, index):
                log.warning("the index %s exists already", index.name)
            else:
                super().create_index(index, **options)

    def drop_index(self, index: Index, **options: Any) -> None:
        """Drop it, unless an earlier run of this revision has dropped it concurrently."""
        if not (self._online and _is_concurrent(index)):
            super().drop_index(index, **options)
            return
        statement = str(DropIndex(index).compile(dialect=self.dialect))
        with concurrently(self._online, statement, self._patience):
            super().drop_index(index, **options | {"if_exists": True})

    def execute(self, sql: Any, execution_options: dict[str, Any] | None = None) -> None:
        """Execute a statement of the revision."""
        statement = getattr(sql, "text", sql)
        if self._online and isinstance(statement, str) and OUTSIDE.search(statement):
            with concurrently(self._online, statement, self._patience):
                super().execute(sql, execution_options)
        else:
            super().execute(sql, execution_options)

    def _has(self, connection: Connection, index: Index) -> bool:
        table: Any = index.table
        reflected = Table(
            table.name, MetaData(), schema=table.schema, autoload_with=connection, resolve_fks=False
        )
        return any(
            each.name == index.name and not self.compare_indexes(index, each).is_different
            for each in reflected.indexes
        )

    @property
    def _patience(self) -> float:
        return float(self.context_opts.get("give_up_after", 0))

    @property
    def _online(self) -> Connection | None:
        """The connection, or None if the statements are only printed."""
        return None if self.as_sql else self.connection

    def _conversion(
        self, place: Any, name: str, old: TypeEngine[Any], new: TypeEngine[Any]
    ) -> dict[str, str]:
        quoted = self.dialect.identifier_preparer.quote(name)
        using, survives = conversion(quoted, old, new, self.dialect)
        if survives is not None:
            self._require_survival(place, place.c[name], survives, spelled(new, self.dialect))
        return {"postgresql_using": using} if using else {}

    def _require_survival(self, place: Any, field: Any, survives: str, name: str) -> None:
        """Check the rows, or print a statement that checks them."""
        where = self.dialect.identifier_preparer.format_table(place)
        # ALTER TABLE takes this lock anyway; taken earlier, it keeps out rows that were not checked.
        self.execute(text(f"LOCK TABLE {where} IN ACCESS EXCLUSIVE MODE"))
        if self._online:
            is_lost: Any = not_(literal_column(f"({survives})", Boolean()))
            require_survival(self._online, place, field, is_lost, name)
            return
        quoted = self.dialect.identifier_preparer.quote(field.name)
        problem = (
            f"{place.name}.{field.name} cannot become {name}: rows have values that would be lost; "
            "change these rows first"
        ).replace("'", "''")
        check = (
            f"DO $check$ BEGIN IF EXISTS (SELECT 1 FROM {where} WHERE {quoted} IS NOT NULL AND "  # noqa: S608
            f"NOT ({survives})) THEN RAISE EXCEPTION USING MESSAGE = '{problem}'; END IF; END $check$"
        )
        self.execute(text(check.replace(":", "\\:")))


def _is_concurrent(index: Index) -> bool:
    return bool(index.dialect_options["postgresql"]["concurrently"])


def _type_of(connection: Connection, place: Any, name: str) -> TypeEngine[Any] | None:
    """The column's type in the database; None if there is no such column."""
    columns = inspect(connection).get_columns(place.name, place.schema)
    return next((each["type"] for each in columns if each["name"] == name), None)


def with_schemas(context: MigrationContext, scripts: Sequence[MigrationScript]) -> None:
    """Let a revision create a schema with its first table."""
    there = {*inspect(context.connection).get_schema_names()} if context.connection else set[str]()
    for script in scripts:
        for steps in script.upgrade_ops_list:
            made = {step.schema for step in steps.ops if isinstance(step, CreateTableOp)} - there
            quote = context.dialect.identifier_preparer.quote
            steps.ops[:0] = [
                ExecuteSQLOp(f"CREATE SCHEMA IF NOT EXISTS {quote(schema)}")
                for schema in sorted(filter(None, made))
            ]
