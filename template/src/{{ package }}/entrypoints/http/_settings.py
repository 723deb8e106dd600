"""The settings of the HTTP API: limits, and who may use it."""

from collections.abc import Sequence
from ipaddress import ip_network
from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


def _names(value: str | Sequence[str]) -> Sequence[str]:
    """The names in a variable, with commas between them."""
    parts = value.split(",") if isinstance(value, str) else value
    return [part.strip().lower() for part in parts if part.strip()]


Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)]


class HttpSettings(BaseSettings):
    """The settings of the HTTP API. Sizes are in bytes, times in seconds.

    The limits and checks apply if `http_guarded` is set, as it is in new projects.
    """

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    # `*` stands for any text. Addresses are always served. `testserver` is Starlette's TestClient.
    http_hosts: Names = ("localhost", "testserver")
    http_origins: Names = ()

    http_max_body: int = Field(default=2**20, ge=0)
    http_max_url: int = Field(default=8 * 2**10, ge=1)
    http_max_headers: int = Field(default=32 * 2**10, ge=1)
    http_max_json_depth: int = Field(default=256, ge=1)
    http_max_message: int = Field(default=2**16, ge=1)  # of a WebSocket

    http_max_connections: int = Field(default=4000, ge=1)
    http_max_requests: int = Field(default=200, ge=1)  # at a time
    http_max_websockets: int = Field(default=2000, ge=1)
    http_max_websockets_per_client: int = Field(default=100, ge=1)

    http_header_timeout: float = Field(default=10, gt=0)
    http_body_timeout: float = Field(default=30, gt=0)
    http_queue_timeout: float = Field(default=5, gt=0)
    http_response_timeout: float = Field(default=60, gt=0)
    http_idle_timeout: int = Field(default=5, ge=1)
    http_send_timeout: float = Field(default=30, ge=1)

    http_root_path: str = Field(default="", pattern=r"^(/[\w.~-]+)*$")
    http_trusted_proxies: str | None = None

    @field_validator("http_trusted_proxies")
    @classmethod
    def _require_networks(cls, value: str | None) -> str | None:
        for network in value.split(",") if value and value != "*" else ():
            ip_network(network.strip())
        return value
