"""One line in place of a traceback, for errors that people can act on."""

from typing import Any

from typer import Exit
from typer.core import TyperGroup


class Program(TyperGroup):
    """A group of commands that ends with one line and exit code 1 on an error people can act on."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command. Any other error is a bug, and keeps its traceback."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            from rich.console import Console  # slow to import, and most commands succeed

            from ._messages import message_of

            message = message_of(error)
            if message is None:
                raise
        Console(stderr=True, soft_wrap=True, markup=False, highlight=False).print("error:", message)
        raise Exit(1)
