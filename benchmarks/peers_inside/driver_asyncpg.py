"""asyncpg: one connection, and its own pool for concurrent tasks."""

import asyncpg
from sqlalchemy import URL

from .cases import PAGE
from .model import Values

COLUMNS = ("name", "quantity", "price", "created_at")
INSERT = "INSERT INTO item (name, quantity, price, created_at) VALUES ($1, $2, $3, $4)"
UPSERT = """
    INSERT INTO item (id, name, quantity, price, created_at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (id) DO UPDATE SET name = excluded.name, quantity = excluded.quantity,
        price = excluded.price, created_at = excluded.created_at
"""
GET = "SELECT id, name, quantity, price, created_at FROM item WHERE id = $1"
CHANGE = "UPDATE item SET quantity = $1 WHERE id = $2"
AFTER = "SELECT id, name, quantity, price, created_at FROM item WHERE id > $1 ORDER BY id LIMIT $2"
ALL = "SELECT id, name, quantity, price, created_at FROM item"


class Way:
    """Writes run in a transaction; a read is a single statement."""

    def __init__(self, url: URL) -> None:
        self.dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)

    async def open(self) -> None:
        self.connection = await asyncpg.connect(self.dsn)
        self.pool = await asyncpg.create_pool(self.dsn, min_size=10, max_size=10)

    async def close(self) -> None:
        await self.connection.close()
        await self.pool.close()

    async def insert(self, row: Values) -> None:
        async with self.connection.transaction():
            await self.connection.execute(INSERT, *row.values())

    async def insert_concurrently(self, row: Values) -> None:
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute(INSERT, *row.values())

    async def get(self, key: int) -> int:
        row = await self.connection.fetchrow(GET, key)
        return row["id"]

    async def change(self, key: int) -> None:
        async with self.connection.transaction():
            row = await self.connection.fetchrow(GET, key)
            await self.connection.execute(CHANGE, row["quantity"] + 1, key)

    async def bulk(self, rows: list[Values]) -> None:
        records = [tuple(row.values()) for row in rows]
        async with self.connection.transaction():
            await self.connection.copy_records_to_table("item", records=records, columns=COLUMNS)

    async def upsert(self, rows: list[Values]) -> None:
        async with self.connection.transaction():
            await self.connection.executemany(UPSERT, [tuple(row.values()) for row in rows])

    async def page(self, start: int) -> int:
        rows = await self.connection.fetch(AFTER, start, PAGE)
        return sum(row["id"] for row in rows)

    async def stream_rows(self, size: int) -> int:
        total = 0
        async with self.connection.transaction():
            cursor = await self.connection.cursor(ALL)
            while rows := await cursor.fetch(size):
                total += sum(row["quantity"] for row in rows)
        return total
