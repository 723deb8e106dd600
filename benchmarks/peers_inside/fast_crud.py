"""fastcrud (async only): it takes Pydantic objects and returns dictionaries."""

from datetime import datetime

from fastcrud import FastCRUD
from pydantic import BaseModel
from sqlalchemy import URL

from .cases import PAGE
from .model import Item, Values
from .orm import Sessions


class NewItem(BaseModel):
    """An item without a key."""

    name: str
    quantity: int
    price: float
    created_at: datetime


class KeyedItem(NewItem):
    """An item with its key."""

    id: int


class Way(Sessions):
    """fastcrud in a transaction of the session; it has `upsert_multi` for many rows."""

    imports = "fastcrud"

    def __init__(self, url: URL) -> None:
        super().__init__(url)
        self.items = FastCRUD(Item)

    async def insert(self, row: Values) -> None:
        async with self.sessions.begin() as session:
            await self.items.create(session, NewItem(**row), commit=False)

    insert_concurrently = insert

    async def get(self, key: int) -> int:
        async with self.sessions.begin() as session:
            item = await self.items.get(session, id=key)
            return item["id"]

    async def change(self, key: int) -> None:
        async with self.sessions.begin() as session:
            item = await self.items.get(session, id=key)
            change = {"quantity": item["quantity"] + 1}
            await self.items.update(session, change, commit=False, id=key)

    async def bulk(self, rows: list[Values]) -> None:
        async with self.sessions.begin() as session:
            await self.items.upsert_multi(session, [NewItem(**row) for row in rows])

    async def upsert(self, rows: list[Values]) -> None:
        async with self.sessions.begin() as session:
            await self.items.upsert_multi(session, [KeyedItem(**row) for row in rows])

    async def page(self, start: int) -> int:
        async with self.sessions.begin() as session:
            page = await self.items.get_multi_by_cursor(session, cursor=start or None, limit=PAGE)
            return sum(item["id"] for item in page["data"])
