"""Limits of requests: their size, their time, and how many there are at a time."""

import json
import math
import re
from collections import Counter, deque
from collections.abc import Callable
from itertools import accumulate

from anyio import CancelScope, Semaphore, current_time, fail_after
from anyio.lowlevel import checkpoint
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ._guard import HEALTH
from ._problems import ProblemResponse, refuse, take_body
from ._settings import HttpSettings

SOON = {"Retry-After": "1"}
CLOSING = {"Connection": "close"}  # the rest of the request is not read
TOO_MANY = ProblemResponse(503, "the server has too many requests; try again", SOON)
SMALL = 2**16  # bytes of a body that the server keeps for each connection in any case
PER_HEADER = 4  # bytes around a name and a value

TEXTS = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)
OTHERS = bytes(set(range(256)) - {*b"[]{}"})
STEPS = [(byte in b"[{") - (byte in b"]}") for byte in range(256)]


class Limits:
    """Refuses requests and WebSockets that exceed a limit of the settings."""

    def __init__(self, app: ASGIApp, http: HttpSettings) -> None:
        self._app = app
        self._http = http
        # Slow uploads and downloads must not keep others out, so each kind has its own places.
        self._places = self._new_places()
        self._uploads = self._new_places()
        self._downloads = self._new_places()
        self._websockets = Counter[str]()  # by the address of the client

    def _new_places(self) -> Semaphore:
        return Semaphore(self._http.http_max_requests, fast_acquire=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        problem = self._too_large(scope)
        if problem:
            await refuse(problem, scope, receive, send)
        elif scope["path"].startswith(HEALTH):
            await self._app(scope, receive, send)
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
        size = sum(len(name) + len(value) + PER_HEADER for name, value in scope["headers"])
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
        """Serve a request when there is a place; a small body arrives before that."""
        body = _Body(receive, self._http, Headers(scope=scope))
        try:
            is_small = await body.arrive()
        except HTTPException as error:
            problem = ProblemResponse(error.status_code, error.detail, error.headers)
            await refuse(problem, scope, receive, send)
            return
        request = _Request(self._http, self._downloads, send)
        if not await request.take_place(self._places if is_small else self._uploads):
            await refuse(TOO_MANY, scope, receive, send)
            return
        try:
            await request.serve(self._app, scope, body)
        finally:
            request.leave_place()


class _Request:
    """A request that has a place. Its time is limited from the end of its body to its response."""

    def __init__(self, http: HttpSettings, downloads: Semaphore, send: Send) -> None:
        self._http = http
        self._downloads = downloads
        self._send = send
        self._place: Semaphore | None = None
        self._patience = CancelScope()
        self._is_refused = False

    async def take_place(self, places: Semaphore) -> bool:
        """Wait for a place, and give up the one before; False after too long a wait."""
        try:
            with fail_after(self._http.http_queue_timeout):
                await places.acquire()
        except TimeoutError:
            return False
        self.leave_place()
        self._place = places
        return True

    def leave_place(self) -> None:
        """Let another request have the place."""
        if self._place:
            self._place.release()
            self._place = None

    async def serve(self, app: ASGIApp, scope: Scope, body: "_Body") -> None:
        """Call the application; answer 503 if it has not answered in time."""
        seconds = self._http.http_response_timeout

        def go_on() -> None:
            self._patience.deadline = current_time() + seconds

        body.on_part = go_on
        with self._patience:
            go_on()
            await app(scope, body.receive, self._answer)
        if self._is_refused:
            await TOO_MANY(scope, body.receive, self._send)
        elif self._patience.cancelled_caught:
            detail = (
                f"this took longer than {seconds:g} seconds and was interrupted; "
                "check what was saved before you repeat the request"
            )
            await ProblemResponse(503, detail)(scope, body.receive, self._send)

    async def _answer(self, message: Message) -> None:
        """Send a part of the response. One of unknown length needs a place for downloads."""
        if message["type"] == "http.response.start":
            self._patience.deadline = math.inf
            if "Content-Length" not in Headers(raw=message["headers"]) and message["status"] != 204:
                self._is_refused = not await self.take_place(self._downloads)
                if self._is_refused:
                    self._patience.cancel()
                    await checkpoint()
        await self._send(message)


class _Body:
    """The body of a request, which must arrive in time and be neither too large nor too deep."""

    def __init__(self, receive: Receive, http: HttpSettings, headers: Headers) -> None:
        self._receive = receive
        self._http = http
        self._is_json = "json" in headers.get("Content-Type", "").lower()
        self._parts: list[bytes] = []  # of JSON
        self._size = 0
        self._deadline = current_time() + http.http_body_timeout
        self._more = True
        self._early = deque[Message]()
        self.on_part: Callable[[], None] = lambda: None

    async def arrive(self) -> bool:
        """Receive the whole body if it is small; False if it is not."""
        while self._more and self._size <= SMALL:
            self._early.append(await self._next())
        return not self._more

    async def receive(self) -> Message:
        """Receive the next part of the body. Raises HTTPException if it exceeds a limit."""
        if self._early:
            return self._early.popleft()
        if not self._more:
            return await self._receive()
        message = await self._next()
        self.on_part()
        return message

    async def _next(self) -> Message:
        try:
            with fail_after(self._deadline - current_time()):
                message = await self._receive()
        except TimeoutError:
            seconds = self._http.http_body_timeout
            detail = f"the body did not arrive within {seconds:g} seconds"
            raise HTTPException(408, detail, CLOSING) from None
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
    encoding = json.detect_encoding(text)
    if encoding != "utf-8":
        text = text.decode(encoding, "replace").encode()
    brackets = TEXTS.sub(b"", text).translate(None, OTHERS)
    return max(accumulate(map(STEPS.__getitem__, brackets)), default=0) > limit


def _body_limit(http: HttpSettings) -> str:
    return f"a body may have at most {http.http_max_body:,} bytes"
