"""Reckon with moments in a query: SQLite stores them as text, and would add up the years.

A span of time is stored as the moment that lies this far from 1970, which is SQLAlchemy's way.
"""

from collections.abc import Sequence
from datetime import date, datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import Date, DateTime, Integer, Interval
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.sql import operators

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - as they are stored
_AFFINITY = attrgetter("type._type_affinity")


class WithMoments(SQLiteCompiler):
    """The statements of SQLite, with functions of this module for sums and differences."""

    def visit_add_binary(self, binary: Any, operator: object, **options: Any) -> str:
        """`Task.created_at + timedelta(days=1)`."""
        found = self._reckoned("+", [binary.left, binary.right], options)
        return found or self._generate_generic_binary(binary, " + ", **options)

    def visit_sub_binary(self, binary: Any, operator: object, **options: Any) -> str:
        """`func.now() - Task.created_at`."""
        found = self._reckoned("-", [binary.left, binary.right], options)
        return found or self._generate_generic_binary(binary, " - ", **options)

    def visit_expression_clauselist(self, clauselist: Any, **options: Any) -> str:
        """Three and more that are added."""
        is_sum = clauselist.operator is operators.add
        found = self._reckoned("+", clauselist.clauses, options) if is_sum else ""
        inherited: Any = super()
        return found or inherited.visit_expression_clauselist(clauselist, **options)

    def _reckoned(self, sign: str, parts: Sequence[Any], options: dict[str, Any]) -> str:
        """The parts from left to right; nothing if they are no moments, spans or days."""
        kinds = list(map(_AFFINITY, parts))
        if not {*kinds} <= {DateTime, Date, Interval, Integer} or {*kinds} == {Integer}:
            return ""
        (kind, text), *rest = (
            (kind, self.process(part, **options)) for kind, part in zip(kinds, parts, strict=True)
        )
        for other, more in rest:
            if (kind, other) == (Date, Integer):
                text = f"date({text}, ({sign}{more}) || ' days')"
            elif (kind, other) == (Date, Date):
                text = f"days_between({text}, {more})"
            else:
                name = "moment_after" if sign == "+" else "moment_before"
                kind, text = DateTime, f"{name}({text}, {more})"
        return text


def _after(moment: str | None, span: str | None) -> str | None:
    if moment is None or span is None:
        return None
    return _text(_read(moment) + (_read(span) - _EPOCH))


def _before(moment: str | None, other: str | None) -> str | None:
    """Of a moment and a span, a moment; of two moments, a span."""
    if moment is None or other is None:
        return None
    return _text(_EPOCH + (_read(moment) - _read(other)))


def _days(day: str | None, other: str | None) -> int | None:
    if day is None or other is None:
        return None
    return (date.fromisoformat(day) - date.fromisoformat(other)).days


def _read(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _text(moment: datetime) -> str:
    return moment.isoformat(" ", "microseconds")


# By the name that SQLite knows them by; each takes two values.
FUNCTIONS = {"moment_after": _after, "moment_before": _before, "days_between": _days}
