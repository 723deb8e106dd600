"""What `sessionproof examine` says of code that was not generated here."""

import json
import re
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import yaml

from .support.repository import ROOT
from .support.shell import SESSIONPROOF, run

EXAMINE = (*SESSIONPROOF, "examine")
RULES = sorted(ROOT.glob("src/sessionproof/examining/ast-grep/rules/*.yml"))
LEVELS = ("error", "warning", "info")

BASE_MANAGER = """
class BaseManager:
    async def _get_db_repository(self):
        if self._db_session is None:
            self._db_session = await db_manager.engine.get_session().__aenter__()
        return self._db_repository
"""
TASK_MANAGER = """
from sqlalchemy.ext.asyncio import AsyncSession

class TaskManager:
    async def _get_db(self):
        async for session in get_session():
            return session
"""
GET_DB = """
from sqlalchemy.ext.asyncio import AsyncSession

async def get_db():
    async with DatabaseManager.get_async_session() as session:
        try:
            yield session
        except GeneratorExit:
            pass
"""
MESSAGE_HANDLER = """
from sqlalchemy.ext.asyncio import AsyncSession

async def handle(supervisor, db_session: AsyncSession):
    supervisor.db_session = db_session
"""
PAGE = """
banner = "<script>alert('ü')</script>"; session = Session(engine).__enter__()
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Code with the teams' mistakes, in a folder with a space in its name."""
    folder = tmp_path / "our project"
    write(folder, "managers/base.py", BASE_MANAGER)
    write(folder, "managers/search.py", BASE_MANAGER * 6)
    write(folder, "services/task_manager.py", TASK_MANAGER)
    write(folder, "database/__init__.py", GET_DB)
    write(folder, "database/nothing.py", "")
    write(folder, "message handler.py", MESSAGE_HANDLER)
    write(folder, "page.py", PAGE)
    return folder


def test_the_first_finding_says_what_happened_what_will_happen_what_to_do_and_where(
    project: Path,
) -> None:
    [first, *_] = look(project)["findings"]

    output = examine(project)

    _, title, what, *_ = output.split("\n\n")
    assert f"(incident {first['incident']})" in title
    assert what.startswith(f"  {first['level']}: {first['rule']}")
    assert words(first["message"]) in words(what)
    assert words(first["note"]) in words(output)
    assert f"\n  {first['file']}:{first['line']}: {first['code']}\n" in output
    assert f"Next: begin with {first['file']}:{first['line']}" in output


def test_a_place_is_a_line_of_the_file(project: Path) -> None:
    for finding in look(project, "--min", "info")["findings"]:
        line = (
            (project / finding["file"])
            .read_text(encoding="utf-8")
            .splitlines()[finding["line"] - 1]
        )
        assert line.strip() == finding["code"]
        assert len(line) >= finding["column"] > len(line) - len(line.lstrip())


def test_errors_are_first_and_the_summary_counts_what_is_listed(project: Path) -> None:
    found = look(project, "--min", "info")

    *_, summary, _ = examine(project, "--min", "info").splitlines()

    levels = [finding["level"] for finding in found["findings"]]
    assert levels[0] == "error"
    assert [int(number) for number in re.findall(r"\d+", summary)] == [
        found["files"],
        *map(levels.count, LEVELS),
    ]
    assert found["files"] == len(list(project.rglob("*.py")))


def test_what_is_less_than_the_least_level_is_counted_and_not_listed(project: Path) -> None:
    everything = look(project, "--min", "info")["findings"]

    for number, level in enumerate(LEVELS, start=1):
        listed = look(project, "--min", level)["findings"]
        assert listed == [each for each in everything if each["level"] in LEVELS[:number]]
    assert summary(examine(project, "--min", "error")) == summary(examine(project))


def test_a_rule_lists_five_places_or_all_of_them(project: Path) -> None:
    short, long = examine(project), examine(project, "--all")

    assert "more (--all lists them)" in short
    assert short.count(".get_session().__aenter__()") < long.count(".get_session().__aenter__()")
    assert "more (--all" not in long


