"""The path below which a proxy publishes the API."""

from starlette.types import ASGIApp, Receive, Scope, Send


class Prefixed:
    """Adds the prefix to each path that lacks it: some proxies remove it, and others do not."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            scope = {**scope, "root_path": self._prefix}
            if not f"{scope['path']}/".startswith(f"{self._prefix}/"):
                scope["path"] = self._prefix + scope["path"]
        await self._app(scope, receive, send)
