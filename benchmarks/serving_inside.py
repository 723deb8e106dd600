"""Two servers with the same two endpoints, inside a rendered project; `serving.py` starts them.

`unit` is the project's own application. `plain` is written by hand: FastAPI, an `async_sessionmaker`
and the same models, on an engine with the same driver, pool and settings. It does the same work: it
notifies listeners of a new task, which is one more statement on PostgreSQL, and logs each request. Its
log is uvicorn's; the project's log is JSON with the id of the request.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI, HTTPException
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import async_sessionmaker
from sqlalchemy.orm import selectinload
from task_queue.entrypoints._logs import configure_logs
from task_queue.entrypoints.http.app import create_app
from task_queue.settings import Settings
from task_queue.tasks.model import State, Task, TaskEvent
from task_queue.tasks.schemas import NewTask, TaskHistory, TaskView
from units_inside import migrated_database, plain_engines


def by_hand(settings: Settings) -> FastAPI:
    """Build the endpoints without the kernel."""
    engines = plain_engines(settings)
    writing = async_sessionmaker(engines.writing, expire_on_commit=False)
    reading = async_sessionmaker(engines.reading, expire_on_commit=False)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        for engine in set(engines):
            await engine.dispose()

    app = FastAPI(lifespan=lifespan)

    @app.post("/tasks", status_code=201)
    async def add(new: NewTask) -> TaskView:
        async with writing.begin() as session:
            task = Task(title=new.title, state=State.PENDING)
            session.add(task)
            await session.flush()
            session.add(TaskEvent(task_id=task.id, state=task.state))
            if engines.writing.dialect.name == "postgresql":
                await session.execute(select(func.pg_notify("task", str(task.id))))
        return TaskView.model_validate(task)

    @app.get("/tasks/{task_id}")
    async def show(task_id: int) -> TaskHistory:
        async with reading.begin() as session:
            task = await session.get(Task, task_id, options=[selectinload(Task.events)])
        if task is None:
            raise HTTPException(404)
        return TaskHistory.model_validate(task)

    return app


def main(way: str, port: int) -> None:
    """Serve in this process, with a new database, until the process is terminated."""
    with migrated_database() as settings:
        if way == "plain":
            uvicorn.run(by_hand(settings), port=port)
        else:
            configure_logs()
            uvicorn.run(create_app(settings), port=port, log_config=None, access_log=False)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
