"""advanced-alchemy: its repository and its service, in a transaction that the session begins."""

from advanced_alchemy.filters import LimitOffset, OrderBy
from advanced_alchemy.repository import SQLAlchemyAsyncRepository
from advanced_alchemy.service import SQLAlchemyAsyncRepositoryService

from .cases import PAGE
from .model import Item, Values
from .orm import Sessions


class ItemRepository(SQLAlchemyAsyncRepository[Item]):
    """Items."""

    model_type = Item


class ItemService(SQLAlchemyAsyncRepositoryService[Item, ItemRepository]):
    """The service for items."""

    repository_type = ItemRepository


class Repository(Sessions):
    """As in its manual, without `auto_commit`; a loaded row is changed as in any session."""

    imports = "advanced_alchemy.repository"

    async def insert(self, row: Values) -> None:
        async with self.sessions.begin() as session:
            await ItemRepository(session=session).add(Item(**row))

    insert_concurrently = insert

    async def get(self, key: int) -> int:
        async with self.sessions.begin() as session:
            item = await ItemRepository(session=session).get(key)
            return item.id

    async def change(self, key: int) -> None:
        async with self.sessions.begin() as session:
            item = await ItemRepository(session=session).get(key)
            item.quantity += 1

    async def bulk(self, rows: list[Values]) -> None:
        async with self.sessions.begin() as session:
            await ItemRepository(session=session).add_many([Item(**row) for row in rows])

    async def upsert(self, rows: list[Values]) -> None:
        async with self.sessions.begin() as session:
            await ItemRepository(session=session).upsert_many([Item(**row) for row in rows])

    async def page(self, start: int) -> int:
        async with self.sessions.begin() as session:
            items = await ItemRepository(session=session).get_many(
                LimitOffset(PAGE, start), OrderBy("id", "asc")
            )
            return sum(item.id for item in items)


class Unrefreshed(Sessions):
    """The repository without the refresh that by default follows each insert."""

    async def insert(self, row: Values) -> None:
        async with self.sessions.begin() as session:
            await ItemRepository(session=session, auto_refresh=False).add(Item(**row))

    insert_concurrently = insert


class Service(Sessions):
    """As in its manual: it takes values, and `update` changes a row."""

    imports = "advanced_alchemy.service"

    async def insert(self, row: Values) -> None:
        async with self.sessions.begin() as session:
            await ItemService(session=session).create(row)

    insert_concurrently = insert

    async def get(self, key: int) -> int:
        async with self.sessions.begin() as session:
            item = await ItemService(session=session).get(key)
            return item.id

    async def change(self, key: int) -> None:
        async with self.sessions.begin() as session:
            service = ItemService(session=session)
            item = await service.get(key)
            await service.update({"quantity": item.quantity + 1}, item_id=key)

    async def bulk(self, rows: list[Values]) -> None:
        async with self.sessions.begin() as session:
            await ItemService(session=session).create_many(rows)

    async def upsert(self, rows: list[Values]) -> None:
        async with self.sessions.begin() as session:
            await ItemService(session=session).upsert_many(rows)

    async def page(self, start: int) -> int:
        async with self.sessions.begin() as session:
            items = await ItemService(session=session).get_many(
                LimitOffset(PAGE, start), OrderBy("id", "asc")
            )
            return sum(item.id for item in items)
