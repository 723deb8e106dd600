"""While the server stops: what is under way finishes, and what comes now is sent elsewhere."""

from anyio import move_on_after
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ._problems import ProblemResponse

STOPPING = ProblemResponse(
    503,
    "this server is about to stop; try again, and another one answers",
    {"Retry-After": "1", "Connection": "close"},
)
PATIENCE = 1  # seconds


class Draining:
    """Refuses what comes after `app.is_stopping`; the process is live until its end."""

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
        elif scope["type"] == "http":
            await _take_body(receive)
            await STOPPING(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1012})


async def _take_body(receive: Receive) -> None:
    """Let the client finish: to close on what it still sends may take the answer from it."""
    with move_on_after(PATIENCE):
        while (await receive()).get("more_body"):
            pass
