"""Search in whatever case: SQLite's own `lower()` knows the letters A to Z only.

`ilike()` and `icontains()` compare what this module's function makes of both sides. `func.lower()`
stays SQLite's own: an index on it must mean the same to every program that opens the file.
"""

from typing import Any

from ._moments import WithMoments

NAME = "lower_of_any_script"


class AnyScript(WithMoments):
    """The statements of SQLite, with another function where case does not matter."""

    def visit_ilike_case_insensitive_operand(self, element: Any, **options: Any) -> str:
        """One side of a comparison."""
        return f"{NAME}({self.process(element.element, **options)})"


def lower(value: object) -> object:
    """Each letter for itself, as PostgreSQL does, whatever stands beside it."""
    if not isinstance(value, str):
        return value
    return value.lower() if value.isascii() else "".join(letter.lower()[0] for letter in value)
