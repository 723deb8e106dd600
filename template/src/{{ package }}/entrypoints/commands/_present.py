"""Output: tables for people, JSON for programs."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text
from typer import Option, echo

AsJson = Annotated[bool, Option("--json", help="Print JSON, for programs.")]


def show_table(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table as wide as the terminal; in a pipe as wide as its content."""
    table = Table(*(Column(title, overflow="fold") for title in titles))
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    console = Console()
    if not console.is_terminal:
        console.width = 10_000
    console.print(table)


def show_json(value: object) -> None:
    """Print `value` as JSON: a schema, or a dataclass or container of schemas."""
    from pydantic import BaseModel, TypeAdapter  # slow to import, and tables do not need it

    kind = type(value) if isinstance(value, BaseModel) else object
    echo(TypeAdapter[object](kind).dump_json(value, indent=2).decode())


def _cell(value: object) -> Text:
    """The value as text without markup, because a title can contain brackets."""
    if value is None:
        return Text("")
    if isinstance(value, datetime):
        return Text(f"{value.astimezone():%Y-%m-%d %H:%M:%S}")
    return Text(str(value))
