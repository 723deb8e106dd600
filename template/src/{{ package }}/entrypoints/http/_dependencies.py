"""The dependencies of endpoints. None is a unit of work: an endpoint opens its own.

They are `async` although they wait for nothing, because FastAPI runs others in a thread.
"""

from typing import Annotated

from fastapi import Depends
from fastapi.requests import HTTPConnection

from ...persistence import Database
from ...unit_of_work import UnitOfWork
from ._background import Background
from ._watchers import Watchers


async def _database(connection: HTTPConnection) -> Database[UnitOfWork]:
    database: Database[UnitOfWork] = connection.state.database
    return database


async def _background(connection: HTTPConnection) -> Background:
    background: Background = connection.state.background
    return background


async def _watchers(connection: HTTPConnection) -> Watchers:
    watchers: Watchers = connection.state.watchers
    return watchers


OpenDatabase = Annotated[Database[UnitOfWork], Depends(_database)]
InBackground = Annotated[Background, Depends(_background)]
Watching = Annotated[Watchers, Depends(_watchers)]
