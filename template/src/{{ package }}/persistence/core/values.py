"""Checks of values before they are sent, so that both databases give the same answer.

SQLite stores almost any value in any column. PostgreSQL's server and drivers refuse most of them,
with different errors, and round the others. So each parameter is checked against its column when
a statement binds it. A statement looks up the rules once, when it is compiled.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache, partial
from math import isfinite
from operator import attrgetter
from typing import Any, NamedTuple, cast
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    JSON,
    REAL,
    BigInteger,
    BinaryExpression,
    BindParameter,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Enum,
    Float,
    Integer,
    Interval,
    LargeBinary,
    Null,
    Numeric,
    SmallInteger,
    String,
    Time,
    Uuid,
    inspect,
)
from sqlalchemy.orm import DeclarativeBase, Mapper
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TupleType, TypeDecorator, TypeEngine
from sqlalchemy.util import memoized_property

from .types import EnumValue, FixedPoint, UTCDateTime, as_json

Holds = Callable[[Any], bool]
Hold = Callable[[Sequence[Any]], bool]
Process = Callable[[Any], object]

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - SQLAlchemy stores an Interval as a naive datetime
_REAL = 3.4028235e38  # the largest floating-point number of 32 bits
_FLOAT_DIGITS = 15  # the digits that a floating-point number keeps; SQLite has no other numbers
_SEVERAL = tuple, list, dict  # the types of a primary key with several columns
_AFFINITY = attrgetter("_type_affinity")  # types of the same affinity can be compared
_COMPARISONS = {
    operators.eq,
    operators.ne,
    operators.lt,
    operators.le,
    operators.gt,
    operators.ge,
    operators.in_op,
    operators.not_in_op,
    operators.between_op,
    operators.not_between_op,
    operators.is_distinct_from,
    operators.is_not_distinct_from,
}


class Refused(ValueError):
    """A value that its column cannot hold; `name_errors` turns it into InvalidValue."""


class Rule(NamedTuple):
    """The values of a column: in words, a check of one value, and a check of many."""

    expected: str
    holds: Holds
    hold: Hold


def _each(expected: str, holds: Holds) -> Rule:
    def hold(values: Sequence[Any]) -> bool:
        return all(map(holds, values))

    return Rule(expected, holds, hold)


def rule_of(kind: TypeEngine[Any], dialect: Dialect, *, stored: bool = True) -> Rule | None:
    """The rule for a column of this type. Without `stored`, text can be longer: for conditions.

    Returns None for an unknown type; the database decides then.
    """
    match kind:
        case EnumValue():
            return _each(f"one of {_listed(kind.values)}", kind.has)
        case UTCDateTime():
            return _each("a datetime with a time zone, in the years 1 to 9999", _is_moment)
        case FixedPoint(precision=precision, scale=scale):
            return _decimal(precision, scale)
        case Interval():
            return _each("a timedelta of less than 8,000 years", _is_span)
        case TypeDecorator():
            return None
        case _:
            return _plain(kind, kind.dialect_impl(dialect), dialect, stored=stored)


def _plain(
    kind: TypeEngine[Any], impl: TypeEngine[Any], dialect: Dialect, *, stored: bool
) -> Rule | None:
    match impl:
        case Enum():
            return _member(impl)
        case String():
            return _text(impl.length if stored else None)
        case Integer():
            return _whole(_bits(kind, impl))
        case Float():
            return _float(is_small=isinstance(kind, REAL) or (impl.precision or 53) <= 24)
        case Numeric(precision=precision, scale=scale):
            digits = _FLOAT_DIGITS if dialect.name == "sqlite" else None
            return _decimal(precision, 0 if precision and scale is None else scale, digits)
        case Boolean():
            return _each("True or False", lambda value: isinstance(value, int) and value in (0, 1))
        case DateTime():
            return _datetime(impl, dialect)
        case Date():
            return _each("a date without a time", _is_date)
        case Time(timezone=False):
            return _each("a time without a time zone", _is_time)
        case Uuid():
            return _each("a UUID", _is_uuid if impl.as_uuid else _is_uuid_text)
        case LargeBinary():
            return _each("bytes", lambda value: isinstance(value, bytes | bytearray | memoryview))
        case JSON():
            return _each("JSON that every database can hold, not nested too deep", _is_json)
        case ARRAY():
            return _array(impl, dialect)
        case _:
            return None


def _bits(kind: TypeEngine[Any], impl: TypeEngine[Any]) -> int:
    """The number of bits. A variant can be wider: on SQLite, an INTEGER key has 64."""
    if isinstance(kind, BigInteger) or isinstance(impl, BigInteger):
        return 64
    return 16 if isinstance(kind, SmallInteger) or isinstance(impl, SmallInteger) else 32


def _whole(bits: int) -> Rule:
    least, most = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1

    def holds(value: object) -> bool:
        return isinstance(value, int) and least <= value <= most

    def hold(values: Sequence[Any]) -> bool:
        if set(map(type, values)) == {int}:
            return bool(least <= min(values) and max(values) <= most)
        return all(map(holds, values))

    return Rule(f"a whole number of {bits} bits", holds, hold)


def _text(length: int | None) -> Rule:
    def holds(value: Any) -> bool:
        return (
            isinstance(value, str) and (length is None or len(value) <= length) and _is_text(value)
        )

    def hold(values: Sequence[Any]) -> bool:
        if set(map(type, values)) != {str}:
            return all(map(holds, values))
        return (length is None or max(map(len, values)) <= length) and _is_text("".join(values))

    most = "" if length is None else f" of at most {length} characters"
    return Rule(f"text{most} without NUL characters and lone surrogates", holds, hold)


def _is_text(value: str) -> bool:
    return "\0" not in value and (value.isascii() or _is_encodable(value))


def _is_encodable(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _float(*, is_small: bool) -> Rule:
    most = _REAL if is_small else float("inf")

    def holds(value: Any) -> bool:
        try:
            return _is_number(value) and bool(isfinite(value) and abs(float(value)) <= most)
        except OverflowError:
            return False

    return _each("a finite number" + " of 32 bits" * is_small, holds)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _decimal(precision: int | None, scale: int | None, digits: int | None = None) -> Rule:
    """`digits` is the number of significant digits that the database keeps."""

    def holds(value: Any) -> bool:
        if not _is_number(value) or not isfinite(value):
            return False
        # 0.1 means the decimal number, not the binary number next to it.
        number = value if isinstance(value, Decimal) else Decimal(repr(value))
        if not number:
            return True
        _, figures, exponent = number.as_tuple()
        text = "".join(map(str, figures)).rstrip("0")
        after = -(int(exponent) + len(figures) - len(text))
        before = number.adjusted() + 1
        return bool(
            (scale is None or after <= scale)
            and (precision is None or before <= precision - (scale or 0))
            and (digits is None or len(text) <= digits)
        )

    if precision is None:
        return _each("a finite decimal number" + f" of {digits} digits" * bool(digits), holds)
    return _each(
        f"a decimal number of at most {precision} digits, {scale} of them after the point", holds
    )


def _is_moment(value: object) -> bool:
    if not isinstance(value, datetime):
        return False
    try:
        offset = value.utcoffset()
        return offset is not None and bool(value - offset)
    except OverflowError:
        return False


def _datetime(impl: DateTime, dialect: Dialect) -> Rule:
    if not impl.timezone:
        return _each(
            "a datetime without a time zone",
            lambda value: isinstance(value, datetime) and value.tzinfo is None,
        )
    if dialect.name == "sqlite":
        return _each(
            "a datetime in UTC (SQLite stores no time zone; UTCDateTime converts)",
            lambda value: isinstance(value, datetime) and value.utcoffset() == timedelta(),
        )
    return _each("a datetime with a time zone, in the years 1 to 9999", _is_moment)


def _is_date(value: object) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime)


def _is_time(value: object) -> bool:
    return isinstance(value, time) and value.tzinfo is None


def _is_span(value: object) -> bool:
    try:
        return isinstance(value, timedelta) and bool(_EPOCH + value)
    except OverflowError:
        return False


def _is_uuid(value: object) -> bool:
    return isinstance(value, UUID)


def _is_uuid_text(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(UUID(value))
    except ValueError:
        return False


def _is_json(value: object) -> bool:
    if value is JSON.NULL or isinstance(value, Null):
        return True
    try:
        as_json(value)
    except (ValueError, TypeError, RecursionError):
        return False
    return True


def _member(kind: Enum) -> Rule:
    def holds(value: Any) -> bool:
        if kind.enum_class is not None and isinstance(value, kind.enum_class):
            return True
        return type(value) is str and value in kind.enums

    return _each(f"one of {_listed(kind.enums)}", holds)


def _listed(values: Sequence[object]) -> str:
    return ", ".join(map(str, values))


def _array(kind: ARRAY[Any], dialect: Dialect) -> Rule:
    item = rule_of(kind.item_type, dialect)

    def holds(value: Any) -> bool:
        return type(value) in (list, tuple) and all(map(holds_item, value))

    def holds_item(value: Any) -> bool:
        if type(value) in (list, tuple):
            return holds(value)
        return value is None or item is None or item.holds(value)

    return _each(f"a list, each {item.expected}" if item else "a list", holds)


# Statements


class Checking(SQLCompiler):
    """A compiler whose statements check each value before they bind it."""

    strict = False

    @memoized_property
    def _bind_processors(self) -> Any:
        processors: dict[str, Any] = dict(super()._bind_processors)
        beside = dict(_beside(self.statement)) if self.strict else {}
        parameters: Mapping[Any, str] = self.bind_names
        for parameter, key in parameters.items():
            if parameter in self.literal_execute_params:
                continue
            column, is_compared = beside.get(parameter.key, (None, False))
            about = partial(_subject, self, parameter, column)
            kind, known = parameter.type, processors.get(key)
            if isinstance(kind, TupleType):
                kinds: Sequence[TypeEngine[Any]] = kind.types
                pairs = zip(kinds, known or (None,) * len(kinds), strict=True)
                processors[key] = tuple(
                    checked(each, self.dialect, was, about, stored=False) for each, was in pairs
                )
                continue
            stored: bool = getattr(parameter, "_is_crud", False)
            kind = _meant(kind, column) if column is not None and is_compared else kind
            process = checked(kind, self.dialect, known, about, stored=stored)
            if process is not None:
                processors[key] = process
        return processors


def check_values(dialect: Dialect, *, strict: bool) -> None:
    """Check the values of every statement; without `strict`, check only enum members."""
    compiler = dialect.statement_compiler
    dialect.statement_compiler = type("Checking", (Checking, compiler), {"strict": strict})


def is_strict(dialect: Dialect) -> bool:
    """Whether every value is checked."""
    return getattr(dialect.statement_compiler, "strict", False)


def checked(
    kind: TypeEngine[Any],
    dialect: Dialect,
    process: Process | None,
    about: Callable[[], str],
    *,
    stored: bool,
) -> Process | None:
    """A function that binds a value of this type, after a check that raises Refused."""
    if is_strict(dialect) and _is_wrapped(kind):
        wrapped: Any = kind.dialect_impl(dialect)
        inner = wrapped.impl_instance
        rest = checked(inner, dialect, inner.bind_processor(dialect), about, stored=stored)
        if rest is None or not _overrides(kind, "process_bind_param"):
            return rest or process
        change = wrapped.process_bind_param
        return lambda value: rest(change(value, dialect))
    rule = _rule_here(kind, dialect, stored=stored)
    if rule is None:
        return process
    expected, holds, _ = rule

    def check(value: Any) -> object:
        if value is None or holds(value):
            return value if process is None else process(value)
        raise Refused(f"{about()} must be {expected}, got {value!r:.200}")

    return check


def _rule_here(kind: TypeEngine[Any], dialect: Dialect, *, stored: bool) -> Rule | None:
    """The rule that this project applies; without strict values, it applies to enums only."""
    is_enum = isinstance(kind, Enum | EnumValue)
    return rule_of(kind, dialect, stored=stored) if is_enum or is_strict(dialect) else None


def checked_column(column: Column[Any], dialect: Dialect) -> tuple[Process | None, Hold]:
    """A function that binds a value of the column, and one that checks the values of many rows."""
    kind = column.type
    process: Process | None = kind.dialect_impl(dialect).bind_processor(dialect)
    if is_strict(dialect) and _is_wrapped(kind):
        return checked(kind, dialect, process, partial(name_of, column), stored=True), _anything
    rule = _rule_here(kind, dialect, stored=True)
    return process, rule.hold if rule else _anything


def _anything(_: object) -> bool:
    return True


# Keys and cursors


def can_be_key(model: type[DeclarativeBase], dialect: Dialect, key: Any) -> bool:
    """Whether a row can have this primary key: one value, or several by position or name."""
    rules = _key_rules(model, dialect)
    values: Sequence[Any] = (key,)
    if not isinstance(key, _SEVERAL):
        if len(rules) == 1:
            return key is not None and rules[0](key)
    elif isinstance(key, dict):
        named = cast("dict[str, Any]", key)
        mapper = inspect(model)
        properties = map(mapper.get_property_by_column, mapper.primary_key)
        values = [named.get(each.key) for each in properties]
    else:
        values = cast("Sequence[Any]", key)
    if len(values) != len(rules):
        return True  # SQLAlchemy raises an error for it
    return all(
        value is not None and holds(value) for holds, value in zip(rules, values, strict=True)
    )


@lru_cache
def _key_rules(model: type[DeclarativeBase], dialect: Dialect) -> Sequence[Holds]:
    return [can_hold(column.type, dialect) for column in inspect(model).primary_key]


def can_hold(kind: TypeEngine[Any], dialect: Dialect) -> Holds:
    """A check whether a column can hold a value that it is compared with.

    Without strict values, it refuses only values that the database would fail at.
    """
    if not is_strict(dialect):
        return _can_send(kind, dialect)
    if _is_wrapped(kind):
        process: Any = checked(kind, dialect, None, str, stored=False)
        return partial(_succeeds, process) if process else _anything
    rule = rule_of(kind, dialect, stored=False)
    return rule.holds if rule else _anything


def _can_send(kind: TypeEngine[Any], dialect: Dialect) -> Holds:
    is_sqlite = dialect.name == "sqlite"
    match kind if isinstance(kind, UTCDateTime) else kind.dialect_impl(dialect):
        case UTCDateTime():
            return _is_moment
        case Integer() as impl:
            most = 2 ** ((64 if is_sqlite else _bits(kind, impl)) - 1)
            return lambda value: not isinstance(value, int) or -most <= value < most
        case String() if not is_sqlite:
            return lambda value: not isinstance(value, str) or _is_text(value)
        case _:
            return _anything


def _succeeds(process: Process, value: object) -> bool:
    try:
        process(value)
    except Exception:  # a team's own type can raise any error
        return False
    return True


# Statements and names


def _is_wrapped(kind: object) -> bool:
    """Whether this is a team's own type, which converts values for the type inside of it."""
    return (
        isinstance(kind, TypeDecorator)
        and not isinstance(kind, EnumValue | FixedPoint | UTCDateTime | Interval)
        and not _overrides(cast("object", kind), "bind_processor")
    )


