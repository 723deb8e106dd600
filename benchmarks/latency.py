"""A proxy that adds latency to a server: `latency.py URL MILLISECONDS` prints its port.

Each direction is delayed by half of the time. The proxy runs until its standard input is closed.
"""

import asyncio
import selectors
import sys
from asyncio import StreamReader, StreamWriter

from sqlalchemy import URL, make_url


async def main(url: URL, seconds: float) -> None:
    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        answers, requests = await connect(url)
        await asyncio.gather(
            pass_on(reader, requests, seconds / 2), pass_on(answers, writer, seconds / 2)
        )

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.to_thread(sys.stdin.read)


async def connect(url: URL) -> tuple[StreamReader, StreamWriter]:
    """Connect to the server, which may listen on a Unix socket in a folder."""
    host, port = str(url.query.get("host") or url.host), url.port or 5432
    if host.startswith("/"):
        return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
    return await asyncio.open_connection(host, port)


async def pass_on(reader: StreamReader, writer: StreamWriter, delay: float) -> None:
    """Forward all data in order, each part `delay` seconds later; parts do not wait for each other."""
    loop = asyncio.get_running_loop()
    while data := await reader.read(65536):
        loop.call_later(delay, writer.write, data)
    loop.call_later(delay, writer.close)


def make_loop() -> asyncio.AbstractEventLoop:
    """Return a loop with select: epoll, the default, rounds timeouts up to whole milliseconds."""
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=make_loop) as runner:
        runner.run(main(make_url(sys.argv[1]), float(sys.argv[2]) / 1000))
