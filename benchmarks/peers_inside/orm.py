"""The bare ORM, the reference for all other ways, and its features for many rows."""

from sqlalchemy import URL, insert, select
from sqlalchemy.ext.asyncio import async_sessionmaker

from .cases import PAGE
from .engine import OnEngine, make_engine, total
from .model import Item, Values
from .upserts import upsert


class Sessions(OnEngine):
    """A way with a sessionmaker, without operations."""

    def __init__(self, url: URL) -> None:
        self.engine = make_engine(url)
        self.sessions = async_sessionmaker(self.engine, expire_on_commit=False)


class Way(Sessions):
    """`sessionmaker.begin()` around everything, as in SQLAlchemy's tutorial."""

    async def insert(self, row: Values) -> None:
        async with self.sessions.begin() as session:
            session.add(Item(**row))

    insert_concurrently = insert

    async def get(self, key: int) -> int:
        async with self.sessions.begin() as session:
            item = await session.get_one(Item, key)
            return item.id

    async def change(self, key: int) -> None:
        async with self.sessions.begin() as session:
            item = await session.get_one(Item, key)
            item.quantity += 1

    async def bulk(self, rows: list[Values]) -> None:
        async with self.sessions.begin() as session:
            session.add_all([Item(**row) for row in rows])

    async def upsert(self, rows: list[Values]) -> None:
        async with self.sessions.begin() as session:
            await session.execute(upsert(Item, self.engine.dialect.name), rows)

    async def page(self, start: int) -> int:
        statement = select(Item).order_by(Item.id).offset(start).limit(PAGE)
        async with self.sessions.begin() as session:
            items = await session.scalars(statement)
            return sum(item.id for item in items)

    async def stream(self, size: int) -> int:
        quantities = 0
        statement = select(Item).execution_options(yield_per=size)
        async with self.sessions.begin() as session:
            async for item in await session.stream_scalars(statement):
                quantities += item.quantity
        return quantities

    async def stream_rows(self, size: int) -> int:
        quantities = 0
        statement = select(*Item.__table__.c).execution_options(yield_per=size)
        async with self.sessions.begin() as session:
            async for row in await session.stream(statement):
                quantities += row.quantity
        return quantities


class Tuned(Sessions):
    """The faster features of the manual; for one row and for an upsert it has none."""

    async def bulk(self, rows: list[Values]) -> None:
        async with self.sessions.begin() as session:
            await session.execute(insert(Item), rows)

    async def page(self, start: int) -> int:
        statement = select(Item).where(Item.id > start).order_by(Item.id).limit(PAGE)
        async with self.sessions.begin() as session:
            items = await session.scalars(statement)
            return sum(item.id for item in items)

    async def stream(self, size: int) -> int:
        statement = select(Item).execution_options(yield_per=size)
        async with self.sessions.begin() as session:
            return await total(await session.stream_scalars(statement))

    async def stream_rows(self, size: int) -> int:
        statement = select(*Item.__table__.c).execution_options(yield_per=size)
        async with self.sessions.begin() as session:
            return await total(await session.stream(statement))
