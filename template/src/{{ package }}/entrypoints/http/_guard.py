"""Protection of the API's users: it answers for its own hosts only, and not to other sites' pages.

A browser sends a page's requests with the user's cookies, from inside the user's network, to any
address. So a request that can change something, and a WebSocket, must come from a page of this
server or of HTTP_ORIGINS. Programs other than browsers do not send the headers that are checked.
"""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from ipaddress import ip_address

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ._problems import ProblemResponse, refuse
from ._settings import HttpSettings

SAFE = ("GET", "HEAD", "OPTIONS")
HEALTH = "/health/"  # load balancers ask for it by address

# For every response that has no such header of its own: the API's answers are no pages.
HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

# Headers that scripts of HTTP_ORIGINS may read.
EXPOSED = (
    *("Idempotency-Replayed", "Link", "Location", "Retry-After"),
    *("X-Own-Writes", "X-Request-ID"),
)


class Guard:
    """Refuses requests for other hosts and from other sites, and adds the headers above."""

    def __init__(self, app: ASGIApp, http: HttpSettings) -> None:
        self._app = _sharing(app, http.http_origins) if http.http_origins else app
        self._hosts = http.http_hosts
        self._origins = http.http_origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        problem = self._problem(scope, Headers(scope=scope))
        if problem:
            await refuse(problem, scope, receive, _protecting(send))
        else:
            await self._app(scope, receive, _protecting(send))

    def _problem(self, scope: Scope, headers: Headers) -> ProblemResponse | None:
        hosts = headers.getlist("Host")
        host = hosts[0].lower() if len(hosts) == 1 else ""
        if not self._is_served(host) and not scope["path"].startswith(HEALTH):
            detail = f"this server does not serve the host {host[:100]!r}; see HTTP_HOSTS"
            return ProblemResponse(421, detail)
        if scope.get("method") not in SAFE and not self._is_ours(host, headers):
            return ProblemResponse(403, "a page of another site sent this; see HTTP_ORIGINS")
        return None

    def _is_served(self, host: str) -> bool:
        name = host if host.endswith("]") else host.rpartition(":")[0] or host  # without the port
        return any(fnmatchcase(name, each) for each in self._hosts) or _is_address(name)

    def _is_ours(self, host: str, headers: Headers) -> bool:
        """Whether no browser sent it, or a browser for a page of ours or for the user."""
        origin = headers.get("Origin", "").lower()
        if origin in self._origins:
            return True
        site = headers.get("Sec-Fetch-Site")  # only over HTTPS and on localhost
        if site:
            return site in ("same-origin", "none")
        return not origin or origin.partition("://")[2] == host


def _sharing(app: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """Let scripts of these sites read the responses."""
    return CORSMiddleware(
        app,
        origins,
        allow_methods=["*"],
        allow_headers=["*"],
        allow_credentials=True,
        expose_headers=EXPOSED,
    )


def _is_address(name: str) -> bool:
    """Whether it is an IP address, to which no other site can lead a browser by its own name."""
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _protecting(send: Send) -> Send:
    async def protecting(message: Message) -> None:
        if message["type"] in ("http.response.start", "websocket.http.response.start"):
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return protecting
