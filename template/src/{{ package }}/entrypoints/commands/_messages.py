"""The message of an error that people can act on."""

import re

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsError
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError

from ...errors import DomainError
from ...persistence import PersistenceError

FOLLOWS = "default_factory_not_called"  # Pydantic's name for it


def message_of(error: Exception) -> str | None:
    """The message in one line; None if the error is a bug, or already has a message for people."""
    match error:
        case DomainError() | PersistenceError():
            return str(error)
        case ValidationError():
            # Pydantic also reports each default that depends on the wrong value.
            parts = [part for part in error.errors() if part["type"] != FOLLOWS]
            return "; ".join(map(_complaint, parts))
        case SettingsError():
            names = ", ".join(re.findall(r'field "(\w+)"', str(error))).upper()
            return f'{names} must be written as JSON, for example ["one", "two"]'
        case IntegrityError():
            return f"the database refused that: {_reason(error)}"
        case OperationalError():
            return f"the database failed: {error.orig}"
        case StatementError(orig=ValueError() | OverflowError()):
            return f"a value cannot be stored: {error.orig}"
        case _:
            return None


def _complaint(part: ErrorDetails) -> str:
    """The sentence of our own validator, or else Pydantic's with the field's name."""
    own = part.get("ctx", {}).get("error")
    if isinstance(own, Exception):
        return str(own)
    return f"{'.'.join(map(str, part['loc']))}: {part['msg']}"


def _reason(error: IntegrityError) -> str:
    """The database's message in one line: the constraint and, on PostgreSQL, the value."""
    said = getattr(error.orig, "__cause__", None) or error.orig
    return " ".join(str(said).split())
