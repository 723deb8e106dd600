"""Ask for an entity on a terminal, and check each line."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console

from ..updating.project import Refusal
from .description import Entities, from_words, merged

FIELDS = """\
Enter its fields, one a line, for example:

  name: str(200) unique
  email: str(320)?
  status: enum(new, regular) = new

Finish with an empty line."""


@dataclass(frozen=True)
class Dialogue:
    """Asks on a terminal, and checks each answer with `require_valid`."""

    console: Console
    require_valid: Callable[[Entities], None]

    def describe(self, known: Entities) -> Entities:
        """Return all entities, with the new one. Raises Refusal if the user interrupts."""
        try:
            name = self._name(known)
            self.console.print(FIELDS)
            return self._fields(name, known)
        except (EOFError, KeyboardInterrupt):
            raise Refusal("you ended the dialogue; nothing was changed") from None

    def _name(self, known: Entities) -> str:
        while True:
            name = self.console.input("The entity's name, in the singular: ", markup=False).strip()
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
