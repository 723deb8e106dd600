"""Every error that the kernel raises.

PersistenceError
├── UnitOfWorkError                 the code uses a unit of work in a way that is not allowed
│   ├── UnitOfWorkNotEntered            … before its `with` block
│   ├── UnitOfWorkClosed                … after its `with` block, or after `rollback()`
│   ├── WrongOwner                      … in another task or thread than the one that opened it
│   ├── NestedUnitOfWork                … by opening it inside another one
│   ├── ManualTransactionControl        … by committing, rolling back or closing its session
│   └── ReadOnly                        … by writing, although it was opened with `read_only=True`
├── TransactionAborted              the transaction has ended after an error; nothing is saved
├── CommitOutcomeUnknown            the connection was lost during the commit
├── AlreadyExists                   another row has the same unique values
├── NotFound                        no row has this key or meets these conditions
├── MultipleFound                   several rows meet the conditions of `one()`
├── StaleVersion                    another unit of work has changed the row since it was read
├── NotLoaded                       a relationship or attribute was not loaded with its row
├── InvalidCursor                   the cursor of a page is not valid for this query
├── InvalidValue                    a column cannot hold a value of a row or a condition
└── DatabaseError                   the database is not as the code needs it
    ├── InvalidDatabaseUrl              … its URL cannot be used
    ├── DatabaseUnreachable             … it does not answer
    ├── DatabaseReadOnly                … it refuses every write
    │   └── ServerDemoted                   … because another server has taken its place
    ├── PoolExhausted                   … all of its connections are in use
    ├── DatabaseMisconfigured           … a setting that the kernel relies on is wrong
    ├── SchemaMismatch                  … its schema is behind or ahead of the code
    └── MigrationRefused                … a migration would lose data, or was refused

Tracebacks and logs end with a note that names the section of `docs/errors.md` about the error.
"""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, cast

from sqlalchemy.exc import IntegrityError


class PersistenceError(Exception):
    """The base class of every error in this module.

    The note of a traceback names `help_page`. A subclass of yours inherits it, and may
    name a page of your own.
    """

    help_page: ClassVar[str] = "docs/errors.md"

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__(**options)
        if cls.__module__ == __name__:
            cls.help_page = f"docs/errors.md#{cls.__name__.lower()}"

    def __init__(self, *args: object) -> None:
        super().__init__(*args)
        self.add_note(f"See {self.help_page}")


class UnitOfWorkError(PersistenceError, RuntimeError):
    """The code uses a unit of work in a way that is not allowed."""


class UnitOfWorkNotEntered(UnitOfWorkError):
    """The unit of work was used before its `with` block, or its database is not open."""


class UnitOfWorkClosed(UnitOfWorkError):
    """The unit of work was used after its `with` block, or after `rollback()`."""


class WrongOwner(UnitOfWorkError):
    """The unit of work was used in another task or thread than the one that opened it."""


class NestedUnitOfWork(UnitOfWorkError):
    """A unit of work was opened inside another one of the same task or thread."""


class ManualTransactionControl(UnitOfWorkError):
    """Code tried to commit, roll back or close the session; only the unit of work does that."""


class ReadOnly(UnitOfWorkError):
    """A unit of work that was opened with `read_only=True` tried to write."""


class TransactionAborted(PersistenceError):
    """The transaction has ended after an error, so there is nothing to commit."""


class CommitOutcomeUnknown(PersistenceError):
    """The connection was lost during the commit, which may have happened or not.

    Pass `transaction_id` to `database.outcome_of()` to ask the server. It is None if the unit of
    work was opened without `verifiable=True`, wrote nothing, or runs on SQLite.
    """

    def __init__(self, message: str, transaction_id: int | None = None) -> None:
        super().__init__(message)
        self.transaction_id = transaction_id


class AlreadyExists(PersistenceError, IntegrityError):
    """Another row has the same values of `attributes`, which must be unique."""

    def __init__(self, message: str, attributes: Sequence[str], failure: IntegrityError) -> None:
        super().__init__(failure.statement, failure.params, failure.orig or failure)
        self.message = message
        self.attributes = attributes

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]:
        """Pickle the arguments of this class and not those of IntegrityError."""
        failure = IntegrityError(self.statement, self.params, cast("BaseException", self.orig))
        return type(self), (self.message, self.attributes, failure), self.__dict__


class NotFound(PersistenceError, LookupError):
    """No row has this key, or no row meets these conditions."""


class MultipleFound(PersistenceError, LookupError):
    """Several rows meet the conditions of `one()`."""


class StaleVersion(PersistenceError):
    """Another unit of work has changed the row since this one read it."""


class NotLoaded(PersistenceError, RuntimeError):
    """A relationship or an attribute was used that was not loaded with its row."""


class InvalidCursor(PersistenceError, ValueError):
    """The cursor does not belong to this query, or is damaged."""


class InvalidValue(PersistenceError, ValueError):
    """A value in a row or a condition does not fit its column; nothing was sent."""


class DatabaseError(PersistenceError):
    """The database is not as the code needs it."""


class InvalidDatabaseUrl(DatabaseError, ValueError):
    """The URL does not name a database that this project can use."""


class DatabaseUnreachable(DatabaseError, ConnectionError):
    """The database does not answer."""


class DatabaseReadOnly(DatabaseError):
    """The database refused a write in a unit of work that may write."""


class ServerDemoted(DatabaseReadOnly):
    """The server has become a standby; a new connection may reach the new primary."""


class PoolExhausted(DatabaseError, TimeoutError):
    """No connection was free in time; the message names the units of work that hold them."""


class DatabaseMisconfigured(DatabaseError):
    """The database answers, but a setting that the kernel relies on is wrong."""


class SchemaMismatch(DatabaseError):
    """The schema is behind or ahead of the code, or models have changed without a revision."""


class MigrationRefused(DatabaseError):
    """A migration would lose data or a part of the schema, or the database refused it."""
