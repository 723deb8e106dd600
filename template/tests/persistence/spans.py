"""The spans that OpenTelemetry's SDK records, as a tree of names."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider

Tree = Sequence[tuple[str, "Tree"]]


class Spans(SpanProcessor):
    """All spans, in the order in which they ended."""

    def __init__(self) -> None:
        self.started = 0
        self.ended: list[ReadableSpan] = []

    def on_start(self, span: Span, parent_context: object = None) -> None:
        self.started += 1

    def on_end(self, span: ReadableSpan) -> None:
        self.ended.append(span)

    def clear(self) -> None:
        self.started = 0
        self.ended.clear()

    def tree(self) -> Tree:
        """The names of the spans without a parent, each with those of its children."""

        def below(parent: int | None) -> Tree:
            return [
                (name(each), below(each.context and each.context.span_id))
                for each in sorted(self.ended, key=lambda each: each.start_time or 0)
                if parent == (each.parent and each.parent.span_id)
            ]

        return below(None)

    def attributes(self, name: str) -> Sequence[dict[str, Any]]:
        """The attributes of the spans whose name begins so."""
        return [dict(each.attributes or {}) for each in self.ended if each.name.startswith(name)]


def name(span: ReadableSpan) -> str:
    """Its name, without the database's."""
    return span.name.partition(" ")[0]


@contextmanager
def recording(monkeypatch: pytest.MonkeyPatch) -> Generator[Spans]:
    """Yield the spans of databases that are opened in the block."""
    spans = Spans()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(spans)
    # The API sets one for the rest of the process, which would slow down other tests.
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    yield spans
    assert len(spans.ended) == spans.started
