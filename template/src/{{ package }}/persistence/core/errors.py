"""Every error that the kernel raises.

PersistenceError
├── UnitOfWorkError                 a unit of work was used as it cannot be used
│   ├── UnitOfWorkNotEntered            … before its `with` block
│   ├── UnitOfWorkClosed                … after its `with` block, or after `rollback()`
│   ├── WrongOwner                      … by a task or thread that did not open it
│   ├── NestedUnitOfWork                … opened inside another one
│   ├── ManualTransactionControl        … committed, rolled back or closed through its session
│   └── ReadOnly                        … written in, although it was opened to read
├── TransactionAborted              a statement failed, and the transaction with it: nothing is saved
├── CommitOutcomeUnknown            the connection was lost while the commit was under way
├── AlreadyExists                   another row has the same unique values
├── NotFound                        no row has the key, or meets the condition
├── MultipleFound                   several rows meet the condition of `one()`
├── StaleVersion                    the row was changed elsewhere since it was read
├── NotLoaded                       a relationship or attribute was used that was not read
├── InvalidCursor                   a page was asked for after a cursor that is none
├── InvalidValue                    a column cannot hold the value that a row or a condition has
└── DatabaseError                   the database is not what the code needs
    ├── InvalidDatabaseUrl              … it is named wrongly
    ├── DatabaseUnreachable             … it does not answer
    ├── DatabaseReadOnly                … it refuses every write
    ├── PoolExhausted                   … all of its connections are in use
    ├── DatabaseMisconfigured           … it answers, but without a setting that promises rest on
    ├── SchemaMismatch                  … its schema is behind or ahead of the code
    └── MigrationRefused                … a migration would lose something, and was rolled back
"""

from collections.abc import Sequence

from sqlalchemy.exc import IntegrityError


class PersistenceError(Exception):
    """The root of the tree."""


class UnitOfWorkError(PersistenceError, RuntimeError):
    """A unit of work was used as it cannot be used: the code is wrong, not the data."""


class UnitOfWorkNotEntered(UnitOfWorkError):
    """Used before its `with` block was entered."""


class UnitOfWorkClosed(UnitOfWorkError):
    """Used after its `with` block was left, or after its work was abandoned."""


class WrongOwner(UnitOfWorkError):
    """Used by another task or thread than the one that opened it."""


class NestedUnitOfWork(UnitOfWorkError):
    """Opened by a task or thread that already has one open."""


class ManualTransactionControl(UnitOfWorkError):
    """Committed, rolled back or closed through its session, which only the unit itself does."""


class ReadOnly(UnitOfWorkError):
    """Written in, although it was opened with `read_only=True`."""


class TransactionAborted(PersistenceError):
    """A statement failed and the database gave the transaction up: there is nothing to commit."""


class CommitOutcomeUnknown(PersistenceError):
    """The connection was lost while the commit was under way: it may have happened or not.

    `transaction_id` is for `database.outcome_of()`, and for nothing else: it says which transaction
    it was, and of which start of the server. None if the unit of work was not opened with
    `verifiable=True`, wrote nothing, or runs on SQLite.
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


class NotFound(PersistenceError, LookupError):
    """No row has the key, or meets the condition."""


class MultipleFound(PersistenceError, LookupError):
    """Several rows meet the condition where one was asked for."""


class StaleVersion(PersistenceError):
    """The row was changed by another unit of work since it was read."""


class NotLoaded(PersistenceError, RuntimeError):
    """A relationship or an attribute was used whose value the unit has not read."""


class InvalidCursor(PersistenceError, ValueError):
    """The cursor was not made by the same kind of page."""


class InvalidValue(PersistenceError, ValueError):
    """The column cannot hold the value that a row or a condition has."""


class DatabaseError(PersistenceError):
    """The database is not what the code needs."""


class InvalidDatabaseUrl(DatabaseError, ValueError):
    """The URL does not name a database that this project can use."""


class DatabaseUnreachable(DatabaseError, ConnectionError):
    """The database does not answer."""


class DatabaseReadOnly(DatabaseError):
    """The database refused a write in a unit of work that may write: it only reads, for now."""


class PoolExhausted(DatabaseError, TimeoutError):
    """No connection was free in time; the message says which units of work hold them."""


class DatabaseMisconfigured(DatabaseError):
    """The database answers, but without a setting that the kernel's promises rest on."""


class SchemaMismatch(DatabaseError):
    """The schema is behind or ahead of the code, or the models have no revision yet."""


class MigrationRefused(DatabaseError):
    """A migration would lose rows, values or a part of the schema, or the database refuses it."""
