"""What became of a unit of work."""

import enum


class Outcome(enum.StrEnum):
    """What became of a unit of work."""

    NEW = "not entered yet"
    OPEN = "open"
    COMMITTED = "committed"
    ROLLED_BACK = "rolled back"
    UNKNOWN = "unknown: cut off while it was committing"
