"""Alembic on SQLite: a table that is made anew keeps everything that the migration does not change.

SQLite cannot alter much, so Alembic makes a new table from what SQLAlchemy knows of the old one, copies
the rows, and drops the old one. SQLAlchemy does not know all, and triggers go with the old table. Here
the new table is made from the old one's text, and indexes and triggers from theirs; a migration that
would leave a view or a trigger broken, or lose a value, is refused.
"""

import warnings
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count, product
from typing import Any

from alembic.autogenerate import comparators
from alembic.autogenerate.api import AutogenContext
from alembic.ddl._autogen import ComparisonResult
from alembic.ddl.sqlite import SQLiteImpl
from alembic.operations.batch import ApplyBatchImpl
from alembic.operations.ops import DropIndexOp, ModifyTableOps
from sqlalchemy import BLOB, Column, Connection, Index, MetaData, Table, TextClause, func, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.types import NullType, TypeEngine

from ._checks import reason
from ._errors import MigrationRefused
from ._retype import conversion, require_survival, require_values, spelled
from ._table_sql import Part, TableSql, closing, merged, parsed, tokens

Batch = Any  # Alembic's, which has few types

WAY_OUT = "change that first, in this revision or in one before it"


class LosslessSQLite(SQLiteImpl):
    """What Alembic runs for this database; defining the class registers it."""

    __dialect__ = "sqlite"

    _rebuild: "Rebuild | None" = None
    _stated: Mapping[str, TypeEngine[Any]] = {}

    def requires_recreate_in_batch(self, batch_op: Batch) -> bool:
        """Drop indexes first: Alembic knows none of those that have expressions."""
        needed = super().requires_recreate_in_batch(batch_op)
        self._stated = {
            arguments[1]: options["existing_type"]
            for step, arguments, options in batch_op.batch
            if step == "alter_column" and options.get("existing_type") is not None
        }
        if needed and self._is_lossless():
            for step in [step for step in batch_op.batch if step[0] == "drop_index"]:
                batch_op.batch.remove(step)
                self.drop_index(*step[1], **step[2])
        return needed

    def cast_for_batch_migrate(
        self, existing: Any, existing_transfer: dict[str, Any], new_type: TypeEngine[Any]
    ) -> None:
        """Remember that the type changes; `prep_table_for_batch` knows more."""
        stated = self._stated.get(existing.name)
        if stated is None or self._spelled(stated) != self._spelled(existing.type):
            stated = existing.type
        existing_transfer["retyped"] = stated, new_type

    def prep_table_for_batch(self, batch_impl: Batch, table: Table) -> None:
        """Convert the rows that have to be, and take over the rebuild."""
        if self.connection is None:
            return
        if self._is_lossless() and table.schema is None:
            self._rebuild = Rebuild(self, self.connection, batch_impl, table)
        convert_rows(self.connection, batch_impl, table)

    def correct_for_autogen_constraints(
        self,
        conn_unique_constraints: Any,
        conn_indexes: Any,
        metadata_unique_constraints: Any,
        metadata_indexes: Any,
    ) -> None:
        """Compare indexes with expressions by their text: SQLAlchemy does not see those of the file."""
        there = indexes_of(self.connection) if self.connection else ()
        for index, (name, table, sql, is_unseen) in product([*metadata_indexes], there):
            if (name, table) != (index.name, index.table.name):
                continue
            if is_unseen or not all(isinstance(each, Column) for each in index.expressions):
                for seen in [each for each in conn_indexes if each.name == name]:
                    conn_indexes.discard(seen)
                wanted = str(CreateIndex(index).compile(dialect=self.dialect))
                if tokens(sql).names == tokens(wanted).names:
                    metadata_indexes.discard(index)
                else:
                    conn_indexes.add(_index_of(name, table, sql))

    def compare_indexes(self, metadata_index: Index, reflected_index: Index) -> ComparisonResult:
        """An index that `correct_for_autogen_constraints` has added is another one."""
        if reflected_index.info.get("differs"):
            return ComparisonResult.Different("another expression")
        return super().compare_indexes(metadata_index, reflected_index)

    def create_table(self, table: Table, **kw: Any) -> None:
        """Make the new table of a rebuild from the old one's text."""
        if self._rebuild and self._rebuild.new is table:
            self._rebuild.create()
        else:
            super().create_table(table, **kw)

    def rename_table(self, old_table_name: str, new_table_name: Any, schema: Any = None) -> None:
        """Give the new table its name, then restore what the old one took along."""
        rebuild, self._rebuild = self._rebuild, None
        if rebuild is None or rebuild.new.name != old_table_name:
            super().rename_table(old_table_name, new_table_name, schema)
            return
        # Without this, SQLite looks at every view first, and some name the table that is gone.
        self.execute("PRAGMA legacy_alter_table=ON")
        super().rename_table(old_table_name, new_table_name, schema)
        self.execute("PRAGMA legacy_alter_table=OFF")
        rebuild.restore()

    def _spelled(self, type_: TypeEngine[Any]) -> str:
        return type_.compile(self.dialect)

    def _is_lossless(self) -> bool:
        return (
            bool(self.context_opts.get("lossless_rebuilds", True)) and self.connection is not None
        )


