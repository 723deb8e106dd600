"""The pages about errors: they have a section for each error, and their code does what they say."""

import ast
import re
import shutil
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt

from .conftest import Render
from .support.repository import ROOT
from .support.shell import run_there

PAGES = ("docs/reference/errors.md", "template/docs/errors.md.jinja")
NOT_RUN = "<!-- not run: "
KERNEL = ROOT / "template/src/{{ package }}/persistence"

PROGRAM = """
import asyncio
from contextlib import suppress

import pytest
from sqlalchemy import make_url
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import selectinload

from task_queue.managers import create_managers
from task_queue.persistence import *
from task_queue.settings import Settings
from task_queue.tasks.model import IllegalTransition, State, Task
from task_queue.unit_of_work import UnitOfWork, open_database
from tests.factories import make_task


async def make_tasks(database: Database[UnitOfWork]) -> None:
    async with database.unit_of_work() as uow:
        for _ in range(3):
            await make_task(uow)
"""


class Example(NamedTuple):
    """A block of code, the error that it is about, and whether it raises that error."""

    error: str
    code: str
    is_wrong: bool
    is_run: bool


def examples() -> Iterator[Example]:
    """Every block of Python of the page."""
    error = lead = comment = ""
    tokens = MarkdownIt().parse((ROOT / PAGES[0]).read_text(encoding="utf-8"))
    for before, token in zip([None, *tokens], tokens, strict=False):
        if before and before.type == "heading_open":
            error, lead, comment = token.content, "", ""
        elif token.type == "inline":
            lead = token.content
        elif token.type == "html_block":
            comment = token.content
        elif token.type == "fence":
            if token.info == "python":
                is_run = not comment.startswith(NOT_RUN)
                yield Example(error, token.content, lead.startswith("Wrong"), is_run)
            lead = comment = ""


def test_each_page_has_a_section_for_each_error() -> None:
    code = (KERNEL / "core/errors.py").read_text(encoding="utf-8")
    errors = re.findall(r"^class (\w+)", code, re.MULTILINE)[1:]

    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        headings = re.findall(r"^##+ (\w+)$", text, re.MULTILINE)
        assert [name for name in headings if name in errors] == errors, page


def test_both_pages_have_the_same_warnings_and_the_kernel_gives_them() -> None:
    code = "\n".join(
        path.read_text(encoding="utf-8")
        for path in KERNEL.rglob("*")
        if path.suffix in (".py", ".jinja")
    )

    reference, project = (
        re.findall(r"^### `(.*)`$", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
        for page in PAGES
    )

    assert reference
    assert set(project) <= set(reference)
    assert [text for text in reference if text.strip("… ") not in code] == []


def test_wrong_code_of_the_page_raises_most_of_the_errors() -> None:
    named = {example.error for example in examples() if example.is_wrong and example.is_run}

    assert len(named) >= 15


def test_the_code_of_the_page_does_what_the_page_says(render: Render, tmp_path: Path) -> None:
    tests = [PROGRAM]
    for number, example in enumerate(examples()):
        body = example.code
        compile(body, example.error, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | ast.PyCF_ONLY_AST)
        if example.is_wrong:
            body = f"with pytest.raises({example.error}):\n{textwrap.indent(body, '    ')}"
        if example.is_run:
            name = f"test_{number}_{re.sub(r'[^a-z]', '', example.error.lower())}"
            body = f"await make_tasks(database)\n{body}"
            head = f"async def {name}(database: Database[UnitOfWork]) -> None:"
            tests.append(f"{head}\n{textwrap.indent(body, '    ')}")
    project = shutil.copytree(render(), tmp_path / "project")
    (project / "tests/test_page_of_errors.py").write_text("\n\n".join(tests), encoding="utf-8")

    run_there("pytest", "-q", "tests/test_page_of_errors.py", project=project)
