"""The database to copy from, read in one read-only snapshot."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from alembic.migration import MigrationContext
from sqlalchemy import (
    URL,
    Connection,
    Engine,
    Result,
    Table,
    TableClause,
    func,
    make_url,
    select,
)
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.orm import Session

from . import postgresql, sqlite
from .errors import CopyRefused, reason
from .layout import Layout
from .target import opened

_EXAMPLES = "sqlite:///old.db or postgresql://user:password@host/name"


class Kind(Protocol):
    """The steps of a copy that differ between databases."""

    def engine(self, url: URL) -> Engine: ...
    def set_up(self, connection: Connection) -> None: ...
    def identity(self, connection: Connection) -> object: ...
    def prepare(self, session: Session, group: Sequence[Table]) -> Sequence[TableClause]: ...
    def finish(self, session: Session, group: Sequence[Table]) -> None: ...


_KINDS: Mapping[str, Kind] = {"sqlite": sqlite, "postgresql": postgresql}


@dataclass(frozen=True)
class Source:
    """The open database to copy from."""

    name: str  # its URL, without secrets
    connection: Connection

    def count(self, layout: Layout) -> int:
        """Return the number of rows of a table."""
        return self.connection.scalar(select(func.count()).select_from(layout.table)) or 0

    def rows(self, layout: Layout) -> Result[Any]:
        """Return the rows of a table. Read them in partitions and close the result."""
        return self.connection.execute(layout.rows())


def kind(connection: Connection) -> Kind:
    """Return the steps for the database of this connection."""
    return _KINDS[connection.dialect.name]


def revisions(connection: Connection) -> str:
    """Return the schema's current revisions."""
    return ", ".join(sorted(MigrationContext.configure(connection).get_current_heads()))


@contextmanager
def reading(value: str, kernel: Any, settings: Any) -> Generator[Source]:
    """Open the database at this URL for reading. Raises CopyRefused if it cannot be read."""
    url = _parse(value)
    name = str(url.set(query={}))
    with ExitStack() as stack:
        try:
            connection = stack.enter_context(_connected(url, kernel, settings))
            kind(connection).set_up(connection)
        except (OSError, DBAPIError, kernel.DatabaseUnreachable) as error:
            is_told = isinstance(error, kernel.DatabaseUnreachable) and error.__cause__
            cause = reason(is_told or error)
            raise CopyRefused(
                f"cannot read {name}: {cause}; check that it exists and that you may read it"
            ) from error
        yield Source(name, connection)


def _parse(value: str) -> URL:
    try:
        url = make_url(value)
    except (ArgumentError, ValueError) as error:  # its message may contain a part of the password
        raise CopyRefused(f"the source is not a URL; write it like {_EXAMPLES}") from error
    dialect = url.get_backend_name()
    url = url.set(drivername="postgresql" if dialect == "postgres" else dialect)
    if url.drivername not in _KINDS or url.database in (None, "", ":memory:"):
        raise CopyRefused(f"the source {url.set(query={})} is not a database; write {_EXAMPLES}")
    return url


@contextmanager
def _connected(url: URL, kernel: Any, settings: Any) -> Generator[Connection]:
    """Connect read-only: to PostgreSQL with the project's own driver if it uses that, else directly."""
    if url.drivername == settings.database_url.drivername == "postgresql":
        terms = {"read_only": True, "isolation": "repeatable read"}
        there = type(settings)(database_url=url)
        with opened(kernel, there) as database, database.unit_of_work(**terms) as run:
            yield run(lambda session: session.connection())
    else:
        with _KINDS[url.drivername].engine(url).connect() as connection:
            yield connection
