"""The settings of workers."""

import random
from datetime import timedelta

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

LONGEST_PAUSE = 3600.0


class WorkerSettings(BaseSettings):
    """The duration of leases and the number of attempts. Times are in seconds."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    worker_lease: float = Field(default=30, gt=0)
    worker_attempts: int = Field(default=5, ge=1)
    worker_backoff: float = Field(default=2, ge=0)
    worker_poll: float = Field(default=1, gt=0)
    worker_grace_period: float = Field(default=20, ge=0)

    def pause(self, attempt: int) -> timedelta:
        """The wait after an attempt: it doubles each time, and varies by up to a half."""
        longest = min(self.worker_backoff * 2 ** (attempt - 1), LONGEST_PAUSE)
        return timedelta(seconds=longest * random.uniform(0.5, 1.5))  # noqa: S311 - no secret


# Your settings, below this line --------------------------------------------------------