def indexes_of(connection: Connection) -> Sequence[Any]:
    """Each index: its name, table and statement, and whether SQLAlchemy does not see it."""
    query = (
        "SELECT name, tbl_name, sql, "
        "EXISTS (SELECT 1 FROM pragma_index_info(part.name) AS item WHERE item.name IS NULL) "
        "FROM sqlite_master AS part WHERE type = 'index' AND sql IS NOT NULL"
    )
    return connection.exec_driver_sql(query).all()


def _index_of(name: str, table: str, sql: str) -> Index:
    """The index as it is in the file."""
    words = tokens(sql)
    first = words.names.index("(")
    last = closing(words, first)
    inside, after = Part(words[first + 1 : last]), Part(words[last + 2 :])
    options: Any = {"sqlite_where": _text(after)} if after else {}
    return Index(
        name,
        _text(inside),
        unique=words[1].word == "unique",
        info={"differs": True},
        _table=Table(table, MetaData()),
        **options,
    )


def _text(part: Part) -> TextClause:
    return text(str(part).replace(":", "\\:"))


@comparators.dispatch_for("table")
def drop_indexes(
    context: AutogenContext,
    steps: ModifyTableOps,
    schema: str | None,
    name: str,
    there: Table | None,
    wanted: Table | None,
) -> None:
    """A revision drops the indexes with expressions that the models do not have any more."""
    if there is None or wanted is None or schema is not None or context.connection is None:
        return
    names = {index.name for index in wanted.indexes}
    for index, table, sql, is_unseen in indexes_of(context.connection):
        if table == name and index not in names and is_unseen:
            steps.ops.append(DropIndexOp.from_index(_index_of(index, table, sql)))


