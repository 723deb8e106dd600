"""Metrics and traces for OpenTelemetry, if its API is installed (the extra `telemetry`).

Pools have the names of https://opentelemetry.io/docs/specs/semconv/database/database-metrics/.
No convention covers units of work; their metrics begin with `unit_of_work`.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING
from weakref import WeakMethod

from sqlalchemy import URL

from .._template import TEMPLATE_VERSION
from ..drivers.engine import Engines, Pool
from .stats import Outcome, Stats

if TYPE_CHECKING:
    from opentelemetry.metrics import CallbackT, Histogram

    from .lifecycle import Lifecycle
    from .spans import UnitSpan

Source = Callable[[], Stats]
Record = Callable[[float, Outcome], None]
StartSpan = Callable[["Lifecycle"], "UnitSpan"]

KERNEL_SCOPE = __name__.removesuffix(".units.telemetry")
DATABASE = "unit_of_work.database"
OUTCOME = "unit_of_work.outcome"
POOL = "db.client.connection.pool.name"
STATE = "db.client.connection.state"
SECONDS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10)  # as for db.client.operation.duration

# An instrument cannot be removed, so the process has one of each, and they read these sources. The
# references are weak, so that a database that was never closed can still be deleted.
_observed: dict[str, WeakMethod[Source]] = {}


def observe(url: URL, source: Source) -> Record | None:
    """Export `source` until `forget()`; return a function to call for each unit that has ended.

    Returns None if OpenTelemetry's API is not installed.
    """
    durations = _instruments()
    if durations is None:
        return None
    forget(source)
    name = free_name(url)
    _observed[name] = WeakMethod(source)
    attributes = {each: {DATABASE: name, OUTCOME: each.value} for each in Outcome}

    def record(seconds: float, outcome: Outcome) -> None:
        durations.record(seconds, attributes[outcome])

    return record


def trace(engines: Engines) -> StartSpan | None:
    """Trace statements; return a function that starts the span of a unit.

    Returns None if OpenTelemetry's API is not installed, or no provider of tracers was set.
    """
    try:
        from .spans import trace_units
    except ImportError:
        return None
    return trace_units(engines)


def forget(source: Source) -> None:
    """Stop exporting this source. A second call does nothing."""
    for name, reference in list(_observed.items()):
        if reference() in (source, None):
            _observed.pop(name, None)


@cache
def _instruments() -> "Histogram | None":
    """Create every instrument; return the histogram of durations. The others are observable."""
    try:
        from opentelemetry.metrics import Observation, get_meter
    except ImportError:
        return None

    def units(value: Callable[[Stats], int]) -> "CallbackT":
        return lambda _: [Observation(value(stats), {DATABASE: name}) for name, stats in _seen()]

    def pools(value: Callable[[Pool], int], **more: str) -> "CallbackT":
        return lambda _: [
            Observation(value(pool), {POOL: f"{name}/{pool.name}", **more})
            for name, stats in _seen()
            for pool in stats.pools
        ]

    meter = get_meter(KERNEL_SCOPE, TEMPLATE_VERSION)
    level, count = meter.create_observable_up_down_counter, meter.create_observable_counter
    used = pools(lambda pool: pool.in_use, **{STATE: "used"})
    idle = pools(lambda pool: pool.idle, **{STATE: "idle"})
    level("db.client.connection.count", [used, idle], "{connection}", "Connections by state.")
    level(
        "db.client.connection.max",
        [pools(lambda pool: pool.size)],
        "{connection}",
        "The most connections that the pool opens.",
    )
    level(
        "db.client.connection.pending_requests",
        [pools(lambda pool: pool.waiting)],
        "{request}",
        "Units of work that wait for a connection.",
    )
    count(
        "db.client.connection.timeouts",
        [pools(lambda pool: pool.timeouts)],
        "{timeout}",
        "Units of work that waited too long for a connection.",
    )
    level("unit_of_work.open", [units(lambda stats: len(stats.open))], "{unit}", "Open now.")
    count("unit_of_work.failed", [units(lambda stats: stats.failed)], "{unit}", "Raised an error.")
    count(
        "unit_of_work.interrupted",
        [units(lambda stats: stats.interrupted)],
        "{unit}",
        "Ended by a cancellation or a signal.",
    )
    count(
        "unit_of_work.abandoned", [units(lambda stats: stats.abandoned)], "{unit}", "Never exited."
    )
    return meter.create_histogram(
        "unit_of_work.duration",
        "s",
        "How long units of work were open, by outcome.",
        explicit_bucket_boundaries_advisory=SECONDS,
    )


def _seen() -> Iterator[tuple[str, Stats]]:
    for name, reference in list(_observed.items()):
        if source := reference():
            yield name, source()


def free_name(url: URL) -> str:
    """A name such as `localhost:5432/shop` or `shop.db`, or `shop.db#2` if that one is in use."""
    server = ":".join(str(part) for part in (url.host, url.port) if part)
    name = f"{server}/{url.database}" if server else str(url.database)
    names = [name, *(f"{name}#{number}" for number in range(2, len(_observed) + 2))]
    return next(name for name in names if name not in _observed)
