"""Commands that are imported on use, so that the list of commands is fast."""

from functools import cache
from importlib import import_module
from typing import Any

from typer import Typer
from typer.core import TyperGroup
from typer.main import get_group


def deferred(name: str, about: str) -> Typer:
    """The `app` of the module with this name in this folder; `about` is its text in the list."""

    @cache
    def loaded() -> TyperGroup:
        return get_group(import_module(f".{name.replace('-', '_')}", __package__).app)

    class Deferred(TyperGroup):
        def list_commands(self, ctx: Any) -> list[str]:
            return loaded().list_commands(ctx)

        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            return loaded().get_command(ctx, cmd_name)

    return Typer(cls=Deferred, help=about, no_args_is_help=True)
