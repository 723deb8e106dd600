"""Any answer is rendered exactly as it was given, or refused in one sentence."""

import keyword
import re
import sys
import tempfile
import tomllib
from itertools import zip_longest
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from .conftest import Render, StartProject
from .support.environment import requirements, taken_names
from .support.project import Project, copy
from .support.repository import macros
from .support.shell import run
from .support.variants import VARIANTS, WAYS_IN, Answers, name

rules = macros("answers")

PACKAGE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
LONGEST = "z" * 40

SPECIAL = [
    *("{{ 7 * 7 }}", "{{ x }}", "{% raw %}", "{% endraw %}", "{# note #}", "${{ x }}", "$(id)"),
    *('"', "'", '"""', "\\", "\\n", "\\u0041", "C:\\new", 'say "it"', "it's"),
    *("`x`", "<b>", "&amp;", "*x*", "_x_", "[x](y)", "1. x", "---", "www.example.org"),
    *("yes", "null", "~", "0x1", "1e3", "007", "1:30", "2026-11-21", ".inf", "true", "=", "<<"),
    *("a: b", "- a", "# a", "a # b", "!!str a", "&a *b", "%TAG", "@x", "[a]", "{a: b}", "|", ">"),
    *("été", "日本語", "😀", "שלום עולם", "\u202eabc", "a\u200bb", "%(here)s", "%%", "{}", "{0}"),
]
TEXT = st.one_of(
    st.text(max_size=90),
    st.lists(st.sampled_from([*SPECIAL, " ", "\n", "\t", "\x00", "\u2028"]), max_size=5).map(
        "".join
    ),
    st.integers(70, 210).map("x".__mul__),
)
# Tests that render many projects render only the files that contain an answer.
ALL_BUT_THE_PACKAGE = ["/src/*/*/", "/tests/"]
ALL_BUT_THE_TEXTS = ["*", "!/.copier-answers.yml", "!/pyproject.toml", "!/README.md"]
few = settings(max_examples=10, deadline=None)
many = settings(max_examples=300, deadline=None)


