"""Alembic on SQLite: rebuilding a table keeps everything that the migration does not change.

SQLite's ALTER TABLE is limited, so a migration creates a new table, copies the rows and drops the
old table. Alembic creates it from what SQLAlchemy can reflect, and loses the rest. Here, each step
of a migration edits the old table's CREATE statement instead; indexes and triggers are created
again by their own statements. A migration that would break a view or a trigger, or lose a value,
is refused.
"""

import warnings
from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

from alembic.autogenerate import comparators
from alembic.autogenerate.api import AutogenContext
from alembic.ddl.sqlite import SQLiteImpl
from alembic.operations import batch
from alembic.operations.batch import BatchOperationsImpl
from alembic.operations.ops import CreateIndexOp, DropIndexOp, ModifyTableOps
from alembic.util.sqla_compat import is_expression_index
from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    Constraint,
    Dialect,
    Index,
    Integer,
    MetaData,
    Table,
    TextClause,
    column,
    func,
    inspect,
    select,
    table,
    text,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateColumn, CreateIndex, CreateTable

from ..core.errors import MigrationRefused
from ..drivers.checks import reason
from .retype import conversion, require_survival, require_values, spelled
from .table_sql import Item, Part, closing, item_of, opening, parsed, tokens

WAY_OUT = "change that first, in this revision or in one before it"
_STEPS = {"alter_column", "add_column", "drop_column", "add_constraint", "drop_constraint"}
_UNKNOWN = "schema", "table_args", "table_kwargs", "partial_reordering"


class LosslessBatch(BatchOperationsImpl):
    """Alembic's steps for one table, run by `Rebuild`."""

    def flush(self) -> None:
        """Run the steps."""
        if self.impl.as_sql or not self._should_recreate():
            super().flush()
        else:
            Rebuild(self).run()


batch.BatchOperationsImpl = LosslessBatch  # type: ignore[misc]


