"""The schemas of tasks: input and output of commands and endpoints."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from ..persistence import Str
from .model import State

Title = Annotated[
    Str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    Field(examples=["Write the report"]),
]


class NewTask(BaseModel):
    """The input for a new task."""

    title: Title


class TaskView(BaseModel):
    """A task, for output."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    title: str
    state: State
    created_at: datetime
    updated_at: datetime


class EventView(BaseModel):
    """An event of a task, for output."""

    model_config = ConfigDict(from_attributes=True)

    state: State
    note: str | None
    happened_at: datetime


class TaskHistory(TaskView):
    """A task with its events, oldest first, for output."""

    events: list[EventView]
