"""The shutdown of the server: running requests finish, and new ones get a 503."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ._problems import ProblemResponse, refuse

STOPPING = ProblemResponse(
    503,
    "this server is shutting down; try again, and another one will answer",
    {"Retry-After": "1", "Connection": "close"},
)


class Draining:
    """Refuses new requests after `app.is_stopping`, except `/health/live`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def closing(message: Message) -> None:
            if message["type"] == "http.response.start" and scope["app"].is_stopping:
                MutableHeaders(scope=message)["Connection"] = "close"
            await send(message)

        if scope["type"] == "lifespan" or scope["path"] == "/health/live":
            await self._app(scope, receive, send)
        elif not scope["app"].is_stopping:
            await self._app(scope, receive, closing)
        else:
            await refuse(STOPPING, scope, receive, send)