class Rebuild:
    """The rebuild of one table."""

    def __init__(self, steps: Any) -> None:
        self.steps, self.impl = steps, steps.impl
        self.connection: Connection = self.impl.connection
        self.dialect: Dialect = self.impl.dialect
        self.is_lossless: bool = self.impl.context_opts.get("lossless_rebuilds", True)
        self.name: str = steps.table_name
        self.renamed = dict[str, str]()
        self.gone = set[str]()

    def run(self) -> None:
        """Rebuild the table. Raises MigrationRefused if a part or a value would be lost."""
        self._require_simplicity()
        before = _broken(self.connection)
        self._run(self.impl, {"drop_index"})
        self._rename_columns()
        self._read()
        self._run(self, _STEPS)
        self._require_independence()
        self._replace()
        self._run(self.impl, {"create_index"})
        self._require_working(before)

    def _run(self, target: object, names: set[str]) -> None:
        for step, arguments, options in self.steps.batch:
            if step in names:
                getattr(target, step)(*arguments, **options)

    def _require_simplicity(self) -> None:
        """Raise MigrationRefused for options of the batch that have no effect here."""
        odd = [name for name in _UNKNOWN if getattr(self.steps, name)]
        if odd:
            raise MigrationRefused(
                f"{self.name} cannot be rebuilt with {' and '.join(odd)}; "
                "write the statements into the revision, with op.execute()"
            )

    def _rename_columns(self) -> None:
        """Let SQLite rename columns, which it also does in indexes, triggers and views."""
        for step, arguments, options in self.steps.batch:
            if step == "alter_column" and (new := options.get("name")):
                old = arguments[1]
                change = f"RENAME COLUMN {self._quoted(old)} TO {self._quoted(new)}"
                with refusing(f"{old} of {self.name} cannot be renamed"):
                    self._execute(f"ALTER TABLE {self._quoted(self.name)} {change}")
                self.renamed[old] = new

    def _read(self) -> None:
        """Read the table's statement, its columns, and the values to copy."""
        query = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ? COLLATE NOCASE"
        sql = self._execute(query, self.name).scalar_one()
        if not self.is_lossless:  # an older project keeps SQLAlchemy's reflection
            sql = self._compiled(CreateTable(self._reflected(MetaData())))
        with refusing(f"{self.name} cannot be rebuilt"):
            self.sql = parsed(sql)
        known = inspect(self.connection).get_columns(self.name)
        self.place: Any = table(self.name, *[column(each["name"], each["type"]) for each in known])
        self.fields: Any = dict(zip(self.sql.columns, self.place.c, strict=True))
        items = self.sql.columns.items()
        self.values = {k: self.fields[k] for k, item in items if not item.has("generated")}

    # The steps of a revision, by Alembic's names

    def alter_column(self, _: str, name: str, /, **options: Any) -> None:
        """Change the type, the default, and whether the column can be null."""
        key = self._key(name)
        here, field = self.sql.columns[key], self.fields[key]
        type_, nullable = options.get("type_"), options.get("nullable")
        default = options.get("server_default", False)
        stated = type_ or Integer()
        new = Column(name, stated, nullable=nullable is not False, server_default=default or None)
        wanted = item_of(tokens(self._compiled(CreateColumn(new))))
        kinds = {"default"} if default is not False else set[str]()
        if nullable == here.has("not"):
            kinds |= {"not", "null"}
        here.change(wanted, kinds)
        if nullable is False:
            require_values(self.connection, self.place, field)
        if type_ is not None:
            here.head = Part((here.head[0], *wanted.head[1:]))
            self.values[key] = self._converted(field, options.get("existing_type"), type_)

    def add_column(self, _: str, new: Any, /, **options: Any) -> None:
        """Add a column after the others, or at the place in the options."""
        names = list(self.sql.columns)
        place = len(names)
        if after := options.get("insert_after"):
            place = names.index(self._key(after)) + 1
        if before := options.get("insert_before"):
            place = names.index(self._key(before))
        self.sql.items.insert(place, item_of(tokens(self._compiled(CreateColumn(new)))))
        if new.primary_key:
            self.add_constraint(new.table.primary_key)

    def drop_column(self, _: str, dropped: Column[Any], **options: Any) -> None:
        """Drop a column, with its keys."""
        key = self._key(dropped.name)
        self.sql.items.remove(self.sql.columns[key])
        self.sql.drop(lambda item, rule: key in item.key(rule)[1:])
        self.values.pop(key, None)
        self.gone.add(key)

    def add_constraint(self, constraint: Constraint) -> None:
        """Add a constraint. A primary key replaces the old one."""
        made = self._constraint(constraint)
        if made.has("primary"):
            self.sql.drop(lambda item, rule: rule.kind == "primary")
        self.sql.items.append(made)

    def drop_constraint(self, constraint: Constraint) -> None:
        """Drop a constraint by its name, or by its text if it comes with a type."""
        name = str(constraint.name)
        if self.sql.drop(lambda item, rule: rule.label == name.lower()):
            return
        if isinstance(constraint, CheckConstraint) and str(constraint.sqltext):
            said = self._constraint(constraint).rules[0].body.names
            self.sql.drop(lambda item, rule: rule.body.names == said)
            return
        keys = [made.key(made.rules[0]) for made in self._named(name)]
        if not self.sql.drop(lambda item, rule: not rule.label and item.key(rule) in keys):
            raise MigrationRefused(f"{self.name} has no constraint {name}")

    def _named(self, name: str) -> Iterator[Item]:
        """Constraints without a name in the database, to which the naming convention gives this one."""
        convention = MetaData(naming_convention=self.steps.naming_convention)
        for constraint in self._reflected(convention).constraints:
            if constraint.name == name:
                yield self._constraint(constraint)

    def _require_independence(self) -> None:
        """Raise MigrationRefused if a CHECK or a generated column names a dropped column."""
        for rule in (rule for item in reversed(self.sql.items) for rule in item.rules):
            named = self.gone & {*rule.names}
            if named and rule.kind in {"check", "generated"}:
                raise MigrationRefused(
                    f"{', '.join(sorted(named))} of {self.name} cannot be dropped: {rule} names it; "
                    f"{WAY_OUT}"
                )

    def _require_working(self, before: Collection[str]) -> None:
        """Raise MigrationRefused for a view or a trigger that worked before and now does not."""
        for name, cause in _broken(self.connection).items():
            if name not in before and self.is_lossless:
                raise MigrationRefused(f"{name} would not work any more: {cause}; {WAY_OUT}")

    # From the old table to the new one

    def _converted(self, field: Any, stated: Any, new: Any) -> Any:
        """The value converted to the new type. Raises MigrationRefused if a value would be lost."""
        old = field.type
        if stated is not None and self._compiled(stated) == self._compiled(old):
            old = stated  # it can have more information, such as the members of an enum
        convert = conversion(old, new, self.dialect)
        if convert is None:
            return field
        converted, is_lost = _functions(self.connection, convert)
        name = spelled(new, self.dialect)
        require_survival(self.connection, self.place, field, is_lost(field), name)
        return converted(field)

    def _replace(self) -> None:
        new = f"_alembic_tmp_{self.name}"[:50]
        parts = list(self._parts())
        with refusing(f"{self.name} cannot be rebuilt"):
            self._execute(self.sql.create(self._quoted(new)))
        copied: list[Any] = [column(self.fields[key].name) for key in self.values]
        rows = select(*self.values.values()).select_from(self.place)
        self.connection.execute(table(new, *copied).insert().from_select(copied, rows))
        self._keep_sequence(new)
        self._execute(f"DROP TABLE {self._quoted(self.name)}")
        # Otherwise SQLite checks every view first, and some name the table that was dropped.
        self._execute("PRAGMA legacy_alter_table=ON")
        self._execute(f"ALTER TABLE {self._quoted(new)} RENAME TO {self._quoted(self.name)}")
        self._execute("PRAGMA legacy_alter_table=OFF")
        for part, sql in parts:
            with refusing(f"{part} of {self.name} cannot be created again"):
                self._execute(sql)

    def _keep_sequence(self, new: str) -> None:
        """Keep the counter of AUTOINCREMENT, which never assigns a number twice."""
        if self._execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'").first():
            self._execute("DELETE FROM sqlite_sequence WHERE name = ?", new)
            take = "UPDATE sqlite_sequence SET name = ? WHERE name = ? COLLATE NOCASE"
            self._execute(take, new, self.name)

    def _parts(self) -> Iterator[tuple[str, str]]:
        """The indexes and triggers to keep. Dropping a column drops its index, as on PostgreSQL."""
        query = (
            "SELECT type, name, sql FROM sqlite_master WHERE tbl_name = ? COLLATE NOCASE "
            "AND type IN ('index', 'trigger') AND sql IS NOT NULL ORDER BY rowid"
        )
        for kind, name, sql in self._execute(query, self.name).all():
            names = {*self._execute("SELECT lower(name) FROM pragma_index_info(?)", name).scalars()}
            is_reflected = kind == "index" and None not in names
            if not names & self.gone if is_reflected else self.is_lossless:
                yield f"{kind} {name}", sql

    # Helpers

    def _key(self, name: str) -> str:
        """The column's key in `sql`. Raises MigrationRefused if there is none."""
        key = self.renamed.get(name, name).lower()
        if key not in self.sql.columns:
            raise MigrationRefused(f"{self.name} has no column {name}")
        return key

    def _reflected(self, metadata: MetaData) -> Table:
        return Table(self.name, metadata, autoload_with=self.connection)

    def _constraint(self, constraint: Constraint) -> Item:
        compiler: Any = self.dialect.ddl_compiler(self.dialect, None)  # type: ignore[arg-type]
        return item_of(tokens(compiler.process(constraint)))

    def _compiled(self, item: Any) -> str:
        return str(item.compile(dialect=self.dialect))

    def _quoted(self, name: str) -> str:
        return self.dialect.identifier_preparer.quote(name)

    def _execute(self, sql: str, *parameters: str) -> Any:
        return self.connection.exec_driver_sql(sql, parameters)


