"""Let Copier do again only what may have another result: an update takes half the time."""

import subprocess
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment

_compile = Environment.compile
_compiled: dict[Any, Any] = {}


@cache
def compile_once() -> None:
    """Switch this on. Copier renders every file and every path five times in an update."""
    Environment.compile = _compile_once  # type: ignore[assignment, method-assign]
    with suppress(ImportError, AttributeError):  # a newer Copier may rename what is private
        _render_only_tokens()
        _ask_git_once()


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


def _render_only_tokens() -> None:
    """Return a text without tokens as it is: most parts of paths, and the path of the answers."""
    from copier._main import Worker

    render = Worker._render_string

    def render_string(self: Worker, string: Any, *context: Any, **options: Any) -> str:
        if isinstance(string, str) and "{" not in string:
            self.jinja_env.preprocess(string)  # ends a loop, as above
            return string
        return render(self, string, *context, **options)

    def answers_relpath(self: Worker) -> Path:
        return Path(self._render_string(str(self.answers_file or self.template.answers_relpath)))

    Worker._render_string = render_string  # type: ignore[method-assign]
    Worker.answers_relpath = property(answers_relpath)  # type: ignore[assignment, method-assign]


def _ask_git_once() -> None:
    """Ask once for each folder whether git ignores the modes of files, not again for each file."""
    from copier._main import Worker

    write_mode = Worker._sync_git_index_executable_bit

    @cache
    def ignores_modes(folder: Path) -> bool:
        question = ("git", "config", "--type=bool", "--get", "core.fileMode")
        answer = subprocess.run(question, cwd=folder, capture_output=True, check=False)
        return answer.stdout.strip() == b"false"

    def write_mode_if_needed(self: Worker, *arguments: Any) -> None:
        if ignores_modes(self.subproject.local_abspath):
            write_mode(self, *arguments)

    Worker._sync_git_index_executable_bit = write_mode_if_needed  # type: ignore[assignment, method-assign]
