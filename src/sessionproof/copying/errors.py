"""The error of a copy, and how the databases' own errors are repeated in it."""

from sqlalchemy.exc import StatementError


class CopyRefused(Exception):  # noqa: N818 - no mistake of a program
    """One sentence: what cannot be copied or read, and the way out."""


def reason(error: BaseException) -> str:
    """The first line of the driver's own message."""
    cause = (isinstance(error, StatementError) and error.orig) or error
    return (str(cause).strip() or type(cause).__name__).splitlines()[0]
