"""Compare two ways that took turns: an event that slowed a round down slowed both."""

import statistics
from collections.abc import Iterable, Sequence


def ratios(ours: Iterable[Sequence[float]], theirs: Iterable[Sequence[float]]) -> list[str]:
    """Return a ratio for each number of a round: seconds on the clock, and seconds of CPU."""
    clocks = zip(zip(*ours, strict=True), zip(*theirs, strict=True), strict=True)
    return [ratio(*both) for both in clocks]


def ratio(ours: Iterable[float], theirs: Iterable[float]) -> str:
    """Return the median of the rounds' ratios, with quartiles: `0.95 (0.93 to 0.97)`."""
    low, middle, high = quartiles(ours, theirs)
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def quartiles(ours: Iterable[float], theirs: Iterable[float]) -> list[float]:
    """Return the quartiles of the rounds' ratios."""
    each = [mine / yours for mine, yours in zip(ours, theirs, strict=True)]
    return statistics.quantiles(each, n=4, method="inclusive")
