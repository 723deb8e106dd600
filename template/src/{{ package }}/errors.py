"""The base class of the errors that features raise."""


class DomainError(Exception):
    """A business rule was violated. Entrypoints show the message, never a traceback."""
