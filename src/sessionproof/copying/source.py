"""Another database, to be copied from: one snapshot of it, which nobody can change through it."""

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
    """What the databases do each in its own way."""

    def engine(self, url: URL) -> Engine: ...
    def set_up(self, connection: Connection) -> None: ...
    def identity(self, connection: Connection) -> object: ...
    def prepare(self, session: Session, group: Sequence[Table]) -> Sequence[TableClause]: ...
    def finish(self, session: Session, group: Sequence[Table]) -> None: ...


_KINDS: Mapping[str, Kind] = {"sqlite": sqlite, "postgresql": postgresql}


@dataclass(frozen=True)
class Source:
    """The database that is read."""

    name: str  # its URL, without secrets
    connection: Connection

    def count(self, layout: Layout) -> int:
        """How many rows a table has."""
        return self.connection.scalar(select(func.count()).select_from(layout.table)) or 0

    def rows(self, layout: Layout) -> Result[Any]:
        """The rows of a table, to be read in partitions and closed."""
        return self.connection.execute(layout.rows())


def kind(connection: Connection) -> Kind:
    """The functions for the database at the other end."""
    return _KINDS[connection.dialect.name]


def revisions(connection: Connection) -> str:
    """The revisions that the schema is at."""
    return ", ".join(sorted(MigrationContext.configure(connection).get_current_heads()))


@contextmanager
def reading(value: str, kernel: Any, settings: Any) -> Generator[Source]:
    """Open the database with this URL to read it. Raises CopyRefused if it cannot be read."""
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
                f"cannot read {name}: {cause}; is it there, and are you allowed to?"
            ) from error
        yield Source(name, connection)


def _parse(value: str) -> URL:
    try:
        url = make_url(value)
    except (ArgumentError, ValueError) as error:  # which may repeat a part of the password
        raise CopyRefused(f"source must be a URL like {_EXAMPLES}, got none") from error
    dialect = url.get_backend_name()
    url = url.set(drivername="postgresql" if dialect == "postgres" else dialect)
    if url.drivername not in _KINDS or url.database in (None, "", ":memory:"):
        raise CopyRefused(f"source must name a database, like {_EXAMPLES}, got {url.set(query={})}")
    return url


@contextmanager
def _connected(url: URL, kernel: Any, settings: Any) -> Generator[Connection]:
    """A server is reached as the project reaches its own; a file of its would be opened to write."""
    if url.drivername == settings.database_url.drivername == "postgresql":
        terms = {"read_only": True, "isolation": "repeatable read"}
        there = type(settings)(database_url=url)
        with opened(kernel, there) as database, database.unit_of_work(**terms) as run:
            yield run(lambda session: session.connection())
    else:
        with _KINDS[url.drivername].engine(url).connect() as connection:
            yield connection
