"""SQLAlchemy Core: statements that are built once, without objects."""

from sqlalchemy import URL, bindparam, insert, select, update

from .cases import PAGE
from .engine import OnEngine, make_engine, total
from .model import Item, Values
from .upserts import upsert

ITEM = Item.__table__
INSERT = insert(ITEM)
GET = select(ITEM).where(ITEM.c.id == bindparam("key"))
CHANGE = update(ITEM).where(ITEM.c.id == bindparam("key"))
AFTER = select(ITEM).where(ITEM.c.id > bindparam("start")).order_by(ITEM.c.id).limit(PAGE)


class Way(OnEngine):
    """Core, with a connection for each unit."""

    def __init__(self, url: URL) -> None:
        self.engine = make_engine(url)
        self.upserting = upsert(ITEM, self.engine.dialect.name)

    async def insert(self, row: Values) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(INSERT, row)

    insert_concurrently = insert

    async def get(self, key: int) -> int:
        async with self.engine.connect() as connection:
            result = await connection.execute(GET, {"key": key})
            return result.one().id

    async def change(self, key: int) -> None:
        async with self.engine.begin() as connection:
            result = await connection.execute(GET, {"key": key})
            quantity = result.one().quantity + 1
            await connection.execute(CHANGE, {"key": key, "quantity": quantity})

    async def bulk(self, rows: list[Values]) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(INSERT, rows)

    async def upsert(self, rows: list[Values]) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(self.upserting, rows)

    async def page(self, start: int) -> int:
        async with self.engine.connect() as connection:
            result = await connection.execute(AFTER, {"start": start})
            return sum(row.id for row in result.all())

    async def stream_rows(self, size: int) -> int:
        statement = select(ITEM).execution_options(yield_per=size)
        async with self.engine.connect() as connection:
            return await total(await connection.stream(statement))
