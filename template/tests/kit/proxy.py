"""A proxy in front of the tests' server that can lose connections and delay answers.

It parses the messages of drivers, so a test can name a statement: `proxy.cut_after("COMMIT")`.
It works in its own threads, so async and sync tests use it in the same way.
"""

import random
import socket
import struct
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread
from typing import BinaryIO

from sqlalchemy import URL

PATIENCE = 10  # seconds until a test times out
READY = b"Z\0\0\0\5"  # "ready for query" ends an answer, with one more byte
ENCRYPTION = {struct.pack("!II", 8, code) for code in (80877103, 80877104)}  # SSL, GSSAPI


class Trap:
    """An action that happens once, to the next connection that sends `text`."""

    def __init__(self, text: str, action: Callable[["Link"], None], *, before: bool) -> None:
        self.text = text.encode()
        self.before = before
        self._action = action
        self._sprung = Event()

    def wait(self) -> None:
        """Wait until the action happens. In a coroutine: `await asyncio.to_thread(trap.wait)`."""
        if not self._sprung.wait(PATIENCE):
            raise TimeoutError(f"no message with {self.text!r} was sent in {PATIENCE} seconds")

    def spring(self, link: "Link") -> None:
        self._action(link)
        self._sprung.set()


class Proxy:
    """Reaches the server through `url`.

    `…_before` acts before the server gets a message, `…_after` when the server has answered it.
    """

    def __init__(self, server: URL, port: int) -> None:
        self.url = server.set(host="127.0.0.1", port=port, query={})
        self._server = server
        self._links: list[Link] = []
        self._traps: list[Trap] = []
        self._lock = Lock()
        self._holding = False

    def cut(self) -> None:
        """Lose every connection."""
        for link in list(self._links):
            link.cut()

    def cut_one(self) -> None:
        """Lose a random connection."""
        links = [link for link in self._links if link.is_open]
        if links:
            random.choice(links).cut()  # noqa: S311

    @contextmanager
    def cutting(self, *, every: float) -> Generator[None]:
        """Lose a random connection every `every` seconds, inside the block."""
        done = Event()

        def work() -> None:
            while not done.wait(every):
                self.cut_one()

        thread = Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def cut_before(self, text: str) -> Trap:
        """Lose the next connection that sends `text`, before the server gets the message."""
        return self._trap(text, Link.cut, before=True)

    def cut_after(self, text: str) -> Trap:
        """Lose the next connection that sends `text`, before the client gets the answer."""
        return self._trap(text, Link.cut, before=False)

    def hold(self) -> None:
        """Hold all answers back until `release`, also for new connections."""
        self._holding = True
        for link in list(self._links):
            link.hold()

    def hold_before(self, text: str) -> Trap:
        """Hold the next message with `text` back until `release`."""
        return self._trap(text, Link.hold, before=True)

    def hold_after(self, text: str) -> Trap:
        """Hold the answer to the next message with `text` back until `release`."""
        return self._trap(text, Link.hold, before=False)

    def release(self) -> None:
        """Pass on everything that was held back."""
        self._holding = False
        for link in list(self._links):
            link.release()

    def connect(self, client: socket.socket) -> None:
        """Serve a client in two new threads."""
        try:
            server = _connect(self._server)
        except OSError:
            client.close()
            return
        link = Link(client, server, self._take_trap)
        self._links.append(link)
        if self._holding:
            link.hold()
        link.start()

    def close(self) -> None:
        """Lose every connection, and wait until both sides are closed."""
        self.cut()
        for link in self._links:
            link.join()

    def _trap(self, text: str, action: Callable[["Link"], None], *, before: bool) -> Trap:
        trap = Trap(text, action, before=before)
        self._traps.append(trap)
        return trap

    def _take_trap(self, message: bytes) -> Trap | None:
        with self._lock:
            trap = next((trap for trap in self._traps if trap.text in message), None)
            if trap:
                self._traps.remove(trap)
            return trap


class Link:
    """One connection, with a thread for each direction."""

    def __init__(
        self,
        client: socket.socket,
        server: socket.socket,
        take_trap: Callable[[bytes], Trap | None],
    ) -> None:
        self.is_open = True
        self._client = client
        self._server = server
        self._take_trap = take_trap
        self._after: Trap | None = None
        self._flowing = Event()
        self._flowing.set()
        self._thread = Thread(target=self._run)

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        self._thread.join()

    def cut(self) -> None:
        self.is_open = False
        for end in (self._client, self._server):
            with suppress(OSError):  # already closed
                end.shutdown(socket.SHUT_RDWR)
        self._flowing.set()

    def hold(self) -> None:
        self._flowing.clear()

    def release(self) -> None:
        self._flowing.set()

    def _run(self) -> None:
        answering = Thread(target=self._answers)
        answering.start()
        self._requests()
        answering.join()
        self._client.close()
        self._server.close()

    def _requests(self) -> None:
        with suppress(OSError), self._client.makefile("rb") as stream:
            for message in _messages(stream):
                if message in ENCRYPTION:
                    self._client.sendall(b"N")  # refuse encryption, to read the messages
                else:
                    self._request(message)
        self.cut()

    def _request(self, message: bytes) -> None:
        trap = self._take_trap(message)
        if trap and trap.before:
            trap.spring(self)
            self._flowing.wait()
        elif trap:
            self._after = trap
        self._server.sendall(message)

    def _answers(self) -> None:
        end = b""
        with suppress(OSError):
            while data := self._server.recv(65536):
                end = (end + data)[-6:]
                if self._after and end.startswith(READY):
                    self._after.spring(self)
                    self._after = None
                self._flowing.wait()
                self._client.sendall(data)
        self.cut()


@contextmanager
def running_proxy(server: URL) -> Generator[Proxy]:
    """Run a proxy in front of `server`. It closes all connections at the end of the block."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        proxy = Proxy(server, port=address[1])
        stopping = Event()
        accepting = Thread(target=_accept, args=(listener, proxy, stopping))
        accepting.start()
        try:
            yield proxy
        finally:
            stopping.set()
            socket.create_connection(address).close()  # wakes the accepting thread
            accepting.join()
            proxy.close()


def _accept(listener: socket.socket, proxy: Proxy, stopping: Event) -> None:
    while True:
        client, _ = listener.accept()
        if stopping.is_set():
            client.close()
            return
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        proxy.connect(client)


def _connect(server: URL) -> socket.socket:
    """Connect to the server, by TCP or by a Unix socket."""
    host = str(server.query.get("host") or server.host)
    port = server.port or 5432
    if not host.startswith("/"):
        connection = socket.create_connection((host, port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
        return connection
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(f"{host}/.s.PGSQL.{port}")
    except OSError:
        connection.close()
        raise
    return connection


def _messages(stream: BinaryIO) -> Iterator[bytes]:
    """Yield a client's messages. The first ones have no type byte before their length."""
    kind = 0
    while len(head := stream.read(kind + 4)) == kind + 4:
        (length,) = struct.unpack("!I", head[kind:])
        message = head + stream.read(length - 4)
        yield message
        kind = int(message not in ENCRYPTION)
