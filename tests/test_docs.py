"""The documentation builds, and the names in its code exist."""

import ast
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from sessionproof.__main__ import COMMANDS

from .conftest import Render
from .support.pages import FILE, PAGES, anchors, blocks, parsed
from .support.repository import ROOT
from .support.shell import run
from .support.variants import WAYS_IN

every_page = pytest.mark.parametrize(
    "page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix()
)


@pytest.fixture(scope="session")
def projects(render: Render) -> Sequence[Path]:
    """An async project on each database with every way in."""
    return [render(**WAYS_IN[0]), render(**WAYS_IN[2])]


def test_the_site_builds_without_warnings_and_lists_every_page(tmp_path: Path) -> None:
    strict = ("-W", "-n", "--keep-going", "--quiet")
    folders = ("-d", tmp_path / "doctrees", ROOT / "docs", tmp_path / "site")

    run(sys.executable, "-m", "sphinx", *strict, *folders, folder=ROOT)

    index = (tmp_path / "site/llms.txt").read_text(encoding="utf-8")
    listed = re.findall(r"^- \[.+\]\((.+)\.html\): \w.+$", index, re.MULTILINE)
    names = [page.relative_to(ROOT / "docs").with_suffix("").as_posix() for page in PAGES[1:]]
    assert sorted(listed) == sorted(name for name in names if not name.endswith("index"))


@pytest.mark.parametrize("folder", ["how-to", "reference", "explanation"])
def test_the_index_of_a_folder_links_to_each_page_by_its_title(folder: str) -> None:
    text = (ROOT / "docs" / folder / "index.md").read_text(encoding="utf-8")

    links = re.findall(r"^- \[(.+)\]\((.+)\.md\)", text, re.MULTILINE)

    assert [page for _, page in links] == text.partition(":hidden:\n\n")[2].split()[:-1]
    for title, page in links:
        first = (ROOT / "docs" / folder / f"{page}.md").read_text(encoding="utf-8").split("\n")[0]
        assert first == f"# {title}"


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_a_page_beside_the_site_has_no_broken_links(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\((.+?)\)", text) if "://" not in link]

    broken = [link for link in links if not _leads_somewhere(*link.partition("#")[::2])]

    assert broken == []


def _leads_somewhere(path: str, anchor: str) -> bool:
    file = ROOT / path
    return file.exists() and (not anchor or anchor in anchors(file))


# Python --------------------------------------------------------------------------------


class Name(NamedTuple):
    """Yield the names that a block of code imports, with their modules."""

    module: str
    name: str


@every_page
def test_a_block_of_python_can_be_parsed_and_imports_what_is_there(
    page: Path, projects: Sequence[Path]
) -> None:
    codes = [*blocks(page, "python")]
    written = {file[1] for code in codes if (file := FILE.match(code))}
    generated = tuple(
        f"{place}.{plural}" for plural in _entities(page) for place in ("task_queue", "tests")
    )

    missing = [
        imported
        for code in codes
        for imported in _imported(code)
        if not imported.module.startswith(generated or " ")
        and not any(_is_there(imported, project, written) for project in projects)
    ]
    assert missing == []


def _entities(page: Path) -> set[str]:
    """The folders of the entities that the page adds."""
    named = re.findall(r"just entity (\w+)", "\n".join(blocks(page, "console")))
    described = re.findall(r"^(\w+):$", "\n".join(blocks(page, "yaml")), re.MULTILINE)
    return {f"{name}s" for name in [*named, *described]}


def _imported(code: str) -> Iterator[Name]:
    """Everything that a block imports from the project."""
    file = FILE.match(code)
    package = file[1].removeprefix("src/").split("/")[:-1] if file else []
    for statement in ast.walk(parsed(code)):
        if isinstance(statement, ast.ImportFrom):
            above = package[: len(package) - statement.level + 1] if statement.level else []
            module = ".".join([*above, *([statement.module] if statement.module else [])])
            if module.partition(".")[0] in ("task_queue", "tests"):
                yield from (Name(module, alias.name) for alias in statement.names)


def _is_there(imported: Name, project: Path, written: set[str]) -> bool:
    """Return whether the project has this name, or the page creates its module."""
    path = imported.module.replace(".", "/")
    path = path if path.startswith("tests") else f"src/{path}"
    module, package, submodule = f"{path}.py", f"{path}/__init__.py", f"{path}/{imported.name}.py"
    if {module, submodule} & written or (project / submodule).exists():
        return True
    files = [project / each for each in (module, package) if (project / each).exists()]
    return any(imported.name in _names(file) for file in files)


def _names(module: Path) -> Iterator[str]:
    """The names that a module defines or imports."""
    for statement in ast.parse(module.read_text(encoding="utf-8")).body:
        match statement:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield statement.name
            case ast.Import() | ast.ImportFrom():
                yield from (alias.asname or alias.name for alias in statement.names)
            case ast.Assign():
                yield from (each.id for each in statement.targets if isinstance(each, ast.Name))


# Consoles ------------------------------------------------------------------------------


@every_page
def test_a_console_names_recipes_and_commands_that_are_there(
    page: Path, projects: Sequence[Path]
) -> None:
    lines = "\n".join(blocks(page, "console"))
    recipes = {recipe for folder in (ROOT, *projects) for recipe in _recipes(folder)}
    written = re.findall(r"commands/(\w+)\.py", page.read_text(encoding="utf-8"))
    programs = {*_commands(projects[1]), *written, *_entities(page)}

    for begin, there in (
        ("just", recipes),
        ("sessionproof", {*COMMANDS}),
        ("(?:task-queue|just run)", programs),
    ):
        named = {*re.findall(rf"(?<![\w./:-]){begin} ([a-z][\w-]*)", lines)}
        assert named - there == set(), begin


def _recipes(folder: Path) -> Iterator[str]:
    text = (folder / "justfile").read_text(encoding="utf-8")
    yield from re.findall(r"^([a-z][\w-]*)[^:\n]*:(?!=)", text, re.MULTILINE)


def _commands(project: Path) -> Iterator[str]:
    """The first words of the program's commands."""
    text = (project / "src/task_queue/entrypoints/cli.py").read_text(encoding="utf-8")
    yield from re.findall(r'^    "([\w-]+)": "', text, re.MULTILINE)
    yield from re.findall(r"^app\.command\(\)\(\w+\.(\w+)\)", text, re.MULTILINE)
