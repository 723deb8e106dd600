"""The pages of reference are complete and agree with the code."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from pathspec import GitIgnoreSpec

from sessionproof.__main__ import COMMANDS
from sessionproof.ownership import ownership

from .conftest import Render
from .support.repository import ROOT
from .support.variants import WAYS_IN


def read(page: str) -> str:
    return (ROOT / "docs/reference" / page).read_text(encoding="utf-8")


def rows(page: str, first: str) -> dict[tuple[str, str], list[str]]:
    """The rows of the page's tables whose first two cells are code that begins so, and a value."""
    lines = re.findall(rf"^\| `({first}\S*)` \| (.+?) \| (.+) \|$", read(page), re.MULTILINE)
    return {(name, value.strip("`")): rest.split(" | ") for name, value, rest in lines}


@pytest.fixture(scope="session")
def sqlite(render: Render) -> Path:
    """An async project on SQLite with every entrypoint."""
    return render(**WAYS_IN[0])


@pytest.fixture(scope="session")
def postgresql(render: Render) -> Path:
    """An async project on PostgreSQL with every entrypoint."""
    return render(**WAYS_IN[2], authentication="openid")


Defined = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

# The API -------------------------------------------------------------------------------


def test_the_page_of_the_api_has_every_public_name(sqlite: Path) -> None:
    page = read("api.md").partition("## Migrations")[0]

    listed = re.findall(r"^\.\. (?:auto|py:)\w+:: (\w+)", page, re.MULTILINE)

    assert sorted(listed) == sorted(_public(sqlite))


def test_every_public_name_of_the_kernel_and_of_the_test_kit_has_a_docstring(sqlite: Path) -> None:
    kernel = [*_defined(sqlite / "src/task_queue/persistence")]
    public = {*_public(sqlite)}
    kit = [each for each in _defined(sqlite / "tests/kit") if not each.name.startswith("_")]

    without = [
        f"{definition.name}.{each.name}"
        for definition in [*kit, *(each for each in kernel if each.name in public)]
        for each in (definition, *_methods(definition))
        if not ast.get_docstring(each)
    ]
    assert without == []


def _defined(folder: Path) -> Iterator[Defined]:
    for module in folder.rglob("*.py"):
        for each in ast.parse(module.read_text(encoding="utf-8")).body:
            if isinstance(each, Defined):
                yield each


def _public(project: Path) -> list[str]:
    module = project / "src/task_queue/persistence/__init__.py"
    *_, names = ast.parse(module.read_text(encoding="utf-8")).body
    assert isinstance(names, ast.Assign)
    public: list[str] = ast.literal_eval(names.value)
    return public


def _methods(definition: Defined) -> Iterator[Defined]:
    """Public functions, without the declarations of overloads."""
    for each in definition.body if isinstance(definition, ast.ClassDef) else ():
        if isinstance(each, Defined) and not each.name.startswith("_"):
            decorators = {ast.unparse(decorator) for decorator in each.decorator_list}
            if "overload" not in decorators:
                yield each


# Commands and settings -----------------------------------------------------------------


def test_the_page_of_the_command_has_every_command() -> None:
    sections = re.findall(r"^## (\S+)$", read("command.md"), re.MULTILINE)
    table = re.findall(r"^\| \[`(\S+)`\]\(#\1\) \|", read("command.md"), re.MULTILINE)

    assert sections == table == [*COMMANDS]


def test_the_page_of_settings_has_every_variable_with_its_default_and_unit(
    sqlite: Path, postgresql: Path
) -> None:
    urls = re.findall(r"`DATABASE_URL` .*?`(\w+://\S+)`", read("settings.md"), re.DOTALL)
    found = {("DATABASE_URL", url): ["URL"] for url in urls}
    for prefix in ("DATABASE_", "WORKER_", "HTTP_"):
        found |= rows("settings.md", prefix)

    expected = {**_settings(sqlite), **_settings(postgresql)}
    assert {*found} == {*expected}
    for setting, (unit, *_) in found.items():
        assert ("whole" in unit) == (expected[setting] == "int" and "seconds" in unit), setting


