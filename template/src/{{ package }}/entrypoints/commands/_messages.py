"""What a person is told of an error that people can act on."""

import re

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsError
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError

from ...errors import DomainError
from ...persistence import PersistenceError

FOLLOWS = "default_factory_not_called"  # Pydantic's name for it


def message_of(error: Exception) -> str | None:
    """One line; nothing where the error is a bug, or speaks for itself."""
    match error:
        case DomainError() | PersistenceError():
            return str(error)
        case ValidationError():
            # A default that depends on a wrong value says so too, and helps nobody.
            parts = [part for part in error.errors() if part["type"] != FOLLOWS]
            return "; ".join(map(_complaint, parts))
        case SettingsError():
            names = ", ".join(re.findall(r'field "(\w+)"', str(error))).upper()
            return f'{names} must be written as JSON, for example ["one", "two"]'
        case IntegrityError():
            return f"the database refused that: {_reason(error)}"
        case OperationalError():
            return f"the database gave up: {error.orig}"
        case StatementError(orig=ValueError() | OverflowError()):
            return f"a value cannot be stored: {error.orig}"
        case _:
            return None


def _complaint(part: ErrorDetails) -> str:
    """Our own sentence where a validator of ours raised it, else Pydantic's with the field's name."""
    own = part.get("ctx", {}).get("error")
    if isinstance(own, Exception):
        return str(own)
    return f"{'.'.join(map(str, part['loc']))}: {part['msg']}"


def _reason(error: IntegrityError) -> str:
    """What the database said, in one line: which constraint, and on PostgreSQL which value."""
    said = getattr(error.orig, "__cause__", None) or error.orig
    return " ".join(str(said).split())
