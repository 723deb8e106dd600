"""SQLite's bare driver: one connection, and a lock for concurrent writers."""

import asyncio
import sqlite3
from datetime import datetime

import aiosqlite
from sqlalchemy import URL

from .cases import PAGE
from .engine import PRAGMAS
from .model import Values

INSERT = """
    INSERT INTO item (name, quantity, price, created_at)
    VALUES (:name, :quantity, :price, :created_at)
"""
UPSERT = """
    INSERT INTO item (id, name, quantity, price, created_at)
    VALUES (:id, :name, :quantity, :price, :created_at)
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, quantity = excluded.quantity,
        price = excluded.price, created_at = excluded.created_at
"""
GET = "SELECT id, name, quantity, price, created_at FROM item WHERE id = ?"
CHANGE = "UPDATE item SET quantity = ? WHERE id = ?"
AFTER = "SELECT id, name, quantity, price, created_at FROM item WHERE id > ? ORDER BY id LIMIT ?"
ALL = "SELECT id, name, quantity, price, created_at FROM item"

# The driver's own adapter is deprecated; this one is from the manual.
sqlite3.register_adapter(datetime, datetime.isoformat)


class Way:
    """The first write begins a transaction, and `commit()` ends it."""

    def __init__(self, url: URL) -> None:
        self.file = url.database

    async def open(self) -> None:
        self.connection = await aiosqlite.connect(self.file, check_same_thread=False)
        self.lock = asyncio.Lock()
        for pragma in PRAGMAS:
            await self.connection.execute(f"PRAGMA {pragma}")

    async def close(self) -> None:
        await self.connection.close()

    async def insert(self, row: Values) -> None:
        await self.connection.execute(INSERT, row)
        await self.connection.commit()

    async def insert_concurrently(self, row: Values) -> None:
        async with self.lock:
            await self.insert(row)

    async def get(self, key: int) -> int:
        cursor = await self.connection.execute(GET, (key,))
        row = await cursor.fetchone()
        return row[0]

    async def change(self, key: int) -> None:
        cursor = await self.connection.execute(GET, (key,))
        row = await cursor.fetchone()
        await self.connection.execute(CHANGE, (row[2] + 1, key))
        await self.connection.commit()

    async def bulk(self, rows: list[Values]) -> None:
        await self.connection.executemany(INSERT, rows)
        await self.connection.commit()

    async def upsert(self, rows: list[Values]) -> None:
        await self.connection.executemany(UPSERT, rows)
        await self.connection.commit()

    async def page(self, start: int) -> int:
        cursor = await self.connection.execute(AFTER, (start, PAGE))
        rows = await cursor.fetchall()
        return sum(row[0] for row in rows)

    async def stream_rows(self, size: int) -> int:
        total = 0
        cursor = await self.connection.execute(ALL)
        while rows := await cursor.fetchmany(size):
            total += sum(row[2] for row in rows)
        return total
