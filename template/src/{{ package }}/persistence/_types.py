"""Types that mean the same on every database: of columns, and of values that a column holds."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, cast

from pydantic import AfterValidator, AwareDatetime, Field
from sqlalchemy import DateTime, Dialect, Numeric
from sqlalchemy.types import TypeDecorator, TypeEngine

Int32 = Annotated[int, Field(ge=-(2**31), lt=2**31)]
Int64 = Annotated[int, Field(ge=-(2**63), lt=2**63)]
DEEPEST_JSON = 250  # Pydantic writes 255 levels, a few of which are an answer's own
# PostgreSQL stores no text with a NUL character.
Str = Annotated[str, Field(pattern=r"^[^\x00]*$")]


def utcnow() -> datetime:
    """The time, aware and in UTC."""
    return datetime.now(UTC)


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("a moment must be in the years 1 to 9999 of UTC") from error


def _as_json(value: dict[str, object]) -> dict[str, object]:
    """Python's parser takes NaN and halves of characters, which are no JSON."""
    _require_shallow(value)
    json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    return value


def _require_shallow(value: object) -> None:
    """Raises ValueError for what could be stored, and then neither be read nor answered."""
    depth, level = 0, [value]
    while level:
        depth += 1
        if depth > DEEPEST_JSON:
            raise ValueError(f"JSON must be nested at most {DEEPEST_JSON} levels deep")
        level = [inner for outer in level for inner in _inside(outer)]


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return cast("dict[str, object]", value).values()
    return cast("list[object]", value) if isinstance(value, list) else ()


Datetime = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Json = Annotated[dict[str, object], AfterValidator(_as_json)]


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
