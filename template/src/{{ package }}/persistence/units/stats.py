"""Statistics of a database: its units of work and its pools."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..drivers.engine import Pool


class Outcome(enum.StrEnum):
    """How a unit of work ended, or that it has not ended yet."""

    NEW = "not entered yet"
    OPEN = "open"
    COMMITTED = "committed"
    ROLLED_BACK = "rolled back"
    UNKNOWN = "unknown: cut off while it was committing"


@dataclass(frozen=True, slots=True)
class Ended:
    """The number of units of work with one outcome, and the seconds that they were open in all."""

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
    """A snapshot of a database's units of work and pools.

    `failed` counts the units that an error ended, `interrupted` those that a cancellation or a
    signal ended, `abandoned` those that were entered and never exited.
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
        """The unit that has been open for the longest time."""
        return max(self.open, key=lambda unit: unit.seconds, default=None)
