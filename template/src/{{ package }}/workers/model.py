"""What a lease is."""

from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from ..errors import DomainError
from ..persistence import Base


class LeaseLost(DomainError):
    """The worker does not have the task any more: its lease expired, or the task was ended."""


class NotRequeued(DomainError):
    """The task has not failed, so it cannot be queued again."""


class Lease(Base):
    """The worker that has a task, and the time from which another worker can take it.

    Without a worker, the task waits for its next attempt; without `free_at` too, it has failed.
    """

    __tablename__ = "task_lease"

    task_id: Mapped[int] = mapped_column(
        ForeignKey("task.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    attempt: Mapped[int] = mapped_column(default=0)
    worker: Mapped[str | None] = mapped_column(String(300))
    free_at: Mapped[datetime | None] = mapped_column(index=True)


# Your models, below this line ----------------------------------------------------------
