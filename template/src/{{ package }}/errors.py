"""The root of the errors that features raise."""


class DomainError(Exception):
    """The business says no. Entrypoints show its message; it is never a traceback."""
