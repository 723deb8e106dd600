"""A generated project: its database, its unit of work and its repository."""

from sqlalchemy import URL
from task_queue.persistence import Database, DatabaseSettings, Repository, UnitOfWork

from .cases import PAGE
from .model import Item, Row, Values


class ItemRepository(Repository[Item]):
    """Items."""

    model = Item


class ItemUnit(UnitOfWork):
    """Every repository, in one transaction."""

    @property
    def items(self) -> ItemRepository:
        """Where items are found."""
        return ItemRepository(self)


class Way:
    """A generated project with its default settings and pool."""

    imports = "task_queue.persistence"

    def __init__(self, url: URL) -> None:
        url = url.set(drivername=url.get_backend_name())
        settings = DatabaseSettings.model_validate({"database_url": url})
        self.database = Database(settings, ItemUnit)
        self.cursors: dict[int, str | None] = {}

    async def open(self) -> None:
        await self.database.__aenter__()

    async def close(self) -> None:
        await self.database.close()

    async def insert(self, row: Values) -> None:
        async with self.database.unit_of_work() as uow:
            await uow.items.add(Item(**row))

    insert_concurrently = insert

    async def get(self, key: int) -> int:
        async with self.database.unit_of_work(read_only=True, isolation="autocommit") as uow:
            item = await uow.items.get(key)
            return item.id

    async def change(self, key: int) -> None:
        async with self.database.unit_of_work() as uow:
            item = await uow.items.get(key)
            item.quantity += 1

    async def bulk(self, rows: list[Values]) -> None:
        async with self.database.unit_of_work() as uow:
            await uow.items.add_many(rows)

    async def upsert(self, rows: list[Values]) -> None:
        async with self.database.unit_of_work() as uow:
            await uow.items.upsert_many(rows)

    async def page(self, start: int) -> int:
        after = await self.cursor_at(start)
        async with self.database.unit_of_work(read_only=True, isolation="autocommit") as uow:
            page = await uow.items.page(limit=PAGE, after=after)
            return sum(item.id for item in page.items)

    async def cursor_at(self, start: int) -> str | None:
        """Return the cursor of the page before; cached, because a client has it already."""
        if start and start not in self.cursors:
            async with self.database.unit_of_work(read_only=True) as uow:
                page = await uow.items.page(Item.id >= start, limit=1)
                self.cursors[start] = page.next
        return self.cursors.get(start)

    async def stream(self, size: int) -> int:
        total = 0
        async with self.database.unit_of_work(read_only=True) as uow:
            async for item in uow.items.stream():
                total += item.quantity
        return total

    async def stream_rows(self, size: int) -> int:
        total = 0
        async with self.database.unit_of_work(read_only=True) as uow:
            async for row in uow.items.stream(into=Row):
                total += row.quantity
        return total
