"""What leases look like from outside."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict


@dataclass(frozen=True)
class Claim:
    """A task that a worker has taken: what it shows whenever it speaks of the task."""

    task_id: int
    worker: str
    attempt: int


class LeaseView(BaseModel):
    """A lease as others see it."""

    model_config = ConfigDict(from_attributes=True)

    task_id: int
    attempt: int
    worker: str | None
    free_at: datetime | None


# Your schemas, below this line ---------------------------------------------------------
