"""Limits of connections: how many there are, and how long a client may take for a request's headers.

Each connection costs the process a file. If there are too many, the one that has waited longest for
a request is closed, so that idle clients cannot lock others out.
"""

import asyncio
import logging
import sys
from asyncio import TimerHandle
from collections.abc import Callable
from functools import partial
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from ._problems import ProblemResponse
from ._settings import HttpSettings

log = logging.getLogger(__name__)

SPARE = 200  # files for the database, the log, and connections that are being accepted


class Connection(HttpToolsProtocol):
    """uvicorn's protocol, with limits."""

    def __init__(self, limits: "_Connections", **arguments: Any) -> None:
        super().__init__(**arguments)
        self._limits = limits
        self._size = 0  # of headers that are not complete
        self._timer: TimerHandle | None = None  # runs until they are complete
        self._refusal: tuple[int, str] | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept the connection; if there are too many, close another one or refuse it."""
        super().connection_made(transport)
        waiting = self._limits.waiting
        if len(self.connections) > self._limits.most:
            if not waiting:
                self._refuse(503, "the server has too many connections; try again")
                return
            next(iter(waiting))._close()
        waiting[self] = None
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse the data; refuse headers that go on for ever."""
        if self._refusal:
            return
        super().data_received(data)
        self._size += len(data)
        is_idle = self in self.connections and not self._is_busy()  # a WebSocket is not in them
        if is_idle and not self._timer and not self.transport.is_closing():
            self._start_timer()  # uvicorn has stopped its own
        http = self._limits.http
        if self._timer and self._size > http.http_max_url + http.http_max_headers:
            self._refuse(431, f"headers may have at most {http.http_max_headers:,} bytes")

    def on_message_begin(self) -> None:
        """Limit the time of a request's headers."""
        super().on_message_begin()
        if not self._timer:
            self._size = 0
            self._start_timer()

    def on_headers_complete(self) -> None:
        """Start the request, unless its body would be lost: the parser takes it for a new protocol."""
        self._stop_waiting()
        if self.parser and self.parser.should_upgrade():
            names = {name for name, _ in self.headers}
            has_body = names & {b"content-length", b"transfer-encoding"}
            if self._is_busy() or (has_body and not self._should_upgrade()):
                raise ValueError("an upgrade must be a request of its own, without a body")
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request, unless it is here already."""
        super().on_response_complete()
        if self._is_busy() or self.transport.is_closing():
            return
        if self._refusal:
            self._refuse(*self._refusal)
        else:
            self._limits.waiting[self] = None

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP with a problem."""
        self._refuse(400, msg)

    def _start_timer(self) -> None:
        self._timer = self.loop.call_later(self._limits.http.http_header_timeout, self._is_late)

    def _is_busy(self) -> bool:
        """Whether a response is not complete."""
        return bool(self.cycle and not self.cycle.response_complete)

    def _is_late(self) -> None:
        if self._is_busy():
            self._start_timer()  # the headers of the next request: they have time until then
        elif self._size:
            seconds = self._limits.http.http_header_timeout
            self._refuse(408, f"the headers did not arrive within {seconds:g} seconds")
        else:
            self._close()

    def _refuse(self, status: int, detail: str) -> None:
        """Send a problem and close, after the response that is not complete."""
        self._refusal = (status, detail)
        if self._is_busy():
            return
        problem = ProblemResponse(status, detail, {"Connection": "close"})
        headers = [*self.server_state.default_headers, *problem.raw_headers]
        lines = [b"%b: %b\r\n" % header for header in headers]
        self.transport.write(b"".join([STATUS_LINE[status], *lines, b"\r\n", bytes(problem.body)]))
        self._close()

    def _close(self) -> None:
        self._stop_waiting()
        self.transport.close()

    def _stop_waiting(self) -> None:
        self._limits.waiting.pop(self, None)
        if self._timer:
            self._timer.cancel()
            self._timer = None


class _Connections:
    """The limits of a server, and its connections that wait for a request, longest first."""

    def __init__(self, http: HttpSettings) -> None:
        self.http = http
        self.most = min(http.http_max_connections, max(_files(http) - SPARE, 1))
        if self.most < http.http_max_connections:
            log.warning("only %d connections, because of the limit of open files", self.most)
        self.waiting: dict[Connection, None] = {}


def limited(http: HttpSettings) -> Callable[..., Connection]:
    """The protocol of a server with these limits."""
    return partial(Connection, _Connections(http))


def _files(http: HttpSettings) -> int:
    """The number of files that the process may open, after it has asked for more."""
    if sys.platform == "win32":
        return sys.maxsize
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = http.http_max_connections + SPARE
    if resource.RLIM_INFINITY != soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return wanted if soft == resource.RLIM_INFINITY else soft
