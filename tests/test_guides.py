"""Follow the how-to guides: each page is carried out from top to bottom in a new project.

A page takes part if it has a comment that names its project, anywhere in the page:

    <!-- project: defaults -->
    <!-- project: database=postgresql http=true -->

Each such comment is one run of the page, in a project with these answers. The rules for blocks:

- A Python block whose first line names a file is that file:

      # src/task_queue/tags/model.py

- A Python block whose first line is `# src/task_queue/unit_of_work.py, below the last line` is added
  to that file: its imports above the others, the rest at the end.
- Any other Python block is a fragment, which tests/test_docs.py reads.
- Every line of a console block is run in the project, and must succeed. `just test` and `just`
  alone are left to the end: then the page's tests run, and the linters look at its files.
- A block after `<!-- not run: it starts a server -->` is not run. The comment says why.
- A block after `<!-- only: database=postgresql -->` is run in projects with that answer.

A folder that a file is written into becomes a package. Commands need no server on PostgreSQL: the
run starts one.
"""

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from .conftest import Render
from .support.pages import IMPORT
from .support.project import Project
from .support.repository import ROOT
from .support.shell import clean_environment, run_there, stop_servers
from .support.variants import Answer, Answers

PAGES = ROOT / "docs/how-to"
PROJECT = re.compile(r"<!-- project: (.*?) -->")
LEFT_OUT = re.compile(r"<!-- (not run|only): (.*?) -->")
FILE = re.compile(r"# ((?:[\w.-]+/)*[\w-]+\.py)(, below the last line)?\n\n?")
PROGRAM = f"""#!{sys.executable}
from {{package}}.entrypoints.cli import app
app()
"""
AT_THE_END = ("uv run just", "uv run just test")


class Guide(NamedTuple):
    """A page, and the answers of the project in which it is followed."""

    page: Path
    answers: Answers

    @property
    def name(self) -> str:
        """As in `locks-postgresql`."""
        given = [key if value is True else str(value) for key, value in self.answers.items()]
        return "-".join([self.page.stem, *given])


def guides() -> Iterator[Guide]:
    """Every page that names its projects, once for each."""
    for page in sorted(PAGES.glob("*.md")):
        for answers in PROJECT.findall(page.read_text(encoding="utf-8")):
            yield Guide(page, _answers(answers))


def _answers(text: str) -> Answers:
    if text == "defaults":
        return {}
    given = dict(answer.split("=") for answer in text.split())
    booleans: dict[str, Answer] = {"true": True, "false": False}
    return {question: booleans.get(answer, answer) for question, answer in given.items()}


def blocks(page: Path) -> Iterator[Token]:
    """The page's blocks of code. `meta` has the comment that says when a block is left out, if any."""
    before = None
    for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
        if token.type == "fence":
            token.meta["left_out"] = before
            yield token
        before = LEFT_OUT.match(token.content) if token.type == "html_block" else None


def is_run(block: Token, answers: Answers) -> bool:
    """Whether the block is to be run in a project with these answers."""
    if (left_out := block.meta["left_out"]) is None:
        return True
    kind, text = left_out.groups()
    return kind == "only" and _answers(text).items() <= answers.items()


@pytest.fixture
def project(render: Render, guide: Guide) -> Iterator[Project]:
    """The guide's project, with a server if it needs one.

    It is not in `tmp_path`, which pytest closes to the user that PostgreSQL runs as.
    """
    with TemporaryDirectory() as folder:
        project = Project(Path(folder).resolve() / "project")
        shutil.copytree(render(**guide.answers), project.path)
        if guide.answers.get("database") == "postgresql":
            run_there("just", "db", project=project.path)
        yield project
        stop_servers(project.path)


@pytest.mark.slow
@pytest.mark.parametrize("guide", [pytest.param(each, id=each.name) for each in guides()])
def test_a_guide_can_be_followed_and_its_tests_pass(project: Project, guide: Guide) -> None:
    written: dict[str, None] = {}
    has_commands = False
    for block in blocks(guide.page):
        if not is_run(block, guide.answers):
            continue
        if block.info == "console":
            type_in(project, block.content)
            has_commands = True
        elif block.info == "python" and (file := FILE.match(block.content)):
            path, is_added = file.groups()
            write(project, path, block.content[file.end() :], add=bool(is_added))
            written[path] = None

    assert written or has_commands, "the page has neither a block that names a file nor commands"
    files = [*written]
    if not files:
        return
    run_there("ruff", "check", "--quiet", "--fix", "--select", "I", *files, project=project.path)
    run_there("ruff", "format", "--check", *files, project=project.path)
    run_there("ruff", "check", *files, project=project.path)
    if tests := [path for path in files if path.startswith("tests/") and "/test_" in path]:
        run_there("pytest", "-q", *tests, project=project.path)


def type_in(project: Project, lines: str) -> None:
    """Run the commands of a console block, as if the project were installed."""
    path = path_to("task_queue", project)
    for line in lines.splitlines():
        command = line.partition("  #")[0].strip()
        if command and command not in AT_THE_END:
            run_there("bash", "-c", command, project=project.path, PATH=path)


def path_to(package: str, project: Project) -> str:
    """The PATH with the project's command, as if the project were installed."""
    program = project.path.parent / "bin" / package.replace("_", "-")
    program.parent.mkdir(exist_ok=True)
    program.write_text(PROGRAM.format(package=package), encoding="utf-8")
    program.chmod(0o755)
    return f"{program.parent}:{clean_environment()['PATH']}"


def write(project: Project, path: str, code: str, *, add: bool) -> None:
    """Write the file, or add to what is there."""
    file = project.path / path
    if not add:
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.parts[len(project.path.parts)] in ("src", "tests"):
            (file.parent / "__init__.py").touch()
        file.write_text(code, encoding="utf-8")
        return
    text = file.read_text(encoding="utf-8")
    first = IMPORT.search(text)
    assert first, f"{path} has no imports"
    imports = "".join(IMPORT.findall(code))
    rest = IMPORT.sub("", code).lstrip("\n")
    space = "\n" if rest.startswith(" ") else "\n\n"
    before, after = text[: first.start()], text[first.start() :]
    file.write_text(f"{before}{imports}{after}{space}{rest}", encoding="utf-8")
