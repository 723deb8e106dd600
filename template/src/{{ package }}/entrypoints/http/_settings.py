"""The settings of the HTTP API: limits, and who may use it."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class HttpSettings(BaseSettings):
    """The settings of the HTTP API. Sizes are in bytes, times in seconds."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    http_max_body: int = Field(default=2**20, ge=0)
