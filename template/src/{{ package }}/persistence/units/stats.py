"""What the units of work and the pools have done so far, and what they are doing now."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..drivers.engine import Pool


class Outcome(enum.StrEnum):
    """What became of a unit of work."""

    NEW = "not entered yet"
    OPEN = "open"
    COMMITTED = "committed"
    ROLLED_BACK = "rolled back"
    UNKNOWN = "unknown: cut off while it was committing"


@dataclass(frozen=True, slots=True)
class Ended:
    """Units of work that ended in the same way."""

    units: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Open:
    """A unit of work that is open now."""

    origin: str
    owner: str
    read_only: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class Stats:
    """A picture of one moment.

    `failed` and `interrupted` count the units that an error or a cancellation ended, `abandoned`
    those that were never left.
    """

    opened: int
    ended: Mapping[Outcome, Ended]
    failed: int
    interrupted: int
    abandoned: int
    open: Sequence[Open]
    pools: Sequence[Pool]

    @property
    def longest(self) -> Open | None:
        """The unit that has been open for longest."""
        return max(self.open, key=lambda unit: unit.seconds, default=None)