@few
@given(project_name=TEXT)
@example(project_name="Task Queue")
@example(project_name="class")
@example(project_name="SQLAlchemy")
@example(project_name="Test")
@example(project_name="日本語")
@example(project_name="2nd try!")
@example(project_name="a")
@example(project_name="x" * 80)
def test_any_project_name_renders_a_package_that_imports_or_is_refused(
    template_files: Path, project_name: str
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        answers: Answers = {"project_name": project_name}
        project = attempt(template_files, Path(folder), answers, ALL_BUT_THE_PACKAGE)
        if project:
            (package,) = (path.parent.name for path in project.glob("src/*/__init__.py"))
            assert imported(package, project) == str(project / "src" / package / "__init__.py")


@few
@given(st.fixed_dictionaries(dict.fromkeys(("description", "author_name"), TEXT)))
@example({"description": "x" * 200, "author_name": "x" * 80})
@example({"description": "", "author_name": ""})
@example({"description": 'a "C:\\new" one', "author_name": "x # y"})
@example({"description": "two\nlines", "author_name": ""})
@example({"description": "half of a pair: \ud800", "author_name": ""})
def test_any_text_is_rendered_as_it_is_or_refused(template_files: Path, answers: Answers) -> None:
    with tempfile.TemporaryDirectory() as folder:
        project = attempt(template_files, Path(folder), answers)
        if project:
            assert_rendered_as_it_is(project, answers)


@pytest.mark.parametrize(
    ("project_name", "author_name"),
    [*zip_longest(SPECIAL[::2], SPECIAL[1::2], fillvalue=SPECIAL[0])],
)
def test_special_texts_are_rendered_as_they_are(
    template_files: Path, tmp_path: Path, project_name: str, author_name: str
) -> None:
    answers: Answers = {
        "project_name": project_name,
        "package": "special",
        "description": f"{author_name} {project_name}",
        "author_name": author_name,
    }

    project = attempt(template_files, tmp_path, answers)

    assert project
    assert_rendered_as_it_is(project, answers)


@pytest.mark.parametrize("start", range(0, len(SPECIAL), 18))
def test_special_texts_survive_an_update(template: Path, tmp_path: Path, start: int) -> None:
    texts = SPECIAL[start : start + 18]
    answers: Answers = {
        "project_name": texts[0],
        "package": "special",
        "description": " ".join(texts),
        "author_name": texts[-1],
    }
    project = Project(copy(template, tmp_path / "project", answers))
    project.commit()

    conflicts = project.update()

    assert conflicts == []
    assert project.changes() == []
    assert_rendered_as_it_is(project.path, answers)
    assert_clean(project.path)


@pytest.mark.parametrize(
    ("author_email", "fits"),
    [
        ("", True),
        ("ada@example.org", True),
        ("ada+lovelace@mail.example.org", True),
        ("ada", False),
        ("ada@", False),
        ("ada@example.org\n", False),
        ("Ada <ada@example.org>", False),
        ('"{{ x }}"@example.org', False),
        ("ada@пример.рф", False),
        ("ada" * 200 + "@example.org", False),
    ],
)
def test_an_address_is_rendered_as_it_is_or_refused(
    template_files: Path, tmp_path: Path, author_email: str, fits: bool
) -> None:
    answers: Answers = {"author_email": author_email}

    project = attempt(template_files, tmp_path, answers)

    assert bool(project) is fits
    if project:
        assert_rendered_as_it_is(project, answers)


WRONG = [
    ("-d database=oracle", "database must be one of sqlite, postgresql, got"),
    ("-d mode=both", "mode must be one of async, sync, got"),
    ("-d ci=jenkins", "ci must be one of github, gitlab, none, got"),
    ("-d http=flase", "http must be true or false, got"),
    ("-d example=", "example must be true or false, got"),
    (
        "-d databse=sqlite",
        "the template has no question databse; its questions are authentication, author_email,",
    ),
]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        *WRONG,
        ("-d worker=yes -d example=no", "worker must be false: it runs the tasks of the example"),
    ],
)
def test_a_wrong_answer_is_one_sentence_and_nothing_is_written(
    template: Path, tmp_path: Path, given: str, reason: str
) -> None:
    program = ("copier", "copy", "--defaults", "--quiet", *given.split())

    refused = run(*program, template, tmp_path / "project", folder=tmp_path, status=1)

    assert re.fullmatch(rf"[^\n]*{re.escape(reason)}[^\n]*\n", refused.stderr)
    assert not (tmp_path / "project").exists()


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        *WRONG,
        ("-d example=true", "example must stay false"),
        ("-d worker=true", "worker must be false: it runs the tasks of the example"),
        ("-d package=other", "package must stay task_queue"),
        ("-d ours=[README.md]", "change ours with just owned --take"),
    ],
)
def test_an_impossible_answer_is_one_sentence_and_changes_nothing(
    start_project: StartProject, given: str, reason: str
) -> None:
    project = start_project(example=False)

    refused = run(
        *("copier", "update", "--defaults", "--quiet", *given.split()),
        folder=project.path,
        status=1,
    )

    assert re.fullmatch(rf"[^\n]*{re.escape(reason)}[^\n]*\n", refused.stderr)
    assert project.changes() == []


@pytest.mark.parametrize("given", ["-d http=Yes", "-d package=task_queue -d example=0", ""])
def test_a_valid_answer_is_accepted_silently(start_project: StartProject, given: str) -> None:
    project = start_project(example=False)

    taken = run(*("copier", "update", "--defaults", "--quiet", *given.split()), folder=project.path)

    assert taken.stderr == ""
    assert (project.path / "tests/api").exists() is ("http" in given)


@many
@given(package=st.one_of(TEXT, st.from_regex(PACKAGE), st.from_regex(PACKAGE, fullmatch=True)))
@example(package="tasks\n")
@example(package="_tasks")
@example(package="tâches")
@example(package="ﬁle")
@example(package=LONGEST)
@example(package=LONGEST + "z")
def test_a_package_is_a_short_lower_case_name(package: str) -> None:
    refusal = importable(package)

    if not PACKAGE.fullmatch(package) or len(package) > 40:
        assert "must be a Python name" in refusal
    elif refusal:
        assert "must be a name that" in refusal


