"""sqlalchemy-bind-manager: a unit of work and its repository for each unit."""

from sqlalchemy import URL
from sqlalchemy_bind_manager import SQLAlchemyBindManager, SQLAlchemyConfig, repository

from .cases import PAGE
from .engine import PATIENT, OnEngine, listen
from .model import Item, Values


class ItemRepository(repository.SQLAlchemyAsyncRepository[Item]):
    """Items, in pages that may be as long as those of the others."""

    _model = Item
    _max_query_limit = PAGE


class Way(OnEngine):
    """The unit is a new one each time: its session belongs to the task that makes it."""

    imports = "sqlalchemy_bind_manager.repository"

    def __init__(self, url: URL) -> None:
        is_sqlite = url.get_backend_name() == "sqlite"
        config = SQLAlchemyConfig(
            engine_url=url.render_as_string(hide_password=False),
            engine_options=PATIENT if is_sqlite else {},
            async_engine=True,
        )
        self.manager = SQLAlchemyBindManager(config)  # which closes its engines when it goes
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

    insert_beside = insert

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
