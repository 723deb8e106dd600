"""What an endpoint is given. Never an open unit of work: it opens its own, and knows when it ends."""

from typing import Annotated

from fastapi import Depends
from fastapi.requests import HTTPConnection

from ...persistence import Database
from ...unit_of_work import UnitOfWork


def _database(connection: HTTPConnection) -> Database[UnitOfWork]:
    database: Database[UnitOfWork] = connection.state.database
    return database


OpenDatabase = Annotated[Database[UnitOfWork], Depends(_database)]
