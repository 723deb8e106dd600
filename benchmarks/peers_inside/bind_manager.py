"""sqlalchemy-bind-manager: its unit of work and its repository."""

from sqlalchemy import URL
from sqlalchemy_bind_manager import SQLAlchemyBindManager, SQLAlchemyConfig, repository

from .cases import PAGE
from .engine import LONG_TIMEOUT, OnEngine, listen
from .model import Item, Values


class ItemRepository(repository.SQLAlchemyAsyncRepository[Item]):
    """Items; the limit of a page is raised to that of the other ways."""

    _model = Item
    _max_query_limit = PAGE


class Way(OnEngine):
    """Each unit is a new object, because its session belongs to the task that creates it."""

    imports = "sqlalchemy_bind_manager.repository"

    def __init__(self, url: URL) -> None:
        is_sqlite = url.get_backend_name() == "sqlite"
        config = SQLAlchemyConfig(
            engine_url=url.render_as_string(hide_password=False),
            engine_options=LONG_TIMEOUT if is_sqlite else {},
            async_engine=True,
        )
        self.manager = SQLAlchemyBindManager(config)  # it closes its engines when Python frees it
        self.bind = self.manager.get_bind()
        self.engine = self.bind.engine
        if is_sqlite:
            listen(self.engine)

    def unit(self) -> repository.AsyncUnitOfWork:
        uow = repository.AsyncUnitOfWork(self.bind)
        uow.register_repository("items", ItemRepository)
        return uow

    async def insert(self, row: Values) -> None:
        uow = self.unit()
        async with uow.transaction():
            await uow.repository("items").save(Item(**row))

    insert_concurrently = insert

    async def get(self, key: int) -> int:
        uow = self.unit()
        async with uow.transaction(read_only=True):
            item = await uow.repository("items").get(key)
            return item.id

    async def change(self, key: int) -> None:
        uow = self.unit()
        async with uow.transaction():
            item = await uow.repository("items").get(key)
            item.quantity += 1

    async def bulk(self, rows: list[Values]) -> None:
        uow = self.unit()
        async with uow.transaction():
            await uow.repository("items").save_many([Item(**row) for row in rows])

    async def page(self, start: int) -> int:
        place = repository.CursorReference(column="id", value=start) if start else None
        uow = self.unit()
        async with uow.transaction(read_only=True):
            page = await uow.repository("items").cursor_paginated_find(PAGE, place)
            return sum(item.id for item in page.items)