def test_nothing_of_a_line_is_broken_or_coloured_in_a_pipe(project: Path) -> None:
    path = "/".join(["a_folder_with_a_long_name"] * 6) + "/module.py"
    write(project, path, f"session = open_session({'x' * 150}).__enter__()\n")

    output = examine(project, "--all")

    assert f"  {path}:1: session = open_session({'x' * 150}).__enter__()\n" in output
    assert "\x1b" not in output


def test_a_suppressed_place_and_what_others_have_written_are_not_findings(tmp_path: Path) -> None:
    line = "session = Session(engine).__enter__()"
    write(tmp_path, "ours.py", f"{line}  # ast-grep-ignore: hand-called-enter - a test leaves it\n")
    for folder in ("venv/lib/site-packages/them", "web/node_modules/them", ".venv/them"):
        write(tmp_path, f"{folder}/theirs.py", f"{line}\n")

    found = look(tmp_path, status=0)

    assert found["files"] == 1
    assert found["findings"] == []


def test_a_comment_that_hides_a_whole_file_is_found_and_one_that_hides_nothing_is_not(
    tmp_path: Path,
) -> None:
    line = "session = Session(engine).__enter__()"
    write(tmp_path, "everything.py", f"# ast-grep-ignore\n\n{line}\n")
    write(tmp_path, "nothing.py", "# ast-grep-ignore: hand-called-enter - left below\n\nx = 1\n")

    [found] = look(tmp_path)["findings"]

    assert (found["rule"], found["file"]) == ("no-suppress-all", "everything.py")
    assert "no-suppress-all" in examine(tmp_path)
    assert places(json.loads(examine(tmp_path, "--sarif"))["runs"][0]) == [
        ("no-suppress-all", "everything.py", 1)
    ]


def test_a_file_that_is_no_text_is_named_and_one_that_is_no_python_is_read(tmp_path: Path) -> None:
    write(tmp_path, "broken.py", "def broken(:\n    session = next(get_db())\n")
    (tmp_path / "latin.py").write_bytes("# coding: latin-1\nname = 'Grün'\n".encode("latin-1"))

    found, output = look(tmp_path), examine(tmp_path)

    assert found["files"] == 1
    assert found["unread"] == {"latin.py": "not UTF-8"}
    assert [finding["file"] for finding in found["findings"]] == ["broken.py"]
    assert "not read: latin.py (not UTF-8)\n" in output


def test_sarif_has_what_code_scanning_needs(project: Path) -> None:
    found = look(project)["findings"]

    document = json.loads(examine(project, "--sarif"))

    [scan] = document["runs"]
    rules = {rule["id"]: rule for rule in scan["tool"]["driver"]["rules"]}
    assert document["version"] == "2.1.0"
    assert "sarif-2.1.0" in document["$schema"]
    assert rules.keys() == {finding["rule"] for finding in found}
    assert all(rule["shortDescription"]["text"] for rule in rules.values())
    assert all(rule["help"]["text"] and rule["help"]["markdown"] for rule in rules.values())
    assert sorted(places(scan)) == sorted(
        (finding["rule"], finding["file"], finding["line"]) for finding in found
    )


def test_the_page_stands_alone_and_has_every_place(project: Path, tmp_path: Path) -> None:
    output = examine(project, "--html", str(tmp_path / "report.html"))

    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    for finding in look(project)["findings"]:
        assert f"<dt>{finding['file']}:{finding['line']}</dt>" in page
    assert all(f">{count}</li>" in page for count in summary(output).split(", "))
    assert "&lt;script&gt;alert(" in page
    assert re.findall(r"<script|<link|src=|https?:", page) == []