class Rebuild:
    """One table, on its way from the old one to the new one."""

    def __init__(
        self, impl: LosslessSQLite, connection: Connection, batch: Batch, table: Table
    ) -> None:
        self.impl, self.connection = impl, connection
        self.name = str(table.name)
        self.new: Table = batch.new_table
        self.broken = dict(broken(connection))
        self._rename(batch, table)
        before = self._as_known()
        self.sql = self._merged(before, batch)
        self.parts = self._parts(before, batch)
        self.indexes = list(batch.new_indexes.values())
        batch.indexes.clear()
        batch.new_indexes.clear()
        self.sequence = self._sequence()

    def create(self) -> None:
        """Make the new table."""
        with refusing(f"{self.name} cannot be made anew"):
            self.connection.exec_driver_sql(self.sql)

    def restore(self) -> None:
        """Make indexes and triggers again. Raises MigrationRefused if something has been lost."""
        for name, statement in self.parts.items():
            with refusing(f"{name} of {self.name} cannot be made again"):
                self.connection.exec_driver_sql(statement)
        for index in self.indexes:
            self.connection.execute(CreateIndex(index))
        if self.sequence is not None:
            self._count_on(self.sequence)
        for name, cause in broken(self.connection):
            if name not in self.broken:
                raise MigrationRefused(f"{name} would not work any more: {cause}; {WAY_OUT}")

    def _rename(self, batch: Batch, table: Any) -> None:
        """Let SQLite rename columns: it does so in indexes, triggers and views too."""
        self.renamed = dict[str, str]()
        for key, transfer in batch.column_transfers.items():
            if name := transfer.get("name"):
                old, new = self._quoted(table.c[key].name), self._quoted(name)
                with refusing(f"{key} of {self.name} cannot be renamed"):
                    self.connection.exec_driver_sql(
                        f"ALTER TABLE {self._quoted(self.name)} RENAME COLUMN {old} TO {new}"
                    )
                self.renamed[key.lower()] = name
                table.c[key].name = name

    def _as_known(self) -> Batch:
        """The old table as SQLAlchemy knows it, unchanged."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of what it does not know
            listeners = [("column_reflect", self.impl.autogen_column_reflect)]
            table = Table(self.name, MetaData(), autoload_with=self.connection, listeners=listeners)
            known: Batch = ApplyBatchImpl(self.impl, table, (), {}, True)
            known._transfer_elements_to_new_table()
        return known

    def _merged(self, known: Batch, batch: Batch) -> str:
        """The statement that makes the new table."""
        query = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ? COLLATE NOCASE"
        statement = self.connection.exec_driver_sql(query, (self.name,)).scalar_one()
        try:
            now = parsed(statement)
        except ValueError as error:
            raise MigrationRefused(
                f"{self.name} cannot be made anew: {error}; {WAY_OUT}"
            ) from error
        for key, transfer in batch.column_transfers.items():
            column = now.columns.get(str(self.renamed.get(key.lower(), key)).lower())
            if column and column.is_generated:
                transfer.pop("expr", None)  # its values are not copied, but computed again
        after = self._text_of(self.new).renamed(self.renamed, self.name.lower())
        before = self._text_of(known.new_table)
        _require_independence(self.name, now, {*before.columns} - {*after.columns})
        return merged(self._quoted(self.new.name), now, before, after)

    def _text_of(self, table: Table) -> TableSql:
        for column in table.c:
            if isinstance(column.type, NullType):  # it has none, and keeps none
                column.type = BLOB()
        return parsed(str(CreateTable(table).compile(dialect=self.connection.dialect)))

    def _parts(self, known: Batch, batch: Batch) -> Mapping[str, str]:
        """The statements of the indexes and triggers that stay, by what they make.

        An index goes with its column, as on PostgreSQL.
        """
        columns = {column.name for column in batch.columns.values()}
        gone = {
            name
            for name, index in known.indexes.items()
            if name not in batch.indexes or not {*index.columns.keys()} <= columns
        }
        rows = self.connection.exec_driver_sql(
            "SELECT type, name, sql FROM sqlite_master WHERE tbl_name = ? COLLATE NOCASE "
            "AND type IN ('index', 'trigger') AND sql IS NOT NULL ORDER BY rowid",
            (self.name,),
        )
        return {f"{kind} {name}": sql for kind, name, sql in rows if name not in gone}

    def _sequence(self) -> int | None:
        """The number that AUTOINCREMENT has come to: it never hands one out again."""
        query = "SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'"
        if self.connection.exec_driver_sql(query).scalar() is None:
            return None
        query = "SELECT seq FROM sqlite_sequence WHERE name = ?"
        return self.connection.exec_driver_sql(query, (self.name,)).scalar()

    def _count_on(self, sequence: int) -> None:
        self.connection.exec_driver_sql("DELETE FROM sqlite_sequence WHERE name = ?", (self.name,))
        self.connection.exec_driver_sql(
            "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (self.name, sequence)
        )

    def _quoted(self, name: str) -> str:
        return self.connection.dialect.identifier_preparer.quote(name)


@contextmanager
def without_false_warnings(*, lossless: bool = True) -> Generator[None]:
    """SQLAlchemy and Alembic warn of what they do not know of a table, and this module does."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Skipped unsupported reflection of expression-based")
        if lossless:
            warnings.filterwarnings("ignore", "Unnamed CHECK constraint")
        yield


