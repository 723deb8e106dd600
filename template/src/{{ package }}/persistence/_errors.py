"""Every error that the kernel raises.

PersistenceError
├── UnitOfWorkError                 a unit of work was used as it cannot be used
│   ├── NotEntered                      … before its `with` block
│   ├── AlreadyLeft                     … after its `with` block, or after `rollback()`
│   ├── NestedUnitOfWork                … opened inside another one
│   └── ReadOnly                        … written in, although it was opened to read
├── NotFound                        no row has the key, or meets the condition
├── MultipleFound                   several rows meet the condition of `one()`
├── StaleVersion                    the row was changed elsewhere since it was read
├── NotLoaded                       a relationship was used that the query did not load
├── InvalidCursor                   a page was asked for after a cursor that is none
└── DatabaseError                   the database is not what the code needs
    ├── InvalidDatabaseUrl              … it is named wrongly
    ├── DatabaseUnreachable             … it does not answer
    ├── DatabaseMisconfigured           … it answers, but without a setting that promises rest on
    └── SchemaMismatch                  … its schema is behind or ahead of the code
"""


class PersistenceError(Exception):
    """The root of the tree."""


class UnitOfWorkError(PersistenceError, RuntimeError):
    """A unit of work was used as it cannot be used: the code is wrong, not the data."""


class NotEntered(UnitOfWorkError):
    """Used before its `with` block was entered."""


class AlreadyLeft(UnitOfWorkError):
    """Used after its `with` block was left, or after its work was abandoned."""


class NestedUnitOfWork(UnitOfWorkError):
    """Opened by a task or thread that already has one open."""


class ReadOnly(UnitOfWorkError):
    """Written in, although it was opened with `read_only=True`."""


class NotFound(PersistenceError, LookupError):
    """No row has the key, or meets the condition."""


class MultipleFound(PersistenceError, LookupError):
    """Several rows meet the condition where one was asked for."""


class StaleVersion(PersistenceError):
    """The row was changed by another unit of work since it was read."""


class NotLoaded(PersistenceError, RuntimeError):
    """A relationship was used that the query did not load."""


class InvalidCursor(PersistenceError, ValueError):
    """The cursor was not made by the same kind of page."""


class DatabaseError(PersistenceError):
    """The database is not what the code needs."""


class InvalidDatabaseUrl(DatabaseError, ValueError):
    """The URL does not name a database that this project can use."""


class DatabaseUnreachable(DatabaseError, ConnectionError):
    """The database does not answer."""


class DatabaseMisconfigured(DatabaseError):
    """The database answers, but without a setting that the kernel's promises rest on."""


class SchemaMismatch(DatabaseError):
    """The schema is behind or ahead of the code, or the models have no revision yet."""
