"""What a person is shown instead of a traceback."""

from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from rich.console import Console
from sqlalchemy.exc import IntegrityError, OperationalError
from typer import Exit
from typer.core import TyperGroup

from ...errors import DomainError
from ...persistence import PersistenceError


class Program(TyperGroup):
    """A group of commands that ends with one line and exit code 1 on an error people can act on."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for. Any other error is a bug, and is left to be seen."""
        try:
            return super().invoke(ctx)
        except (DomainError, PersistenceError) as error:
            message = str(error)
        except ValidationError as error:
            message = "; ".join(_complaint(part) for part in error.errors())
        except IntegrityError as error:
            message = f"the database refused that: {_reason(error)}"
        except OperationalError as error:
            message = f"the database gave up: {error.orig}"
        Console(stderr=True, soft_wrap=True, markup=False, highlight=False).print("error:", message)
        raise Exit(1)


def _complaint(part: ErrorDetails) -> str:
    """Our own sentence where a validator of ours raised it, else Pydantic's with the field's name."""
    own = part.get("ctx", {}).get("error")
    return str(own) if own else f"{'.'.join(map(str, part['loc']))}: {part['msg']}"


def _reason(error: IntegrityError) -> str:
    """What the database said, in one line: which constraint, and on PostgreSQL which value."""
    said = getattr(error.orig, "__cause__", None) or error.orig
    return " ".join(str(said).split())
