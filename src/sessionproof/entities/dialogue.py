"""A description that is asked for on a terminal, and checked line by line."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console

from ..updating.project import Refusal
from .description import Entities, from_words, merged

FIELDS = """\
Its fields, one in a line, for example

  name: str(200) unique
  email: str(320)?
  status: enum(new, regular) = new

An empty line ends."""


@dataclass(frozen=True)
class Dialogue:
    """Somebody at a terminal, and what the template says to each line."""

    console: Console
    require_valid: Callable[[Entities], None]

    def describe(self, known: Entities) -> Entities:
        """What is described afterwards. Raises Refusal where somebody leaves in the middle."""
        try:
            name = self._name(known)
            self.console.print(FIELDS)
            return self._fields(name, known)
        except (EOFError, KeyboardInterrupt):
            raise Refusal("nothing was changed, as you said") from None

    def _name(self, known: Entities) -> str:
        while True:
            name = self.console.input("What is one called? ", markup=False).strip()
            with self._refusals_shown():
                self.require_valid({**known, name: known.get(name, {"example": "text"})})
                return name

    def _fields(self, name: str, described: Entities) -> Entities:
        while line := self.console.input("> ", markup=False).strip():
            with self._refusals_shown():
                longer = merged(described, from_words(name, [line]))
                self.require_valid(longer)
                described = longer
        return described

    @contextmanager
    def _refusals_shown(self) -> Iterator[None]:
        try:
            yield
        except Refusal as refusal:
            self.console.print(str(refusal))