def _overrides(kind: object, name: str) -> bool:
    own: Any = type(kind)
    return getattr(own, name) is not getattr(TypeDecorator, name)


def _meant(kind: TypeEngine[Any], column: Column[Any]) -> TypeEngine[Any]:
    """The column's type for a value of another kind, which PostgreSQL could not compare with it."""
    affinities = set(map(_AFFINITY, (kind, column.type)))
    is_alike = len(affinities) == 1 or affinities <= {Integer, Numeric, Float}
    return kind if is_alike else column.type


def _beside(statement: Any) -> Iterator[tuple[str, tuple[Column[Any], bool]]]:
    """The column beside each parameter, by key, and whether the two are compared.

    A parameter can come twice: the later column is in a smaller expression, and so is right.
    """
    for element in visitors.iterate(statement):
        if not isinstance(element, BinaryExpression):
            continue
        sides: list[Any] = [element.left, element.right]
        if element.operator in (operators.between_op, operators.not_between_op):
            sides += element.right.get_children()
        parts: list[Any] = list(visitors.iterate(cast("Any", element)))
        columns: list[Any] = [part for part in parts if isinstance(part, Column)]
        for column in columns[:1]:
            is_compared = element.operator in _COMPARISONS and any(side is column for side in sides)
            for part in parts:
                if isinstance(part, BindParameter):
                    yield part.key, (column, is_compared and any(side is part for side in sides))