def test_without_an_error_the_status_is_0(tmp_path: Path) -> None:
    write(tmp_path, "good.py", "async with database.unit_of_work() as uow:\n    ...\n")

    assert summary(examine(tmp_path, status=0)) == "1 file, 0 errors, 0 warnings, 0 to look at"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["nowhere"], "nowhere is not a folder; name the folder of a Python project"),
        (["notes.txt"], "notes.txt is not a folder"),
        (["empty"], "empty has no Python file, or git ignores all of them"),
        (["code", "--html", "nowhere/report.html"], "nowhere/report.html"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    tmp_path: Path, arguments: list[str], reason: str
) -> None:
    write(tmp_path, "notes.txt", "")
    write(tmp_path, "empty/notes.txt", "")
    write(tmp_path, "code/module.py", "")

    result = run(*EXAMINE, *arguments, folder=tmp_path, status=2)

    assert len(result.stderr.splitlines()) == 1
    assert reason in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("arguments", [[], [".", "--min", "some"], [".", "--json", "--sarif"]])
def test_a_wrong_command_line_is_status_2(tmp_path: Path, arguments: list[str]) -> None:
    result = run(*EXAMINE, *arguments, folder=tmp_path, status=2)

    assert "usage: examine" in result.stderr


def test_a_failure_of_the_engine_is_one_sentence(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "src/sessionproof", tmp_path / "src/sessionproof")
    write(tmp_path, "src/sessionproof/examining/ast-grep/rules/wrong.yml", "id: wrong\n")

    result = run(*EXAMINE, "src", folder=tmp_path, status=2, PYTHONPATH="src")

    assert re.fullmatch("ast-grep failed: Cannot parse rule .*wrong.yml.*\n", result.stderr)


@pytest.mark.skipif(
    "second-provider" not in {path.stem for path in RULES}, reason="the rule is not there yet"
)
def test_one_place_that_makes_sessions_is_as_it_should_be(tmp_path: Path) -> None:
    maker = "from sqlalchemy.orm import sessionmaker\n\n\ndef make():\n    return sessionmaker()\n"
    write(tmp_path, "database.py", maker)
    one = look(tmp_path, "--min", "info", status=0)["findings"]
    write(tmp_path, "reports.py", maker)
    two = look(tmp_path, "--min", "info", status=0)["findings"]

    assert "second-provider" not in {finding["rule"] for finding in one}
    messages = {find["message"] for find in two if find["rule"] == "second-provider"}
    assert all(message.startswith("2 files create engines or sessions") for message in messages)
    assert len(messages) == 1


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_a_rule_says_what_a_report_needs(path: Path) -> None:
    head, _, _ = path.read_text(encoding="utf-8").partition("\nrule:")  # is not all plain YAML
    rule = yaml.safe_load(head)
    table = (ROOT / "docs/explanation/incidents.md").read_text(encoding="utf-8")

    incidents = rule["metadata"]["incident"]

    assert rule["id"] == path.stem
    assert rule["severity"] in LEVELS
    assert rule["note"].strip()
    assert not rule["message"].endswith(".")
    for incident in incidents if isinstance(incidents, list) else [incidents]:
        assert re.search(rf"^\| {incident} \|", table, re.MULTILINE)


def look(folder: Path, *options: str, status: int = 1) -> dict[str, Any]:
    """The JSON output."""
    found: dict[str, Any] = json.loads(examine(folder, "--json", *options, status=status))
    return found


def examine(folder: Path, *options: str, status: int = 1) -> str:
    """The printed output."""
    return run(*EXAMINE, folder, *options, folder=ROOT, status=status).stdout


def summary(output: str) -> str:
    """The line with the numbers of findings."""
    [line] = re.findall(r"^\d.* to look at$", output, re.MULTILINE)
    return str(line)


def places(scan: dict[str, Any]) -> list[tuple[str, str, int]]:
    """The rules, files and lines of a run of SARIF."""
    spots = [(each["ruleId"], each["locations"][0]["physicalLocation"]) for each in scan["results"]]
    return [
        (rule, unquote(spot["artifactLocation"]["uri"]), spot["region"]["startLine"])
        for rule, spot in spots
    ]


def words(text: str) -> str:
    """The text without its line breaks."""
    return " ".join(text.split())


def write(folder: Path, path: str, text: str) -> None:
    """Create the file."""
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_text(text, encoding="utf-8")
