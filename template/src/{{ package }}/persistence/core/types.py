"""Types that mean the same on every database: of columns, and of values that a column holds."""

import enum
import json
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, TypeVar, cast

from pydantic import AfterValidator, AwareDatetime, Field
from sqlalchemy import BigInteger, DateTime, Dialect, Enum, Integer, Interval, Numeric, String
from sqlalchemy.sql import operators
from sqlalchemy.types import TypeDecorator, TypeEngine

V = TypeVar("V")

Int32 = Annotated[int, Field(ge=-(2**31), lt=2**31)]
Int64 = Annotated[int, Field(ge=-(2**63), lt=2**63)]
DEEPEST_JSON = 250  # Pydantic writes 255 levels, a few of which are an answer's own
# PostgreSQL stores no text with a NUL character.
Str = Annotated[str, Field(pattern=r"^[^\x00]*$")]

_ARITHMETIC = {operators.add, operators.sub, operators.mul, operators.truediv, operators.mod}
# Of a text.
_PARTS = {
    operators.concat_op,
    operators.like_op,
    operators.not_like_op,
    operators.ilike_op,
    operators.not_ilike_op,
    operators.contains_op,
    operators.not_contains_op,
    operators.startswith_op,
    operators.not_startswith_op,
    operators.endswith_op,
    operators.not_endswith_op,
    operators.regexp_match_op,
    operators.not_regexp_match_op,
}


def utcnow() -> datetime:
    """The time, aware and in UTC."""
    return datetime.now(UTC)


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("a moment must be in the years 1 to 9999 of UTC") from error


def as_json(value: V) -> V:
    """Raise ValueError for a value that is no JSON which every database and reader can hold.

    Python writes and reads NaN and halves of characters, PostgreSQL's text has no NUL.
    """
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
    except RecursionError:
        text = "[" * (DEEPEST_JSON + 1)
    text.encode()
    if text.count("[") + text.count("{") >= DEEPEST_JSON:
        _require_shallow(value)
    if "\\u0000" in text and "\0" in "".join(_texts(value)):
        raise ValueError("JSON must have no NUL characters")
    return value


def _require_shallow(value: object) -> None:
    """Raises ValueError for what could be stored, and then neither be read nor answered."""
    depth, level = 0, [value]
    while level:
        depth += 1
        if depth > DEEPEST_JSON:
            raise ValueError(f"JSON must be nested at most {DEEPEST_JSON} levels deep")
        level = [part for each in level for part in _parts(each)]


def _texts(value: Any) -> Iterator[str]:
    waiting: list[Any] = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            yield each
        waiting += _parts(each)
        if isinstance(each, dict):
            waiting += cast("dict[str, Any]", each)


def _parts(value: Any) -> Collection[Any]:
    if isinstance(value, dict):
        return list(cast("dict[str, Any]", value).values())
    return cast("Sequence[Any]", value) if isinstance(value, list | tuple) else ()


Datetime = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Json = Annotated[dict[str, object], AfterValidator(as_json)]


class UTCDateTime(TypeDecorator[datetime]):
    """A moment: stored in UTC, read back aware, and refused without a time zone.

    SQLite stores no offset, so it would return `09:00+02:00` as 09:00 UTC.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    @property
    def python_type(self) -> type[datetime]:
        """What cursors of pages are read back as."""
        return datetime

    def coerce_compared_value(self, op: Any, value: Any) -> TypeEngine[Any]:
        """A timedelta that is added to a moment is none itself."""
        return Interval() if isinstance(value, timedelta) else self

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Raises ValueError for a naive datetime."""
        if value is None or value.tzinfo is UTC:
            return value
        if value.utcoffset() is None:
            raise ValueError(f"no time zone in {value!r}; use utcnow() or .astimezone()")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """PostgreSQL's value is aware in the connection's zone, SQLite's is naive and in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class FixedPoint(TypeDecorator[Decimal]):
    """A decimal number: exact, with at most 15 digits, of which `scale` are after the point.

    SQLite has only floating-point numbers, and 15 digits are what one of them keeps.
    """

    impl = Numeric
    cache_ok = True

    def __init__(self, precision: int, scale: int) -> None:
        """Raises ValueError for more digits than that."""
        if precision > 15:
            raise ValueError(f"a number has at most 15 digits on every database, not {precision}")
        super().__init__(precision, scale)
        self.precision, self.scale = precision, scale

    @property
    def python_type(self) -> type[Decimal]:
        """What cursors of pages are read back as."""
        return Decimal

    def coerce_compared_value(self, op: Any, value: Any) -> TypeEngine[Any]:
        """A number to reckon with may have more digits, one to compare with may not."""
        return Numeric() if op in _ARITHMETIC else self

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Floats where the database has no more: asked for decimals, SQLAlchemy would warn."""
        if dialect.supports_native_decimal:
            return dialect.type_descriptor(Numeric(self.precision, self.scale))
        return dialect.type_descriptor(Numeric(self.precision, self.scale, asdecimal=False))

    def process_result_value(
        self, value: Decimal | float | None, dialect: Dialect
    ) -> Decimal | None:
        """The digits that were stored."""
        if value is None or isinstance(value, Decimal):
            return value
        return Decimal(f"{value:.{self.scale}f}")


