"""The base of every model: names for constraints, types for annotations, common columns."""

import enum
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Integer, MetaData, event
from sqlalchemy.orm import (
    DeclarativeBase,
    InstrumentedAttribute,
    Mapped,
    declared_attr,
    mapped_column,
)

from .types import EnumValue, FixedPoint, UTCDateTime, utcnow

# SQLite generates values only for a primary key whose type is INTEGER, which has 64 bits there.
Key = BigInteger().with_variant(Integer(), "sqlite")


class Base(DeclarativeBase):
    """The base of every model."""

    # A constraint without a name cannot be dropped by a later migration.
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UTCDateTime(),
        enum.Enum: EnumValue(),
    }
    # Each INSERT and UPDATE returns the values that the database generates.
    __mapper_args__: ClassVar[dict[str, Any]] = {"eager_defaults": True}  # type: ignore[misc]


@event.listens_for(Base, "attribute_instrument", propagate=True)
def _scale_decimals(_: type[Base], __: str, attribute: InstrumentedAttribute[Any]) -> None:
    """Give a decimal number its digits after the point when it is set, not when it is read again."""
    kinds = [column.type for column in getattr(attribute.property, "columns", ())]
    if kinds and isinstance(kind := kinds[0], FixedPoint):

        def scale(_: object, value: object, *__: object) -> object:
            return kind.scaled(value)

        event.listen(attribute, "set", scale, retval=True)


class Identified:
    """Adds `id`: a number that the database assigns."""

    id: Mapped[int] = mapped_column(Key, primary_key=True, sort_order=-1)


class Timestamped:
    """Adds `created_at` and `updated_at`: timestamps in UTC, set on each INSERT and UPDATE."""

    created_at: Mapped[datetime] = mapped_column(default=utcnow, sort_order=100)
    updated_at: Mapped[datetime] = mapped_column(default=utcnow, onupdate=utcnow, sort_order=101)


class Versioned:
    """Adds `version`: each UPDATE increments it; a change to an older one raises StaleVersion."""

    version: Mapped[int] = mapped_column(default=1, sort_order=102)

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.version, **Base.__mapper_args__}
