"""The kernel: units of work, repositories, and the database under them. It knows no feature.

What is imported here is its public surface; `migrations` and `doctor` are modules of their own.
"""

from ._template import TEMPLATE_VERSION
from .core.base import Base, Identified, Timestamped, Versioned
from .core.errors import (
    AlreadyExists,
    CommitOutcomeUnknown,
    DatabaseError,
    DatabaseMisconfigured,
    DatabaseReadOnly,
    DatabaseUnreachable,
    InvalidCursor,
    InvalidDatabaseUrl,
    InvalidValue,
    ManualTransactionControl,
    MigrationRefused,
    MultipleFound,
    NestedUnitOfWork,
    NotFound,
    NotLoaded,
    PersistenceError,
    PoolExhausted,
    ReadOnly,
    SchemaMismatch,
    ServerDemoted,
    StaleVersion,
    TransactionAborted,
    UnitOfWorkClosed,
    UnitOfWorkError,
    UnitOfWorkNotEntered,
    WrongOwner,
)
from .core.types import (
    Datetime,
    EnumValue,
    Fixed,
    FixedPoint,
    Int32,
    Int64,
    Json,
    Str,
    UTCDateTime,
    utcnow,
)
from .drivers.engine import Isolation
from .drivers.settings import DatabaseSettings
from .rows.page import Page
from .rows.repository import Repository
from .units.database import Database, my_units
from .units.listener import Listener
from .units.retry import is_conflict
from .units.stats import Outcome, Stats
from .units.unit_of_work import UnitOfWork

__all__ = [
    "TEMPLATE_VERSION",
    "AlreadyExists",
    "Base",
    "CommitOutcomeUnknown",
    "Database",
    "DatabaseError",
    "DatabaseMisconfigured",
    "DatabaseReadOnly",
    "DatabaseSettings",
    "DatabaseUnreachable",
    "Datetime",
    "EnumValue",
    "Fixed",
    "FixedPoint",
    "Identified",
    "Int32",
    "Int64",
    "InvalidCursor",
    "InvalidDatabaseUrl",
    "InvalidValue",
    "Isolation",
    "Json",
    "Listener",
    "ManualTransactionControl",
    "MigrationRefused",
    "MultipleFound",
    "NestedUnitOfWork",
    "NotFound",
    "NotLoaded",
    "Outcome",
    "Page",
    "PersistenceError",
    "PoolExhausted",
    "ReadOnly",
    "Repository",
    "SchemaMismatch",
    "ServerDemoted",
    "StaleVersion",
    "Stats",
    "Str",
    "Timestamped",
    "TransactionAborted",
    "UTCDateTime",
    "UnitOfWork",
    "UnitOfWorkClosed",
    "UnitOfWorkError",
    "UnitOfWorkNotEntered",
    "Versioned",
    "WrongOwner",
    "is_conflict",
    "my_units",
    "utcnow",
]