class EnumValue(TypeDecorator[enum.Enum]):
    """A member of an enum, stored by its value: text as VARCHAR, whole numbers as INTEGER.

    So both databases order and compare members by their values, and a new member needs no
    migration. `Base` uses it for every enum that an annotation names.
    """

    impl: Any = String
    cache_ok = True

    def __init__(self, kind: type[enum.Enum] = enum.Enum, length: int = 50) -> None:
        """Raises TypeError for an enum whose values are neither all text nor all whole numbers."""
        self.values: Sequence[Any] = [member.value for member in kind]
        kinds = set(map(type, self.values))
        if kinds not in (set(), {str}, {int}) or issubclass(kind, enum.Flag):
            raise TypeError(
                f"{kind.__name__} cannot be stored by its values, which must all be text or all be "
                "whole numbers that are not combined; give the column a type of its own, for "
                f"example mapped_column(Enum({kind.__name__}, native_enum=False)), which stores names"
            )
        super().__init__(max([length, *(len(value) for value in self.values if kinds == {str})]))
        if kinds == {int}:
            wide = max(map(int.bit_length, self.values)) > 31
            self.impl = BigInteger() if wide else Integer()
        self.kind = kind
        self.length = length
        self._members = {value: kind(value) for value in self.values}

    @property
    def python_type(self) -> type[enum.Enum]:
        """What cursors of pages are read back as."""
        return self.kind

    def plain(self) -> TypeEngine[Any]:
        """The type that a migration names, which outlives the enum; it knows members that are text."""
        if not isinstance(self.impl_instance, String) or not self.values:
            return self.impl_instance
        name, length = self.kind.__name__.lower(), self.impl_instance.length
        return Enum(*self.values, name=name, native_enum=False, length=length)

    @property
    def sort_key_function(self) -> Any:  # type: ignore[override]
        """Members that are keys are flushed in the order of their values."""
        return self.process_bind_param

    def has(self, value: object) -> bool:
        """Whether it is a member, or the value of one."""
        return isinstance(value, self.kind) or (
            type(value) in (str, int) and value in self._members
        )

    def coerce_compared_value(self, op: Any, value: Any) -> TypeEngine[Any]:
        """Part of a text, or a number to reckon with, is no member."""
        if isinstance(value, self.kind) or not (op in _ARITHMETIC or op in _PARTS):
            return self
        return self.impl_instance.coerce_compared_value(op, value)

    def process_bind_param(self, value: Any, dialect: Dialect | None = None) -> Any:
        """Raises ValueError for what is no member."""
        if value is None:
            return None
        if not self.has(value):
            raise ValueError(f"{value!r} is no value of {self.kind.__name__}: {self.values}")
        return value.value if isinstance(value, self.kind) else value

    def process_result_value(self, value: Any, dialect: Dialect) -> enum.Enum | None:
        """Raises LookupError for a value that the code does not know."""
        if value is None:
            return None
        try:
            return self._members[value]
        except KeyError:
            raise LookupError(
                f"the database holds {value!r}, which is no value of {self.kind.__name__}; "
                "add the member, or a migration that changes such rows"
            ) from None

    def _resolve_for_python_type(
        self, python_type: Any, matched_on: Any, matched_on_flattened: Any
    ) -> "EnumValue":
        return EnumValue(python_type, self.length)
