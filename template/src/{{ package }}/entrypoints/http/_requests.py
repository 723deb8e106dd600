"""The log of requests: each has an id, which is in every line of the log, and a line at its end."""

import asyncio
import logging
import re
import time
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

HEADER = "X-Request-ID"
LONGEST = 500  # characters of a path
VALID = re.compile(r"[\w.:=+/@-]{1,100}", re.ASCII)  # safe to log

log = logging.getLogger(__name__)


class LoggedRequests:
    """The outermost middleware: it logs requests and unexpected errors."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        request_id = _id_of(scope)
        method = scope.get("method", "WEBSOCKET")
        with bound_contextvars(request_id=request_id, method=method, path=scope["path"][:LONGEST]):
            await self._log(scope, receive, send, request_id)

    async def _log(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        status: int | None = None
        began = time.perf_counter()

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] in ("http.response.start", "websocket.accept"):
                status = message.get("status", 101)
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        try:
            await self._app(scope, receive, named)
        except Exception:
            log.exception("a request failed")
        except asyncio.CancelledError:  # the server has stopped waiting
            log.warning("a request was interrupted")
        finally:
            ms = round((time.perf_counter() - began) * 1000, 1)
            log.info("request", extra={"status": status, "ms": ms})


def _id_of(scope: Scope) -> str:
    """The client's request id if it is valid, else a new one."""
    given = Headers(scope=scope).get(HEADER, "")
    return given if VALID.fullmatch(given) else uuid4().hex
