"""The misuse of the first picture: two tasks share one unit of work."""

import asyncio

from task_queue.managers import create_managers
from task_queue.persistence import Database
from task_queue.settings import Settings
from task_queue.tasks.schemas import NewTask
from task_queue.unit_of_work import UnitOfWork, open_database


async def add(uow: UnitOfWork, title: str) -> None:
    await create_managers(uow).tasks.add(NewTask(title=title))


async def add_both(database: Database[UnitOfWork]) -> None:
    async with database.unit_of_work() as uow:
        await asyncio.gather(add(uow, "Write the report"), add(uow, "Post the letter"))


async def main() -> None:
    async with open_database(Settings()) as database:
        await add_both(database)


asyncio.run(main())
