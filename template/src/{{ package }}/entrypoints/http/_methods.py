"""HEAD wherever there is GET, OPTIONS, and all methods of a path in the header `Allow`."""

from collections.abc import Sequence

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


class AllMethods:
    """A middleware inside all others, so that CORS can answer OPTIONS first."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] in ("HEAD", "OPTIONS") and not _has(scope, scope["method"]):
            allowed = _allowed(scope)
            if allowed and scope["method"] == "OPTIONS":
                await Response(status_code=204, headers={"Allow": ", ".join(allowed)})(
                    scope, receive, send
                )
                return
            if "GET" in allowed:  # the server sends no body
                scope = {**scope, "method": "GET"}

        async def naming(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 405:
                allowed = _allowed(scope)
                if scope["method"] not in allowed:
                    MutableHeaders(scope=message)["Allow"] = ", ".join(allowed)
            await send(message)

        await self._app(scope, receive, naming)


def _allowed(scope: Scope) -> Sequence[str]:
    """The methods of the path; none if there is no such path."""
    found = {method for method in METHODS if _has(scope, method)}
    if "GET" in found:
        found.add("HEAD")
    return [*(method for method in METHODS if method in found), *["OPTIONS"] * bool(found)]


def _has(scope: Scope, method: str) -> bool:
    routes: Sequence[BaseRoute] = scope["app"].routes
    asked = {**scope, "method": method}
    return any(route.matches(asked)[0] is Match.FULL for route in routes)
