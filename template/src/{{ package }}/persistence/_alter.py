"""Alembic on PostgreSQL: a column changes its type only if no row loses its value by it."""

from typing import Any

from alembic.ddl.postgresql import PostgresqlImpl
from sqlalchemy import (
    Boolean,
    Connection,
    Text,
    cast,
    column,
    inspect,
    literal,
    literal_column,
    not_,
    select,
    table,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine

from ._checks import reason
from ._errors import MigrationRefused
from ._retype import WAY_OUT, conversion, require_survival, require_values


class LosslessPostgreSQL(PostgresqlImpl):
    """What Alembic runs for this database; defining the class registers it."""

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
        """Look at the rows first. A revision with its own `postgresql_using` knows what it does."""
        place = table(table_name, column(column_name), schema=schema)
        try:
            if nullable is False and self.connection:
                require_values(self.connection, place, place.c[column_name])
            if type_ is not None and "postgresql_using" not in options:
                known = self.connection and _type_of(self.connection, place, column_name)
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
        """Compare as text if the type has no `=`, as JSON has none."""
        defaults = (rendered_metadata_default, rendered_inspector_default)
        if self.connection is None:
            return False
        try:
            compare: Any = super().compare_server_default
            with self.connection.begin_nested():
                return bool(compare(inspector_column, metadata_column, *defaults))
        except DBAPIError:
            default = metadata_column.server_default.arg
            new: Any = literal(default) if isinstance(default, str) else default
            old: Any = literal_column(f"({rendered_inspector_default})")
            type_ = inspector_column.type
            same = cast(cast(new, type_), Text) == cast(cast(old, type_), Text)
            return not self.connection.scalar(select(same))

    def _conversion(
        self, place: Any, name: str, old: TypeEngine[Any], new: TypeEngine[Any]
    ) -> dict[str, str]:
        quoted = self.dialect.identifier_preparer.quote(name)
        using, survives = conversion(quoted, old, new, self.dialect)
        if survives is not None and self.connection:
            # ALTER TABLE takes this lock anyway; before it, rows could come that nobody looked at.
            where = self.dialect.identifier_preparer.format_table(place)
            self.connection.exec_driver_sql(f"LOCK TABLE {where} IN ACCESS EXCLUSIVE MODE")
            is_lost: Any = not_(literal_column(f"({survives})", Boolean()))
            spelled = new.compile(self.dialect)
            require_survival(self.connection, place, place.c[name], is_lost, spelled)
        return {"postgresql_using": using} if using else {}


def _type_of(connection: Connection, place: Any, name: str) -> TypeEngine[Any] | None:
    """The type that the column has; None if there is no such column."""
    columns = inspect(connection).get_columns(place.name, place.schema)
    return next((each["type"] for each in columns if each["name"] == name), None)
