"""OpenID Connect: the claims of a bearer token, which is checked with the keys of its issuer."""

import asyncio
import json
import logging
import time
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.request import urlopen

import jwt
from anyio import CapacityLimiter, to_thread
from fastapi import Depends, HTTPException
from fastapi.requests import HTTPConnection
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from ...errors import DomainError
from ._settings import HttpSettings

# Without the symmetric ones: a public key must never work as a secret.
ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
)
LEEWAY = 30  # seconds between the clocks of issuer and server
LIFETIME = 300  # seconds until the keys are fetched again
PAUSE = 10  # seconds between two fetches, however many tokens have an unknown key
PATIENCE = 5  # seconds for the issuer's answer

# Errors that a client can act on; the texts of others are for developers.
TOLD = (jwt.ExpiredSignatureError, jwt.InvalidAudienceError, jwt.InvalidIssuerError)

log = logging.getLogger(__name__)


class NoIssuer(DomainError):
    """The settings name no issuer of tokens."""


def require_issuer(http: HttpSettings) -> None:
    """Raise NoIssuer if a setting is missing: no token would be valid."""
    if not (http.http_openid_issuer and http.http_openid_audience):
        raise NoIssuer(
            "set HTTP_OPENID_ISSUER to the URL of the issuer of your users' tokens, for example "
            "https://login.example.com/realms/staff, and HTTP_OPENID_AUDIENCE to the audience "
            "that the tokens have for this API"
        )


class OpenId:
    """Checks the tokens of one issuer for one audience."""

    def __init__(self, http: HttpSettings) -> None:
        self._issuer = http.http_openid_issuer
        self._audience = http.http_openid_audience
        self._keys: Mapping[str | None, jwt.PyJWK] = {}
        self._fetched = self._asked = -float("inf")
        self._renewal: asyncio.Task[None] | None = None
        self._thread = CapacityLimiter(1)  # those of endpoints may all be busy

    async def claims(self, token: str) -> Mapping[str, Any]:
        """The claims of a valid token. Raises HTTPException: 401, or 503 without an issuer."""
        try:
            key = await self._key(jwt.get_unverified_header(token).get("kid"))
            return jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY,
                options={"require": ["exp", "sub"]},
            )
        except TOLD as error:
            raise _unauthorized(f"the token is not valid: {error}", "invalid_token") from None
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise _unauthorized("the token is not valid", "invalid_token") from None

    async def _key(self, name: str | None) -> jwt.PyJWK:
        now, is_unknown = time.monotonic(), self._find(name) is None
        is_old = is_unknown or now > self._fetched + LIFETIME
        if is_old and now > self._asked + PAUSE:
            self._asked = now
            self._renewal = asyncio.create_task(self._renew())
        if is_unknown and self._renewal:  # users with a known key do not wait
            await asyncio.shield(self._renewal)
        if not self._keys:
            raise HTTPException(503, "the issuer of tokens does not answer", {"Retry-After": "10"})
        key = self._find(name)
        if key is None:
            raise jwt.InvalidTokenError("its key is unknown")
        return key

    def _find(self, name: str | None) -> jwt.PyJWK | None:
        if name is None and len(self._keys) == 1:  # a token need not name the only key
            [name] = self._keys
        return self._keys.get(name)

    async def _renew(self) -> None:
        """Fetch the keys. If the issuer does not answer, the old ones stay."""
        try:
            keys = await to_thread.run_sync(self._fetch, limiter=self._thread)
        except (jwt.PyJWTError, OSError, ValueError) as error:
            log.warning("cannot fetch the keys of %s: %s", self._issuer, error)
            return
        self._fetched = time.monotonic()
        self._keys = {key.key_id: key for key in keys}

    def _fetch(self) -> list[jwt.PyJWK]:
        path = "/.well-known/openid-configuration"
        with urlopen(self._issuer.rstrip("/") + path, timeout=PATIENCE) as answer:  # noqa: S310
            described = json.load(answer)
        if described.get("issuer") != self._issuer:
            raise ValueError(f"it calls itself {described.get('issuer')}")
        return jwt.PyJWKClient(described["jwks_uri"], timeout=PATIENCE).get_signing_keys()


def _unauthorized(detail: str, error: str = "") -> HTTPException:
    challenge = f'Bearer error="{error}"' if error else "Bearer"
    return HTTPException(401, detail, {"WWW-Authenticate": challenge})


_bearer = HTTPBearer(bearerFormat="JWT", scheme_name="OpenID Connect", auto_error=False)
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


async def _claims(connection: HTTPConnection, bearer: Bearer) -> Mapping[str, Any]:
    if bearer is None:
        raise _unauthorized("send a token in the header `Authorization: Bearer …`")
    openid: OpenId = connection.app.openid
    return await openid.claims(bearer.credentials)


Claims = Annotated[Mapping[str, Any], Depends(_claims)]
