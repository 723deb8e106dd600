"""A client that has written something sees it in its later requests, although replicas are behind.

The response of a request that wrote carries a token, in a cookie or in a header: the setting
HTTP_READ_YOUR_WRITES. If a request carries one, its read-only units see what the token stands for.
"""

import math
from contextlib import suppress

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ...persistence import Database, DatabaseSettings
from ...persistence.units.replicas import OwnWrites
from ...unit_of_work import UnitOfWork

COOKIE = "own-writes"
HEADER = "X-Own-Writes"


class CarriedTokens:
    """Gives the units of a request its token, and the response theirs."""

    def __init__(self, app: ASGIApp, settings: DatabaseSettings) -> None:
        self._app = app
        self._carrier = settings.http_read_your_writes
        # Later, a replica that is used has replayed the changes in any case.
        self._seconds = math.ceil(settings.database_replica_max_lag) + 1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        database: Database[UnitOfWork] = scope["state"]["database"]
        with database.own_writes() as own:
            given = self._given(HTTPConnection(scope))
            with suppress(ValueError):  # the client can send any text
                own.see(given)

            async def carrying(message: Message) -> None:
                if message["type"] == "http.response.start" and own.has_written:
                    self._hand_over(own, MutableHeaders(scope=message), scope["scheme"])
                await send(message)

            await self._app(scope, receive, carrying)

    def _given(self, request: HTTPConnection) -> str | None:
        if self._carrier == "cookie":
            return request.cookies.get(COOKIE)
        return request.headers.get(HEADER)

    def _hand_over(self, own: OwnWrites, headers: MutableHeaders, scheme: str) -> None:
        if self._carrier == "header":
            headers[HEADER] = str(own.token)
            return
        secure = "; Secure" if scheme == "https" else ""
        rules = f"Max-Age={self._seconds}; Path=/; HttpOnly; SameSite=Lax{secure}"
        headers.append("Set-Cookie", f"{COOKIE}={own.token}; {rules}")
