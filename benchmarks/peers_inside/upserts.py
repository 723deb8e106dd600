"""`INSERT … ON CONFLICT DO UPDATE`, built with SQLAlchemy."""

from typing import Any

from sqlalchemy import Insert
from sqlalchemy.dialects import postgresql, sqlite

INSERTS: dict[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
CHANGED = ("name", "quantity", "price", "created_at")


def upsert(target: Any, dialect: str) -> Insert:
    """Return the statement for a table or a model, by its primary key."""
    statement = INSERTS[dialect](target)
    changes = {name: statement.excluded[name] for name in CHANGED}
    changing: Insert = statement.on_conflict_do_update(index_elements=["id"], set_=changes)
    return changing
