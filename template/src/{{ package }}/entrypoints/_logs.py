"""The log: JSON lines, or colours on a terminal.

It includes the standard library's loggers, so `logging.getLogger(__name__)` is enough everywhere.
Values that you bind with `structlog.contextvars` are in every line, and so are the ids of the span that
OpenTelemetry records, if there is one.
"""

import logging
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor

from ..persistence import my_units

PROJECT = __name__.partition(".")[0]  # the prefix of this project's loggers


def configure_logs(stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Write to `stream` or stderr: this project's records from `level` on, and others' warnings."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_formatter(on_terminal=handler.stream.isatty()))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(PROJECT).setLevel(level)
    # SQLAlchemy's messages about the kernel's pools have the names of its modules.
    logging.getLogger(f"{PROJECT}.persistence").setLevel(logging.WARNING)
    logging.captureWarnings(True)
    structlog.configure(
        processors=[*_known(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )


def _known() -> list[Processor]:
    """The processors that add values to each line."""
    return [
        structlog.stdlib.filter_by_level,
        structlog.contextvars.merge_contextvars,
        _add_units,
        *_adding_ids(),
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _add_units(_: object, __: str, line: EventDict) -> EventDict:
    """Add the number of the innermost unit of work that is open."""
    if units := my_units():
        line["unit"] = units[-1]
    return line


def _adding_ids() -> list[Processor]:
    """A processor that adds the ids of the current span, if OpenTelemetry's API is installed."""
    try:
        from opentelemetry.trace import format_span_id, format_trace_id, get_current_span
    except ImportError:
        return []

    def add_ids(_: object, __: str, line: EventDict) -> EventDict:
        span = get_current_span().get_span_context()
        if span.trace_flags.sampled:
            line["trace_id"] = format_trace_id(span.trace_id)
            line["span_id"] = format_span_id(span.span_id)
        return line

    return [add_ids]


def _formatter(*, on_terminal: bool) -> logging.Formatter:
    render: list[Processor] = [structlog.processors.ExceptionRenderer()]
    if on_terminal:
        # A prettier traceback would show the values of local variables, and secrets with them.
        console = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        render = [console]
    else:
        render.append(structlog.processors.JSONRenderer(ensure_ascii=False))
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    return structlog.stdlib.ProcessorFormatter(
        processors=[remove, *render],
        foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *_known()[1:]],
    )