@pytest.mark.parametrize(
    "names",
    [
        pytest.param([*keyword.kwlist, *keyword.softkwlist], id="keywords"),
        pytest.param(sys.stdlib_module_names, id="standard library"),
    ],
)
def test_a_name_of_python_is_refused_as_a_package(names: list[str]) -> None:
    possible = [name for name in names if PACKAGE.fullmatch(name)]

    assert [name for name in possible if "do not use" not in importable(name)] == []


def test_a_name_of_a_dependency_is_refused_as_a_package(render: Render) -> None:
    needed = [need for answers in [*VARIANTS, *WAYS_IN] for need in requirements(render(**answers))]
    taken = taken_names(needed)

    assert {"sqlalchemy", "greenlet", "pytest_xdist", "dotenv", "just"} < taken
    possible = sorted(name for name in taken if PACKAGE.fullmatch(name))
    assert [name for name in possible if "do not use" not in importable(name)] == []


@pytest.mark.parametrize("package", ["a", LONGEST], ids=["shortest", "longest"])
def test_the_length_of_the_package_does_not_change_the_format(
    template_files: Path, tmp_path: Path, package: str
) -> None:
    for answers in VARIANTS:
        copy(template_files, tmp_path / name(answers), {**answers, "package": package})

    assert_clean(tmp_path)


def attempt(
    template: Path, folder: Path, answers: Answers, without: list[str] = ALL_BUT_THE_TEXTS
) -> Path | None:
    """Render, and check the message if an answer is refused."""
    project = folder / "project"
    try:
        return copy(template, project, answers, without=without)
    except ValueError as error:
        question, _, refusal = (
            str(error).removeprefix("Validation error for question ").partition(": ")
        )
        assert_one_clear_sentence(refusal, question.strip("'"))
        assert not project.exists()
        return None


def assert_one_clear_sentence(refusal: str, question: str) -> None:
    assert re.fullmatch(rf"{question} must be [^\n]+, for example [^\n]+", refusal), refusal
    assert refusal.isprintable()
    assert len(refusal) < 650


def assert_rendered_as_it_is(project: Path, answers: Answers) -> None:
    kept = yaml.safe_load((project / ".copier-answers.yml").read_text(encoding="utf-8"))
    about = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    heading, *paragraphs = shown(project / "README.md")
    author = {
        key: kept[question]
        for key, question in (("name", "author_name"), ("email", "author_email"))
        if kept[question]
    }

    assert kept.items() >= answers.items()
    assert about["description"] == kept["description"]
    assert about.get("authors", []) == ([author] if author else [])
    assert heading == kept["project_name"]
    assert not kept["description"] or paragraphs[0] == kept["description"]


def assert_clean(folder: Path) -> None:
    run("ruff", "format", "--check", "--no-cache", ".", folder=folder)
    run("ruff", "check", "--no-cache", "--output-format=concise", ".", folder=folder)


def shown(page: Path) -> list[str]:
    """The headings and paragraphs of the page, as plain text and tags."""
    return [
        "".join(
            part.content if part.type == "text" else f"<{part.type}>" for part in token.children
        )
        for token in MarkdownIt().parse(page.read_text(encoding="utf-8"))
        if token.type == "inline" and token.children
    ]


def importable(package: str) -> str:
    """The refusal of a package name, or an empty text if the name is valid."""
    refusal: str = rules.importable("package", package)
    if refusal:
        assert_one_clear_sentence(refusal, "package")
    return refusal


def imported(package: str, project: Path) -> str:
    """The file that `import package` finds if the project is installed."""
    program = f"import sys; sys.path.append('src'); import {package}; print({package}.__file__)"
    return run(sys.executable, "-P", "-c", program, folder=project).stdout.strip()
