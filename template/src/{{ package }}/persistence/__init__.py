"""The kernel: units of work, repositories, and the database under them. It knows no feature.

What is imported here is its public surface; `migrations` and `doctor` are modules of their own.
"""

from ._base import Base, Identified, Timestamped, Versioned
from ._database import Database
from ._engine import Isolation
from ._errors import (
    AlreadyLeft,
    DatabaseError,
    DatabaseMisconfigured,
    DatabaseUnreachable,
    InvalidCursor,
    InvalidDatabaseUrl,
    MultipleFound,
    NestedUnitOfWork,
    NotEntered,
    NotFound,
    NotLoaded,
    PersistenceError,
    ReadOnly,
    SchemaMismatch,
    StaleVersion,
    UnitOfWorkError,
)
from ._page import Page
from ._repository import Repository
from ._settings import DatabaseSettings
from ._template import TEMPLATE_VERSION
from ._types import UTCDateTime, utcnow
from ._unit_of_work import Outcome, UnitOfWork

__all__ = [
    "TEMPLATE_VERSION",
    "AlreadyLeft",
    "Base",
    "Database",
    "DatabaseError",
    "DatabaseMisconfigured",
    "DatabaseSettings",
    "DatabaseUnreachable",
    "Identified",
    "InvalidCursor",
    "InvalidDatabaseUrl",
    "Isolation",
    "MultipleFound",
    "NestedUnitOfWork",
    "NotEntered",
    "NotFound",
    "NotLoaded",
    "Outcome",
    "Page",
    "PersistenceError",
    "ReadOnly",
    "Repository",
    "SchemaMismatch",
    "StaleVersion",
    "Timestamped",
    "UTCDateTime",
    "UnitOfWork",
    "UnitOfWorkError",
    "Versioned",
    "utcnow",
]
