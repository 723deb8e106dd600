"""Watch a task by many WebSockets; `watchers.py` starts this program inside a rendered project."""

import asyncio
import contextlib
import itertools
import json
import logging
import os
import resource
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event
from task_queue.entrypoints.http.app import create_app
from task_queue.persistence import migrations
from task_queue.settings import Settings
from tests.kit import databases
from tests.kit.served import Served, serving
from websockets.asyncio.client import ClientConnection, connect

SETTLED = 1.0  # seconds without a change before each measurement

statements = itertools.count()


@event.listens_for(Engine, "before_cursor_execute")
def count(*_: object) -> None:
    next(statements)


def counted() -> int:
    """The number of statements up to now; reading it does not change later differences."""
    return next(statements)


async def measure(served: Served, watchers: int) -> dict[str, Any]:
    """Return the figures for so many watchers of one task."""
    watched, other = [await ask(served, "") for _ in range(2)]
    address = f"ws://127.0.0.1:{served.port}/tasks/{watched}/watch"
    begun = time.monotonic()
    async with contextlib.AsyncExitStack() as stack:
        sockets: list[ClientConnection] = []
        for start in range(0, watchers, 50):
            opening = [connect(address, open_timeout=60) for _ in range(min(50, watchers - start))]
            sockets += await asyncio.gather(*map(stack.enter_async_context, opening))
        await asyncio.gather(*[socket.recv() for socket in sockets])
        opened = time.monotonic() - begun

        await asyncio.sleep(SETTLED)
        before = counted()
        await ask(served, f"/{other}/start")
        await asyncio.sleep(SETTLED)
        others = counted() - before - 1

        before, begun = counted(), time.monotonic()
        waiting = [asyncio.create_task(socket.recv()) for socket in sockets]
        await ask(served, f"/{watched}/start")
        await asyncio.gather(*waiting)
        told = time.monotonic() - begun
        await asyncio.sleep(SETTLED)
        changed = counted() - before - 1
    return {
        "watchers": watchers,
        "opened": opened,
        "told": told,
        "statements": changed,
        "others": others,
    }


async def ask(served: Served, path: str) -> int:
    """Add or change a task; return its id."""
    body = None if path else {"title": "watched"}
    answer = await asyncio.to_thread(served.ask, "POST", f"/tasks{path}", body)
    assert answer.status in (200, 201), answer
    task_id: int = answer.body["id"]
    return task_id


@contextlib.contextmanager
def database() -> Generator[Settings]:
    """The settings of a new database."""
    with contextlib.ExitStack() as stack:
        running_server: Any = getattr(databases, "running_server", None)
        if running_server:
            yield stack.enter_context(databases.new_database(stack.enter_context(running_server())))
        else:
            folder: Any = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            yield databases.new_database(folder)


def main(numbers: list[int]) -> None:
    """Print the figures as JSON."""
    logging.disable()
    os.environ["HTTP_MAX_WEBSOCKETS_PER_CLIENT"] = os.environ["HTTP_MAX_WEBSOCKETS"] = "10000"
    resource.setrlimit(resource.RLIMIT_NOFILE, [resource.getrlimit(resource.RLIMIT_NOFILE)[1]] * 2)
    with database() as settings:
        migrations.upgrade(settings)
        with serving(create_app(settings)) as served:
            done = [asyncio.run(measure(served, number)) for number in numbers]
    print(json.dumps(done))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
