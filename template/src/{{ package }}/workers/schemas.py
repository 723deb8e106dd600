"""The schemas of leases."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, ConfigDict


@dataclass(frozen=True)
class Claim:
    """A task that a worker has claimed; it passes this to every verb."""

    task_id: int
    worker: str
    attempt: int


class LeaseView(BaseModel):
    """A lease, for output."""

    model_config = ConfigDict(from_attributes=True)

    task_id: int
    attempt: int
    worker: str | None
    free_at: datetime | None


# Your schemas, below this line ---------------------------------------------------------
