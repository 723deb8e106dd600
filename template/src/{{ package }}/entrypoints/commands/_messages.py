"""What a person is told of an error that people can act on."""

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError

from ...errors import DomainError
from ...persistence import PersistenceError


def message_of(error: Exception) -> str | None:
    """One line; nothing where the error is a bug, or speaks for itself."""
    match error:
        case DomainError() | PersistenceError():
            return str(error)
        case ValidationError():
            return "; ".join(_complaint(part) for part in error.errors())
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
    return str(own) if own else f"{'.'.join(map(str, part['loc']))}: {part['msg']}"


def _reason(error: IntegrityError) -> str:
    """What the database said, in one line: which constraint, and on PostgreSQL which value."""
    said = getattr(error.orig, "__cause__", None) or error.orig
    return " ".join(str(said).split())
