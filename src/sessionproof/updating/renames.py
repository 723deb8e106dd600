"""Find and replace names in the team's code that the kernel has renamed.

`renamed` in copier.yml maps each old name to the new one. A name that begins with a dot is a method.
Other names are replaced only in files that import them from `persistence`.
"""

import ast
import io
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from .leftovers import leftovers
from .project import Project
from .template import Template, Version


@dataclass(frozen=True)
class Use:
    """One use of an old name. Lines count from 1, columns from 0."""

    path: str
    line: int
    column: int
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.old} is now {self.new}"


def outdated(project: Project, template: Template, version: Version) -> list[Use]:
    """Return every use of a name that this version of the template has renamed."""
    renamed = template.settings(version).get("renamed", {}).get("default", {})
    paths = project.tracked() - leftovers(project, template, version) if renamed else set[str]()
    return [
        use
        for path in sorted(paths)
        if path.endswith(".py")
        for use in _uses(path, project.read(path), renamed)
    ]


def rename(project: Project, uses: Sequence[Use]) -> None:
    """Replace the old names."""
    for path in {use.path for use in uses}:
        lines = project.read(path).decode().split("\n")
        for use in sorted((use for use in uses if use.path == path), key=_last_first):
            line, end = lines[use.line - 1], use.column + len(use.old)
            lines[use.line - 1] = line[: use.column] + use.new + line[end:]
        (project.folder / path).write_bytes("\n".join(lines).encode())


def _last_first(use: Use) -> tuple[int, int]:
    return -use.line, -use.column


def _uses(path: str, content: bytes, renamed: Mapping[str, str]) -> Iterator[Use]:
    if not any(name.lstrip(".").encode() in content for name in renamed):
        return
    with suppress(SyntaxError, ValueError, tokenize.TokenError):  # such as conflict markers
        text = content.decode()
        imported = _imported(text)
        before = ["", ""]
        for token in tokenize.generate_tokens(io.StringIO(text, newline="").readline):
            name = token.string
            is_attribute = before[1] == "."
            if is_attribute or before[1] == "def":
                key = name if before == ["persistence", "."] else f".{name}"
            else:
                key = name if name in imported else ""
            if token.type == tokenize.NAME and key in renamed:
                yield Use(path, *token.start, name, renamed[key].lstrip("."))
            before = [before[1], name]


def _imported(text: str) -> set[str]:
    """Return the names that the file imports from the kernel."""
    return {
        alias.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ImportFrom) and (node.module or "").endswith("persistence")
        for alias in node.names
    }
