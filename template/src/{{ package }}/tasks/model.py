"""The model of tasks: their states, and the transitions between them."""

import enum
from datetime import datetime

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from ..errors import DomainError
from ..persistence import Base, Identified, Timestamped, Versioned, utcnow


class State(enum.StrEnum):
    """The states of a task: pending → running → succeeded | failed."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


NEXT = {
    State.PENDING: {State.RUNNING},
    State.RUNNING: {State.SUCCEEDED, State.FAILED},
    State.SUCCEEDED: set[State](),
    State.FAILED: set[State](),
}


class IllegalTransition(DomainError):
    """A task cannot go from its state to the requested one."""


class TaskEvent(Identified, Base):
    """One transition of a task, saved in the same transaction."""

    __tablename__ = "task_event"

    task_id: Mapped[int] = mapped_column(ForeignKey("task.id", ondelete="CASCADE"), index=True)
    state: Mapped[State]
    note: Mapped[str | None]
    happened_at: Mapped[datetime] = mapped_column(default=utcnow)


class Task(Identified, Timestamped, Versioned, Base):
    """A piece of work and its state."""

    __tablename__ = "task"

    title: Mapped[str] = mapped_column(String(200))
    state: Mapped[State] = mapped_column(default=State.PENDING, index=True)
    events: Mapped[list[TaskEvent]] = relationship(
        order_by=TaskEvent.id, cascade="all, delete-orphan", passive_deletes=True
    )

    def move_to(self, state: State, note: str | None = None) -> TaskEvent:
        """Change the state; return the event to save with it. Raises IllegalTransition."""
        if state not in NEXT[self.state]:
            allowed = " or ".join(sorted(NEXT[self.state]))
            way_out = f"only {allowed}" if allowed else "which is final"
            raise IllegalTransition(
                f"task {self.id} is {self.state} and cannot become {state}, {way_out}"
            )
        self.state = state
        return TaskEvent(task_id=self.id, state=state, note=note)
