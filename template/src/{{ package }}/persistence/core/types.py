"""Types that mean the same on every database: column types, and types for Pydantic schemas."""

import enum
import json
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, TypeVar, cast

from pydantic import AfterValidator, AwareDatetime, Field, GetJsonSchemaHandler
from sqlalchemy import BigInteger, DateTime, Dialect, Enum, Integer, Interval, Numeric, String
from sqlalchemy.sql import operators
from sqlalchemy.types import TypeDecorator, TypeEngine

V = TypeVar("V")

Int32 = Annotated[int, Field(ge=-(2**31), lt=2**31)]
Int64 = Annotated[int, Field(ge=-(2**63), lt=2**63)]
DEEPEST_JSON = 250  # Pydantic writes 255 levels, and a response adds a few of its own
# PostgreSQL stores no text with a NUL character.
Str = Annotated[str, Field(pattern=r"^[^\x00]*$")]

_ARITHMETIC = {operators.add, operators.sub, operators.mul, operators.truediv, operators.mod}
_TEXT_OPERATORS = {
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
    """The current time, in UTC."""
    return datetime.now(UTC)


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("a timestamp must be in the years 1 to 9999 of UTC") from error


def as_json(value: V) -> V:
    """Return the value. Raise ValueError if a database or a JSON reader would refuse it.

    Python's JSON allows NaN and lone surrogates; PostgreSQL's text allows no NUL.
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
    """Raise ValueError for JSON that could be stored, but not be read again or sent."""
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


class _DescribedDigits:
    """Describes the digits of a decimal number, which Pydantic checks, but does not describe."""

    def __get_pydantic_json_schema__(
        self, schema: Any, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        described = handler(schema)
        if "max_digits" in schema and "decimal_places" in schema and "anyOf" in described:
            places = schema["decimal_places"]
            before = schema["max_digits"] - places
            digits = "[0-9]{1,N}".replace
            point = r"\." + digits("N", str(places)) if places else ""
            text = f"{digits('N', str(before))}({point})?" if before else f"0{point}"
            end = 10**before
            described["anyOf"] = [
                {"type": "number", "exclusiveMinimum": -end, "exclusiveMaximum": end},
                {"type": "string", "pattern": f"^-?{text}$"},
            ]
        return described


Datetime = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Fixed = Annotated[Decimal, _DescribedDigits()]
Json = Annotated[dict[str, object], AfterValidator(as_json)]


class UTCDateTime(TypeDecorator[datetime]):
    """A column of timestamps: stored in UTC, and read as aware datetimes in UTC.

    A datetime without a time zone is refused. `Mapped[datetime]` has this type by default. It is
    needed because SQLite stores no offset: it would return `09:00+02:00` as 09:00.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    @property
    def python_type(self) -> type[datetime]:
        """The type of values in the cursors of pages."""
        return datetime

    def coerce_compared_value(self, op: Any, value: Any) -> TypeEngine[Any]:
        """A timedelta that is added to a timestamp stays a timedelta."""
        return Interval() if isinstance(value, timedelta) else self

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC. Raises ValueError for a naive datetime."""
        if value is None or value.tzinfo is UTC:
            return value
        if value.utcoffset() is None:
            raise ValueError(f"{value!r} has no time zone; use utcnow() or .astimezone()")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert the value, which has PostgreSQL's session time zone, or none from SQLite."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class FixedPoint(TypeDecorator[Decimal]):
    """A column of exact decimal numbers, for example money: `mapped_column(FixedPoint(12, 2))`.

    `precision` is the number of digits, at most 15; `scale` of them are after the point. SQLite
    has only floating-point numbers, which keep 15 digits.
    """

    impl = Numeric
    cache_ok = True

    def __init__(self, precision: int, scale: int) -> None:
        """Raise ValueError for a precision over 15."""
        if precision > 15:
            raise ValueError(f"precision must be at most 15, for SQLite's sake, got {precision}")
        super().__init__(precision, scale)
        self.precision, self.scale = precision, scale

    @property
    def python_type(self) -> type[Decimal]:
        """The type of values in the cursors of pages."""
        return Decimal

    def coerce_compared_value(self, op: Any, value: Any) -> TypeEngine[Any]:
        """A number in arithmetic can have more digits; a number in a comparison cannot."""
        return Numeric() if op in _ARITHMETIC else self

    def scaled(self, value: object) -> object:
        """The number with the digits after the point that the database returns: 12.5 as 12.50.

        Return a value unchanged if the column cannot hold it, or if it is no number.
        """
        if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
            return value
        number = Decimal(str(value) if isinstance(value, float) else value)
        try:
            exact = number.quantize(Decimal(1).scaleb(-self.scale))
        except InvalidOperation:  # infinite, or too long
            return value
        return exact + 0 if exact == number else value  # no negative zero

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Use floats if the database has no decimals; SQLAlchemy would warn otherwise."""
        if dialect.supports_native_decimal:
            return dialect.type_descriptor(Numeric(self.precision, self.scale))
        return dialect.type_descriptor(Numeric(self.precision, self.scale, asdecimal=False))

    def process_result_value(
        self, value: Decimal | float | None, dialect: Dialect
    ) -> Decimal | None:
        """Return exactly the digits that were stored."""
        if value is None or isinstance(value, Decimal):
            return value
        return Decimal(f"{value:.{self.scale}f}")


class EnumValue(TypeDecorator[enum.Enum]):
    """A column of enum members, stored by their values: text as VARCHAR, whole numbers as INTEGER.

    Both databases order and compare members by their values, and a new member needs no migration.
    `Base` uses it for every enum in a `Mapped[]` annotation.
    """

    impl: Any = String
    cache_ok = True

    def __init__(self, kind: type[enum.Enum] = enum.Enum, length: int = 50) -> None:
        """Raise TypeError unless all values are text, or all are whole numbers."""
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
        """The type of values in the cursors of pages."""
        return self.kind

    def plain(self) -> TypeEngine[Any]:
        """The type for migrations, which must not import the enum; it lists text members."""
        if not isinstance(self.impl_instance, String) or not self.values:
            return self.impl_instance
        name, length = self.kind.__name__.lower(), self.impl_instance.length
        return Enum(*self.values, name=name, native_enum=False, length=length)

    @property
    def sort_key_function(self) -> Any:  # type: ignore[override]
        """Sort members that are keys by their values, for SQLAlchemy's flush."""
        return self.process_bind_param

    def has(self, value: object) -> bool:
        """Whether this is a member, or the value of one."""
        return isinstance(value, self.kind) or (
            type(value) in (str, int) and value in self._members
        )

    def coerce_compared_value(self, op: Any, value: Any) -> TypeEngine[Any]:
        """The other operand of a text operator or of arithmetic is not a member."""
        if isinstance(value, self.kind) or not (op in _ARITHMETIC or op in _TEXT_OPERATORS):
            return self
        return self.impl_instance.coerce_compared_value(op, value)

    def process_bind_param(self, value: Any, dialect: Dialect | None = None) -> Any:
        """Convert a member or its value. Raises ValueError for anything else."""
        if value is None:
            return None
        if not self.has(value):
            raise ValueError(f"{value!r} is not a value of {self.kind.__name__}: {self.values}")
        return value.value if isinstance(value, self.kind) else value

    def process_result_value(self, value: Any, dialect: Dialect) -> enum.Enum | None:
        """Convert to a member. Raises LookupError for a value that the enum does not have."""
        if value is None:
            return None
        try:
            return self._members[value]
        except KeyError:
            raise LookupError(
                f"the database holds {value!r}, which is not a value of {self.kind.__name__}; "
                "add the member, or a migration that changes such rows"
            ) from None

    def _resolve_for_python_type(
        self, python_type: Any, matched_on: Any, matched_on_flattened: Any
    ) -> "EnumValue":
        return EnumValue(python_type, self.length)
