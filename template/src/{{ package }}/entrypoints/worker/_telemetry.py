"""Traces and metrics for OpenTelemetry, if its API is installed (the extra `telemetry`).

Their names are those of https://opentelemetry.io/docs/specs/semconv/messaging/, as far as it has some.
"""

import time
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import TYPE_CHECKING

from ...workers.schemas import Claim

if TYPE_CHECKING:
    from opentelemetry.metrics import Histogram, UpDownCounter

SECONDS = (0.01, 0.1, 0.5, 1, 5, 10, 60, 300, 1800)


class Attempt:
    """The outcome of one attempt, and the error of its job."""

    outcome = "interrupted"
    error: BaseException | None = None


@contextmanager
def observed(claim: Claim) -> Generator[Attempt]:
    """Yield an Attempt, and report it at the end of the block."""
    attempt = Attempt()
    instruments = _instruments()
    if instruments is None:
        yield attempt
        return
    from opentelemetry.trace import SpanKind, StatusCode, get_tracer

    durations, running = instruments
    queue = {"messaging.operation.name": "process", "messaging.destination.name": "tasks"}
    with get_tracer(__name__).start_as_current_span(
        "process tasks",
        kind=SpanKind.CONSUMER,
        attributes={
            **queue,
            "messaging.message.id": str(claim.task_id),
            "worker.attempt": claim.attempt,
        },
        record_exception=False,  # its message may contain values
        set_status_on_exception=False,
    ) as span:
        began = time.perf_counter()
        running.add(1)
        try:
            yield attempt
        finally:
            running.add(-1)
            ended = {"worker.outcome": attempt.outcome}
            if attempt.error:
                ended["error.type"] = type(attempt.error).__qualname__
                span.set_status(StatusCode.ERROR)
            span.set_attributes(ended)
            durations.record(time.perf_counter() - began, queue | ended)


def untraced() -> AbstractContextManager[object]:
    """A block without spans: an idle worker looks for tasks again and again."""
    try:
        from opentelemetry.trace import NonRecordingSpan, SpanContext, use_span
    except ImportError:
        return nullcontext()
    return use_span(NonRecordingSpan(SpanContext(1, 1, is_remote=False)))  # it is not sampled


@cache
def _instruments() -> "tuple[Histogram, UpDownCounter] | None":
    try:
        from opentelemetry.metrics import get_meter
    except ImportError:
        return None
    meter = get_meter(__name__)
    durations = meter.create_histogram(
        "messaging.process.duration",
        "s",
        "How long attempts took, by outcome.",
        explicit_bucket_boundaries_advisory=SECONDS,
    )
    return durations, meter.create_up_down_counter("worker.running", "{task}", "Running now.")