def _settings(project: Path) -> dict[tuple[str, str], str]:
    """Every variable of a project with its default, as the page writes it, and its type."""
    drivers = project / "src/task_queue/persistence/drivers"
    [url] = drivers.glob("url_*.py")
    [address] = re.findall(r'^EXAMPLE = "(.*)"', url.read_text(encoding="utf-8"), re.MULTILINE)
    written = {"()": "[]", "None": "none", "False": "false", '"primary"': "primary"}
    written |= {"2**20": str(2**20), '""': "empty"}
    written['("localhost", "testserver")'] = "localhost,testserver"
    written["make_url(EXAMPLE)"] = address
    written["Field("] = "DATABASE_STATEMENT_TIMEOUT` + 5"  # the only default that is computed
    found: dict[tuple[str, str], str] = {}
    others = ("entrypoints/http/_settings.py", "workers/settings.py")
    for file in (drivers / "settings.py", *(project / "src/task_queue" / each for each in others)):
        code = file.read_text(encoding="utf-8")
        for name, kind, value in re.findall(r"^    (\w+_\w+): (.*?) = (.*)$", code, re.MULTILINE):
            value = re.sub(r"Field\(default=([^,]*), .*", r"\1", value)
            number = re.search(r'(?:^|since\(")([\d._-]+)(?!\*)\b', value)
            if name != "database_defaults":  # its default is in another file
                default = (
                    number[1].replace("_", "") if number else written.get(value) or value.strip('"')
                )
                found[name.upper(), default] = kind
    return found


def test_the_page_of_settings_has_the_options_of_the_server(sqlite: Path) -> None:
    code = (sqlite / "src/task_queue/entrypoints/commands/http.py").read_text(encoding="utf-8")

    options = re.findall(r'^    (\w+): Annotated.* = "?([\w.]+)"?,$', code, re.MULTILINE)

    assert [*rows("settings.md", "--")] == [(f"--{name}", value.lower()) for name, value in options]


# The tree of a project -----------------------------------------------------------------


class Entry(NamedTuple):
    """A line of the tree: a folder ends with a slash, and may have no single owner."""

    path: str
    owner: str


def _tree() -> Iterator[Entry]:
    tree = read("project.md").partition("```text\ntask-queue/\n")[2].partition("```")[0]
    above: list[str] = []
    for line in tree.splitlines():
        [(indent, name, owner)] = re.findall(r"^([│ ]*[├└]── )(\S+)(?: +(\w+|-) )?", line)
        above[len(indent) // 4 - 1 :] = [name]
        yield Entry("".join(above), owner)


def _files(project: Path) -> list[str]:
    return [
        path.relative_to(project).as_posix()
        for path in project.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    ]


def test_the_tree_of_a_project_has_every_file_or_its_folder(render: Render) -> None:
    files = _files(render())
    paths = [entry.path for entry in _tree()]

    listed = [
        path for path in paths if not any(each.startswith(path) for each in {*paths} - {path})
    ]
    missing = [
        file
        for file in files
        if not file.startswith(tuple(listed))
        and not Path(file).name.startswith((".", "_"))  # tools' own files, and private modules
        and Path(file).name not in ("py.typed", "script.py.mako")
    ]
    assert [path for path in paths if not any(file.startswith(path) for file in files)] == []
    assert missing == []


def test_the_tree_of_a_project_names_the_owners_of_files(render: Render) -> None:
    files = _files(render())
    specs = {name: GitIgnoreSpec.from_lines(lines) for name, lines in ownership({}).items()}

    for path, owner in _tree():
        owners = {
            next(name for name, spec in specs.items() if name == "kernel" or spec.match_file(file))
            for file in files
            if file.startswith(path) and not file.endswith(("/__init__.py", "/.gitkeep"))
        }
        assert owner in ("", "-") or owners == {owner}, path


def test_what_other_answers_add_is_in_the_template() -> None:
    table = read("project.md").partition("## What other answers add")[2].partition("\n\nEach")[0]

    paths = re.findall(r"`((?:src/|tests/|\.git|compose)\S+)`", table)

    assert len(paths) == 11
    for path in paths:
        assert [*ROOT.glob(f"template/{path.replace('/task_queue/', '/*/')}*")], path