@contextmanager
def refusing(what: str) -> Generator[None]:
    """Turn an error of the database into a MigrationRefused that begins with `what`."""
    try:
        yield
    except (DBAPIError, ValueError) as error:
        raise MigrationRefused(f"{what}: {reason(error)}; {WAY_OUT}") from error


def _broken(connection: Connection) -> dict[str, str]:
    """The views and triggers that do not work, with their errors."""
    query = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE type IN ('view', 'trigger')"
    found = dict[str, str]()
    for kind, name, place, sql in connection.exec_driver_sql(query).all():
        try:
            connection.exec_driver_sql(f"EXPLAIN {_probe(connection, place, sql)}").close()
        except DBAPIError as error:
            found[f"{kind} {name}"] = reason(error)
    return found


def _probe(connection: Connection, name: str, sql: str) -> str:
    """A statement that SQLite can compile only if the view or the trigger works."""
    quote = connection.dialect.identifier_preparer.quote
    place = quote(name)
    words = [token.word for token in tokens(sql)]
    match next(word for word in words if word in {"view", "insert", "update", "delete"}):
        case "view":
            return f"SELECT * FROM {place}"  # noqa: S608
        case "insert":
            return f"INSERT INTO {place} DEFAULT VALUES"
        case "delete":
            return f"DELETE FROM {place}"  # noqa: S608
        case _:
            fields = "SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0"
            names = connection.exec_driver_sql(fields, (name,)).scalars()
            changes = ", ".join(f"{quote(each)} = NULL" for each in names)
            return f"UPDATE {place} SET {changes}"  # noqa: S608


