"""The table that all ways use, its model, and the values that are written."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import DateTime
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

CREATED = datetime(2026, 1, 1, tzinfo=UTC)

Values = dict[str, Any]


class Base(DeclarativeBase):
    """SQLAlchemy's base, unchanged."""


class Item(Base):
    """A row, without defaults in Python."""

    __tablename__ = "item"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    quantity: Mapped[int]
    price: Mapped[float]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Row(NamedTuple):
    """An item as a plain row."""

    id: int
    name: str
    quantity: int
    price: float
    created_at: datetime


def values(number: int) -> Values:
    """Return the values of a new row, without a key."""
    return {
        "name": f"item {number}",
        "quantity": 1,
        "price": number / 4,
        "created_at": CREATED,
    }


def keyed(number: int) -> Values:
    """Return the values of a row with this key."""
    return {"id": number, **values(number)}
