"""The kernel: units of work, repositories, and the database under them. It knows no feature.

What is imported here is its public surface; `migrations` and `doctor` are modules of their own.
"""

from ._base import Base, Identified, Timestamped, Versioned
from ._database import Database, my_units
from ._engine import Isolation
from ._errors import (
    AlreadyExists,
    AlreadyLeft,
    CommitOutcomeUnknown,
    DatabaseError,
    DatabaseMisconfigured,
    DatabaseReadOnly,
    DatabaseUnreachable,
    EndedByHand,
    InvalidCursor,
    InvalidDatabaseUrl,
    InvalidValue,
    MigrationRefused,
    MultipleFound,
    NestedUnitOfWork,
    NotEntered,
    NotFound,
    NotLoaded,
    PersistenceError,
    PoolExhausted,
    ReadOnly,
    SchemaMismatch,
    StaleVersion,
    TransactionAborted,
    UnitOfWorkError,
    WrongOwner,
)
from ._notices import Notices
from ._page import Page
from ._repository import Repository
from ._retry import is_conflict
from ._settings import DatabaseSettings
from ._stats import Outcome, Stats
from ._template import TEMPLATE_VERSION
from ._types import Datetime, EnumValue, FixedPoint, Int32, Int64, Json, Str, UTCDateTime, utcnow
from ._unit_of_work import UnitOfWork

__all__ = [
    "TEMPLATE_VERSION",
    "AlreadyExists",
    "AlreadyLeft",
    "Base",
    "CommitOutcomeUnknown",
    "Database",
    "DatabaseError",
    "DatabaseMisconfigured",
    "DatabaseReadOnly",
    "DatabaseSettings",
    "DatabaseUnreachable",
    "Datetime",
    "EndedByHand",
    "EnumValue",
    "FixedPoint",
    "Identified",
    "Int32",
    "Int64",
    "InvalidCursor",
    "InvalidDatabaseUrl",
    "InvalidValue",
    "Isolation",
    "Json",
    "MigrationRefused",
    "MultipleFound",
    "NestedUnitOfWork",
    "NotEntered",
    "NotFound",
    "NotLoaded",
    "Notices",
    "Outcome",
    "Page",
    "PersistenceError",
    "PoolExhausted",
    "ReadOnly",
    "Repository",
    "SchemaMismatch",
    "StaleVersion",
    "Stats",
    "Str",
    "Timestamped",
    "TransactionAborted",
    "UTCDateTime",
    "UnitOfWork",
    "UnitOfWorkError",
    "Versioned",
    "WrongOwner",
    "is_conflict",
    "my_units",
    "utcnow",
]
