"""Start a server and workers in a rendered project and measure them; `worker.py` runs this program.

`worker_inside.py TASKS CONCURRENCY PROCESSES…` prints the rate for each number of processes. Without
arguments, the program is one of the workers. It uses SQL, so it is the same for async and sync.
"""

import asyncio
import inspect
import os
import subprocess
import sys
import time

from sqlalchemy import Engine, create_engine, text
from task_queue.entrypoints.worker._serve import serve
from task_queue.persistence import migrations
from task_queue.settings import Settings
from task_queue.workers.settings import WorkerSettings
from tests.kit.postgresql import create_database, own_server

FILL = """
    INSERT INTO task (title, state, created_at, updated_at, version)
    SELECT 'task', 'pending', now(), now(), 1 FROM generate_series(1, :tasks)
"""
LISTENING = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
DONE = "SELECT count(*) FROM task WHERE state = 'succeeded'"
RATE = "SELECT :tasks / extract(epoch FROM max(happened_at) - min(happened_at)) FROM task_event"


def main(tasks: int, concurrency: int, *processes: int) -> None:
    with own_server() as server:
        for count in processes:
            url = server.url.set(database=f"test_worker_{count}")
            create_database(url)
            settings = Settings.model_validate({"database_url": url})
            migrations.upgrade(settings)
            engine = create_engine(url.set(drivername="postgresql+psycopg"))
            print(f"{rate(engine, tasks, concurrency, count):.0f}")
            engine.dispose()


def rate(engine: Engine, tasks: int, concurrency: int, count: int) -> float:
    """Start the workers, wait until all are listening, fill the queue; return tasks per second."""
    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    environment = os.environ | {"DATABASE_URL": url, "CONCURRENCY": str(concurrency)}
    workers = [
        subprocess.Popen([sys.executable, __file__], env=environment, stderr=subprocess.DEVNULL)
        for _ in range(count)
    ]
    wait_for(engine, LISTENING, count)
    with engine.begin() as connection:
        connection.execute(text(FILL), {"tasks": tasks})
    wait_for(engine, DONE, tasks)
    for worker in workers:
        worker.terminate()
    assert [worker.wait() for worker in workers] == [0] * count
    with engine.connect() as connection:
        return float(connection.scalar(text(RATE), {"tasks": tasks}) or 0)


def wait_for(engine: Engine, query: str, count: int) -> None:
    while True:
        with engine.connect() as connection:
            if connection.scalar(text(query)) == count:
                return
        time.sleep(0.2)


def work() -> None:
    concurrency = int(os.environ["CONCURRENCY"])
    done = serve(Settings(), WorkerSettings(), do_nothing, concurrency=concurrency, once=False)
    if inspect.iscoroutine(done):
        asyncio.run(done)


def do_nothing(*_: object) -> object:
    return asyncio.sleep(0) if inspect.iscoroutinefunction(serve) else None


if __name__ == "__main__":
    main(*map(int, sys.argv[1:])) if sys.argv[1:] else work()
