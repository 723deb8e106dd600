"""Limits of requests: their size, their time, and how many there are at a time."""

import math
import re
from collections import Counter
from collections.abc import Callable

from anyio import Semaphore, current_time, fail_after, move_on_after
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ._guard import HEALTH
from ._problems import ProblemResponse, refuse, take_body
from ._settings import HttpSettings

SOON = {"Retry-After": "1"}
CLOSING = {"Connection": "close"}  # the rest of the request is not read
BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"?|[\[{]|[\]}]', re.DOTALL)


class Limits:
    """Refuses requests and WebSockets that exceed a limit of the settings."""

    def __init__(self, app: ASGIApp, http: HttpSettings) -> None:
        self._app = app
        self._http = http
        self._free = Semaphore(http.http_max_requests, fast_acquire=True)
        self._websockets = Counter[str]()  # by the address of the client

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or scope["path"].startswith(HEALTH):
            await self._app(scope, receive, send)
            return
        problem = self._too_large(scope)
        if problem:
            await refuse(problem, scope, receive, send)
        elif scope["type"] == "websocket":
            await self._hold(scope, receive, send)
        else:
            await self._queue(scope, receive, send)

    def _too_large(self, scope: Scope) -> ProblemResponse | None:
        http = self._http
        if len(scope["raw_path"]) + len(scope["query_string"]) > http.http_max_url:
            return ProblemResponse(
                414, f"a URL may have at most {http.http_max_url:,} bytes", CLOSING
            )
        size = sum(len(name) + len(value) for name, value in scope["headers"])
        if size > http.http_max_headers:
            return ProblemResponse(
                431, f"headers may have at most {http.http_max_headers:,} bytes", CLOSING
            )
        length = Headers(scope=scope).get("Content-Length", "0")
        if length.isdigit() and int(length) > http.http_max_body:
            return ProblemResponse(413, _body_limit(http), CLOSING)
        return None

    async def _hold(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a WebSocket, unless there are too many."""
        client = scope["client"][0] if scope.get("client") else ""
        most = self._http.http_max_websockets_per_client
        if self._websockets[client] >= most:
            detail = f"a client may open at most {most} WebSockets at a time"
            await refuse(ProblemResponse(429, detail, SOON), scope, receive, send)
            return
        if self._websockets.total() >= self._http.http_max_websockets:
            detail = "the server has too many WebSockets; try again"
            await refuse(ProblemResponse(503, detail, SOON), scope, receive, send)
            return
        self._websockets[client] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._websockets[client] -= 1
            if not self._websockets[client]:
                del self._websockets[client]

    async def _queue(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request when fewer than the most are running."""
        try:
            with fail_after(self._http.http_queue_timeout):
                await self._free.acquire()
        except TimeoutError:
            problem = ProblemResponse(503, "the server has too many requests; try again", SOON)
            await refuse(problem, scope, receive, send)
            return
        try:
            await self._serve(scope, receive, send)
        finally:
            self._free.release()

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request; its time is limited from the end of its body to its response."""
        seconds = self._http.http_response_timeout
        with move_on_after(seconds) as patience:

            def go_on() -> None:
                patience.deadline = current_time() + seconds

            async def beginning(message: Message) -> None:
                patience.deadline = math.inf
                await send(message)

            body = _Body(receive, self._http, Headers(scope=scope), go_on)
            await self._app(scope, body.receive, beginning)
        if patience.cancelled_caught:
            detail = (
                f"this took longer than {seconds:g} seconds and was interrupted; "
                "check what was saved before you repeat the request"
            )
            await ProblemResponse(503, detail, SOON)(scope, receive, send)


class _Body:
    """The body of a request, which must arrive in time and be neither too large nor too deep."""

    def __init__(
        self,
        receive: Receive,
        http: HttpSettings,
        headers: Headers,
        go_on: Callable[[], None],
    ) -> None:
        self._receive = receive
        self._http = http
        self._go_on = go_on
        self._is_json = "json" in headers.get("Content-Type", "")
        self._parts: list[bytes] = []
        self._size = 0
        self._deadline = current_time() + http.http_body_timeout
        self._more = True

    async def receive(self) -> Message:
        """Receive the next part of the body. Raises HTTPException if it exceeds a limit."""
        if not self._more:
            return await self._receive()
        try:
            with fail_after(self._deadline - current_time()):
                message = await self._receive()
        except TimeoutError:
            seconds = self._http.http_body_timeout
            detail = f"the body did not arrive within {seconds:g} seconds"
            raise HTTPException(408, detail, CLOSING) from None
        self._go_on()  # the response has its full time from here
        await self._check(message)
        return message

    async def _check(self, message: Message) -> None:
        part = message.get("body", b"")
        self._more = message.get("more_body", False)
        self._size += len(part)
        if self._size > self._http.http_max_body:
            await take_body(self._receive)
            raise HTTPException(413, _body_limit(self._http), CLOSING)
        if self._is_json:
            self._parts.append(part)
        if not self._more:
            if is_deeper(b"".join(self._parts), self._http.http_max_json_depth):
                detail = f"JSON may be nested at most {self._http.http_max_json_depth} levels deep"
                raise HTTPException(422, detail)
            self._parts.clear()


def is_deeper(text: bytes, limit: int) -> bool:
    """Whether the JSON text is nested deeper than `limit` levels."""
    if text.count(b"[") + text.count(b"{") <= limit:
        return False
    depth = 0
    for bracket in BRACKETS.finditer(text):
        first = bracket[0][:1]
        depth += (first in b"[{") - (first in b"]}")
        if depth > limit:
            return True
    return False


def _body_limit(http: HttpSettings) -> str:
    return f"a body may have at most {http.http_max_body:,} bytes"
