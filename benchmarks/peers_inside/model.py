"""The one table of all ways, its model, and what is written into it."""

from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import DateTime
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)

Values = dict[str, Any]


class Base(DeclarativeBase):
    """SQLAlchemy's, with nothing added."""


class Item(Base):
    """A row, without a default on Python's side."""

    __tablename__ = "item"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    quantity: Mapped[int]
    price: Mapped[float]
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class Row(NamedTuple):
    """The same as a plain row."""

    id: int
    name: str
    quantity: int
    price: float
    created_at: datetime


def values(number: int) -> Values:
    """A new row's, without its key."""
    return {
        "name": f"item {number}",
        "quantity": 1,
        "price": number / 4,
        "created_at": MOMENT,
    }


def keyed(number: int) -> Values:
    """The same with a key."""
    return {"id": number, **values(number)}
