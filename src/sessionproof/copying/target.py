"""The project's database, for synchronous code; async projects run the copy in a greenlet."""

import asyncio
from collections.abc import Callable, Generator
from contextlib import AbstractAsyncContextManager, contextmanager
from types import TracebackType
from typing import Any, TypeVar

from sqlalchemy.orm import Session
from sqlalchemy.util.concurrency import await_only, greenlet_spawn

T = TypeVar("T")

# These limits are for requests. Copying a large table takes longer.
UNLIMITED = {
    "database_warn_after": float("inf"),
    "database_statement_timeout": 0,
    "database_idle_in_transaction_timeout": 0,
}


class Target:
    """The project's open database."""

    def __init__(self, database: Any) -> None:
        self._database = database
        self._is_async = hasattr(database, "__aenter__")

    def require_current_schema(self) -> None:
        """Raises the project's SchemaMismatch if the database is not at the code's revision."""
        told = self._database.require_current_schema()
        if self._is_async:
            await_only(told)

    def run(self, work: Callable[[Session], T], *, read_only: bool = False) -> T:
        """Call `work` with the session of a new unit of work."""
        with self.unit_of_work(read_only=read_only) as run:
            result: T = run(work)
            return result

    @contextmanager
    def unit_of_work(self, **options: Any) -> Generator[Callable[[Callable[[Session], Any]], Any]]:
        """Yield a function that calls its argument with the session of this unit of work."""
        unit = self._database.unit_of_work(**options)
        if self._is_async:
            with _Entered(unit) as uow:
                yield lambda work: await_only(uow.session.run_sync(work))
        else:
            with unit as uow:
                yield lambda work: work(uow.session)


@contextmanager
def opened(kernel: Any, settings: Any) -> Generator[Target]:
    """Open a database with the project's kernel, without timeouts."""
    limits = {name: value for name, value in UNLIMITED.items() if hasattr(settings, name)}
    database = kernel.Database(settings.model_copy(update=limits), kernel.UnitOfWork)
    with _Entered(database) if hasattr(database, "__aenter__") else database:
        yield Target(database)


def in_its_mode(kernel: Any, work: Callable[[], T]) -> T:
    """Call `work`, inside a greenlet and an event loop if the project is async."""
    return asyncio.run(greenlet_spawn(work)) if hasattr(kernel.Database, "__aenter__") else work()


class _Entered:
    """Enters an async context manager from synchronous code."""

    def __init__(self, manager: AbstractAsyncContextManager[Any]) -> None:
        self._manager = manager

    def __enter__(self) -> Any:
        return await_only(self._manager.__aenter__())

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool | None:
        return await_only(self._manager.__aexit__(kind, error, traceback))
