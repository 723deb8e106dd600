"""The settings of the HTTP API: limits, and who may use it."""

from ipaddress import ip_network

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class HttpSettings(BaseSettings):
    """The settings of the HTTP API. Sizes are in bytes, times in seconds."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    http_max_body: int = Field(default=2**20, ge=0)
    http_root_path: str = Field(default="", pattern=r"^(/[\w.~-]+)*$")
    http_trusted_proxies: str | None = None

    @field_validator("http_trusted_proxies")
    @classmethod
    def _require_networks(cls, value: str | None) -> str | None:
        for network in value.split(",") if value and value != "*" else ():
            ip_network(network.strip())
        return value
