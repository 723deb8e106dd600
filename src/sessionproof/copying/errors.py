"""The error that a copy raises, and the text of a driver's error."""

from sqlalchemy.exc import StatementError


class CopyRefused(Exception):  # noqa: N818 - not a programming error
    """Something cannot be read or copied. The message says what, and what to do."""


def reason(error: BaseException) -> str:
    """Return the first line of the driver's message."""
    cause = (isinstance(error, StatementError) and error.orig) or error
    return (str(cause).strip() or type(cause).__name__).splitlines()[0]