def _require_independence(table: str, now: TableSql, gone: set[str]) -> None:
    """Raises MigrationRefused for a CHECK or a generated column that names a column which is dropped."""
    rules = [
        *now.rules,
        *(r for name, c in now.columns.items() if name not in gone for r in c.rules),
    ]
    for rule in rules:
        if rule.kind in {"check", "generated"} and (named := gone & {*rule.part.names}):
            raise MigrationRefused(
                f"{', '.join(sorted(named))} of {table} cannot be dropped: {rule.part} names it; {WAY_OUT}"
            )


@contextmanager
def refusing(what: str) -> Generator[None]:
    """Name what the database says no to."""
    try:
        yield
    except DBAPIError as error:
        raise MigrationRefused(f"{what}: {reason(error)}; {WAY_OUT}") from error


def broken(connection: Connection) -> Iterator[tuple[str, str]]:
    """The views and triggers that do not work, and why."""
    rows = connection.exec_driver_sql(
        "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE type IN ('view', 'trigger')"
    ).all()
    for kind, name, table, sql in rows:
        try:
            statement = _probe(connection, kind, table, sql)
            connection.exec_driver_sql(f"EXPLAIN {statement}").close()
        except DBAPIError as error:
            yield f"{kind} {name}", reason(error)


def _probe(connection: Connection, kind: str, table: str, sql: str) -> str:
    """A statement that SQLite can compile only if the view or the trigger works."""
    quoted = connection.dialect.identifier_preparer.quote(table)
    if kind == "view":
        return f"SELECT * FROM {quoted}"  # noqa: S608
    words = tokens(sql)
    place, event = next(
        (place, token.word)
        for place, token in enumerate(words)
        if token.word in {"insert", "update", "delete"}
    )
    if event == "delete":
        return f"DELETE FROM {quoted}"  # noqa: S608
    rows = connection.exec_driver_sql(f"PRAGMA table_xinfo({quoted})").all()
    columns = [f'"{row.name}"' for row in rows if row.hidden == 0]
    if event == "insert":
        return f"INSERT INTO {quoted} ({columns[0]}) VALUES (NULL)"  # noqa: S608
    if words[place + 1].word == "of":
        end = next(n for n in range(place, len(words)) if words[n].word == "on")
        columns = [token.text for token in words[place + 2 : end] if token.text != ","]
    values = ", ".join(f"{column} = NULL" for column in columns)
    return f"UPDATE {quoted} SET {values}"  # noqa: S608


# Rows ----------------------------------------------------------------------------------

_numbers = count(1)


def convert_rows(connection: Connection, batch: Batch, table: Any) -> None:
    """Let each value be copied as its new type. Raises MigrationRefused if one would not survive."""
    for key, transfer in batch.column_transfers.items():
        column: Any = transfer.get("expr")
        if column is None:
            continue
        if table.c[key].nullable and not batch.columns[key].nullable:
            require_values(connection, table, column)
        if "retyped" in transfer:
            old, new = transfer["retyped"]
            if convert := conversion(old, new, connection.dialect):
                converted, is_lost = _functions(connection, convert)
                name = spelled(new, connection.dialect)
                require_survival(connection, table, column, is_lost(column), name)
                transfer["expr"] = converted(column)


def _functions(connection: Connection, convert: Callable[[Any], Any]) -> Sequence[Any]:
    """SQL functions for this connection: one that converts, and one that tells what would be lost."""

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
