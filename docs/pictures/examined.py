"""The code that the second picture examines: plain SQLAlchemy with the same misuse."""

import asyncio

from models import Task
from sqlalchemy.ext.asyncio import AsyncSession


async def add(session: AsyncSession, title: str) -> None:
    session.add(Task(title=title))
    await session.flush()


async def add_all(session: AsyncSession, titles: list[str]) -> None:
    await asyncio.gather(*(add(session, title) for title in titles))
    await session.commit()
