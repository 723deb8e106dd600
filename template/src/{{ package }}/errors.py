"""The base class of the errors that features raise."""


class DomainError(Exception):
    """A rule of the business was violated. Entrypoints show its message, never a traceback."""