_numbers = count(1)


def _functions(connection: Connection, convert: Callable[[Any], Any]) -> list[Any]:
    """Two SQL functions for this connection: one converts, one returns whether a value is lost."""

    def converted(stored: object) -> object:
        return convert(stored) if stored is not None else None

    def is_lost(stored: object) -> bool:
        try:
            converted(stored)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            return True
        return False

    names = [f"{function.__name__}_{next(_numbers)}" for function in (converted, is_lost)]
    driver: Any = connection.connection.dbapi_connection
    for name, function in zip(names, (converted, is_lost), strict=True):
        driver.create_function(name, 1, function)
    return [getattr(func, name) for name in names]


# Indexes with expressions, which SQLAlchemy cannot reflect


class ExpressionIndexes(SQLiteImpl):
    """Keeps indexes with expressions out of Alembic's comparison; defining it registers it."""

    __dialect__ = "sqlite"

    def correct_for_autogen_constraints(
        self,
        conn_unique_constraints: Any,
        conn_indexes: Any,
        metadata_unique_constraints: Any,
        metadata_indexes: Any,
    ) -> None:
        """Leave indexes with expressions to `compare_expressions`."""
        metadata_indexes -= {index for index in metadata_indexes if is_expression_index(index)}


@comparators.dispatch_for("table")
def compare_expressions(
    context: AutogenContext,
    steps: ModifyTableOps,
    schema: str | None,
    name: str,
    there: Table | None,
    wanted: Table | None,
) -> None:
    """Let a revision drop and create indexes with expressions, comparing them by their text."""
    if wanted is None or schema is not None or context.connection is None:
        return
    query = (
        "SELECT name, sql FROM sqlite_master AS part WHERE type = 'index' AND tbl_name = ? "
        "AND EXISTS (SELECT 1 FROM pragma_index_info(part.name) AS item WHERE item.name IS NULL)"
    )
    rows = context.connection.exec_driver_sql(query, (name,))
    old = {index: tokens(sql) for index, sql in rows}
    for index in filter(is_expression_index, wanted.indexes):
        sql = tokens(str(CreateIndex(index).compile(dialect=context.dialect)))
        seen = old.get(str(index.name))
        if seen and seen.names == sql.names:
            del old[str(index.name)]
        else:
            steps.ops.append(CreateIndexOp.from_index(index))
    steps.ops[:0] = [DropIndexOp.from_index(_index(index, name, sql)) for index, sql in old.items()]


def _index(name: str, place: str, sql: Part) -> Index:
    """The index of this statement."""
    is_unique = sql[1].word == "unique"
    where = Part(sql[closing(sql, opening(sql)) + 2 :])
    options: Any = {"sqlite_where": _text(where)} if where else {}
    found = Table(place, MetaData())
    return Index(name, _text(sql.inside), unique=is_unique, _table=found, **options)


def _text(part: Part) -> TextClause:
    return text(str(part).replace(":", "\\:"))


@contextmanager
def without_false_warnings() -> Generator[None]:
    """Hide SQLAlchemy's warnings about indexes that it cannot reflect, as this module handles them."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Skipped unsupported reflection of expression-based")
        yield