def _subject(compiler: SQLCompiler, parameter: Any, column: Column[Any] | None) -> str:
    """The name of the attribute for an error, for example `Task.title`."""
    if column is None and parameter._is_crud:
        column = _stored_in(compiler, parameter)
    return f"the parameter {parameter._orig_key}" if column is None else name_of(column)


def _stored_in(compiler: SQLCompiler, parameter: Any) -> Column[Any] | None:
    table: Any = getattr(compiler.compile_state, "dml_table", None)
    columns: Mapping[str, Column[Any]] = {} if table is None else table.columns
    name = compiler.bind_names[parameter]
    alike = (each for key, each in columns.items() if _is_named_after(name, key))
    return columns.get(name, next(alike, None))


def _is_named_after(parameter: str, column: str) -> bool:
    """SQLAlchemy numbers the parameters of several rows, and prefixes some with the table's name."""
    return parameter.startswith(f"{column}_m") or parameter.endswith(f"_{column}")


def name_of(column: Column[Any]) -> str:
    """The model's attribute for this column."""
    for mapper in every_mapper():
        for name, known in mapper.columns.items():
            if known.shares_lineage(column):
                return f"{mapper.class_.__name__}.{name}"
    return str(column)


def every_mapper() -> Iterator[Mapper[Any]]:
    """Every model, base classes first."""
    for base in DeclarativeBase.__subclasses__():
        if registry := getattr(base, "registry", None):
            yield from sorted(registry.mappers, key=_depth)


def _depth(mapper: Mapper[Any]) -> int:
    return len(list(mapper.iterate_to_root()))
