"""Helpers for the commands of generated entities."""

import json
from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from typer import BadParameter, Option, echo

from ._present import show_json, show_table

T = TypeVar("T")

Limit = Annotated[int, Option(min=1, max=1000, help="The most rows to show.")]
After = Annotated[str | None, Option(help="Continue after this cursor.")]


def parsed(kind: type[T]) -> Callable[[object], T]:
    """A parser for an option, by the rules of the schema. Raises BadParameter."""

    def parse(value: object) -> T:  # a default is not text
        try:
            return TypeAdapter[T](kind).validate_python(value)
        except ValidationError as error:
            raise BadParameter(error.errors()[0]["msg"]) from error

    parse.__name__ = kind.__name__  # Typer shows it
    return parse


def read_json(text: str) -> object:
    """Parse an option as JSON. Raises BadParameter, also for JSON that is nested too deep."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise BadParameter("JSON is nested too deep") from error
    except ValueError as error:
        raise BadParameter(str(error)) from error


def show_record(view: BaseModel, *, as_json: bool) -> None:
    """Print one row, with a line for each field."""
    if as_json:
        show_json(view)
    else:
        show_table(["field", "value"], [(_title(name), value) for name, value in view])


def show_page(
    kind: type[BaseModel], views: Sequence[BaseModel], cursor: str | None, *, as_json: bool
) -> None:
    """Print a page of rows, with a line for each, and the cursor of the next page."""
    if as_json:
        show_json(views)
        return
    show_table(
        [_title(name) for name in kind.model_fields],
        ([value for _, value in view] for view in views),
    )
    if cursor:
        echo(f"more: --after {cursor}")


def _title(name: str) -> str:
    return name.replace("_", " ")
