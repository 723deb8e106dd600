"""The pages of the documentation, and the blocks of code in them."""

import ast
import re
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt

from .repository import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FILE = re.compile(r"# ((?:[\w.-]+/)*[\w-]+\.py)\b.*\n")  # the first line of a block
IMPORT = re.compile(r"^(?:from|import) .*?(?:\(.*?^\))?$\n?", re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str) -> Iterator[str]:
    """The page's blocks of code in this language."""
    for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
        if token.type == "fence" and token.info == language:
            yield token.content


def anchors(page: Path) -> Iterator[str]:
    """The anchors of the headings, as git hosts and the site name them."""
    tokens = MarkdownIt().parse(page.read_text(encoding="utf-8"))
    for before, token in pairwise(tokens):
        if before.type == "heading_open":
            yield re.sub(r"[^\w\- ]", "", token.content.lower()).replace(" ", "-")


def parsed(code: str) -> ast.Module:
    """A block of Python: it may `await`, continue an indented body, or begin with `except`."""
    code = FILE.sub("", code, count=1)
    rest = textwrap.dedent(IMPORT.sub("", code))
    begin = "try: ...\n" if rest.startswith("except") else ""
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | ast.PyCF_ONLY_AST
    module: ast.Module = compile("".join([*IMPORT.findall(code), begin, rest]), "", "exec", flags)
    return module
