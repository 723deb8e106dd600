"""A release breaks nothing that projects of earlier releases rely on: the rules, and violations."""

import re
import shutil
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import TemplateRuntimeError

from .conftest import NEWEST, Render, StartProject, once
from .support.project import Project, copy, tree
from .support.release import (
    RELEASES,
    Template,
    changes_by_default,
    commits_with_new_questions,
    every_release,
    export,
    in_id,
    refused_answers,
    removed_answers,
    removed_paths,
)
from .support.repository import FOR_UPDATES, git, matcher, owner
from .support.variants import BARE_VARIANTS, COMBINATIONS, VARIANTS, WITH_ENTITIES, Answers, name
from .test_questions import PACKAGE, SPECIAL, TEXT, many

NAMES_TAKEN_LATER = {"v0.1.0": "opentelemetry", "v0.2.0": "time_machine"}

Released = Callable[[str], Template]


@pytest.fixture(scope="session")
def new(template_files: Path) -> Template:
    """The current template."""
    return Template(template_files)


@pytest.fixture(scope="session")
def released(template: Path, shared: Path) -> Released:
    """The released templates by version."""

    @cache
    def released(version: str) -> Template:
        return Template(once(shared / f"released-{version}", partial(export, template, version)))

    return released


@pytest.fixture
def changed(template_files: Path, tmp_path: Path) -> Path:
    """The files of the template, which a test may damage."""
    return shutil.copytree(template_files, tmp_path / "changed")


# A new question's default reproduces the old output.


@pytest.mark.slow
@pytest.mark.skipif(not RELEASES, reason="no release is in this clone's history")
def test_a_question_comes_with_a_default_that_changes_nothing(
    template: Path, tmp_path: Path
) -> None:
    for commit, parent in commits_with_new_questions(RELEASES[-1], template):
        for each in (parent, commit):
            export(template, each, tmp_path / each)
        before, after = Template(tmp_path / parent), Template(tmp_path / commit)

        changes = changes_by_default(before, after, COMBINATIONS, tmp_path / "rendered" / commit)

        assert list(changes) == [], commit


@pytest.mark.parametrize(
    ("default", "violations"),
    [
        ("", []),
        ("hello", ["the default of greeting changes README.md of sqlite-async"]),
    ],
    ids=["changes nothing", "changes a page"],
)
def test_a_default_that_changes_something_is_found(
    new: Template, changed: Path, tmp_path: Path, default: str, violations: list[str]
) -> None:
    replace(changed / "copier.yml", "\ndescription:", f"{question(default)}\ndescription:")
    with (changed / "template/README.md.jinja").open("a", encoding="utf-8") as page:
        page.write("{{ greeting }}")

    found = changes_by_default(new, Template(changed), VARIANTS[:1], tmp_path)

    assert list(found) == violations


def test_the_commit_that_adds_a_question_is_found(template: Path, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    git("clone", "--quiet", str(template), str(repository), folder=tmp_path)
    replace(repository / "copier.yml", "\ndescription:", f"{question('')}\ndescription:")
    git("commit", "--quiet", "--all", "--message", "Ask for a greeting", folder=repository)
    (repository / "README.md").unlink()
    git("commit", "--quiet", "--all", "--message", "Nothing to read", folder=repository)
    commit, parent = git("rev-parse", "HEAD~1", "HEAD~2", folder=repository).split()

    assert list(commits_with_new_questions(NEWEST, repository)) == [(commit, parent)]


# A path that is no longer rendered is kept.


@every_release
def test_no_path_is_removed(released: Released, new: Template, version: str) -> None:
    old = released(version)

    sets = [*COMBINATIONS, *WITH_ENTITIES]
    removed = [line for answers in sets for line in removed_paths(old, new, answers)]

    assert removed == []


@pytest.mark.parametrize(
    ("kept", "violations"),
    [
        ("", 24),
        ("/docs/ownership.md", 0),
        ("{% if ci == 'none' %}/docs/{% endif %}", 16),
    ],
    ids=["not kept", "kept", "kept for some"],
)
def test_a_path_that_is_removed_is_found(
    new: Template, changed: Path, kept: str, violations: int
) -> None:
    (changed / "template/docs/ownership.md.jinja").unlink()
    keep(changed, kept)

    found = [
        line for answers in COMBINATIONS for line in removed_paths(new, Template(changed), answers)
    ]

    assert len(found) == violations
    assert all(line.startswith("docs/ownership.md is no longer rendered for") for line in found)


def test_a_path_that_an_answer_newly_switches_off_is_removed(new: Template, changed: Path) -> None:
    with (changed / "copier.yml").open("a", encoding="utf-8") as config:
        config.write("  - \"{% if database == 'sqlite' %}/justfile{% endif %}\"\n")

    found = [line for each in VARIANTS for line in removed_paths(new, Template(changed), each)]

    assert found == [
        "justfile is no longer rendered for sqlite-async, and not kept",
        "justfile is no longer rendered for sqlite-sync, and not kept",
    ]


@pytest.mark.slow
@pytest.mark.skipif(not RELEASES, reason="no release is in this clone's history")
@pytest.mark.parametrize("kept", ["", "/docs/ownership.md"], ids=["not kept", "kept"])
def test_copier_deletes_a_removed_path_with_its_edits_unless_it_is_kept(
    template: Path, tmp_path: Path, kept: str
) -> None:
    repository = tmp_path / "repository"
    git("clone", "--quiet", str(template), str(repository), folder=tmp_path)
    (repository / "template/docs/ownership.md.jinja").unlink()
    keep(repository, kept)
    git("commit", "--quiet", "--all", "--message", "One page less", folder=repository)
    git("tag", "v1000.0.0", folder=repository)
    project = Project(copy(repository, tmp_path / "project", {}, version=RELEASES[0]))
    page = project.path / "docs/ownership.md"
    page.write_text("ours\n")
    project.commit()

    project.update()

    assert page.exists() is bool(kept)
    assert not page.exists() or page.read_text() == "ours\n"


# The newest release with each set of answers, and the others by turns: they do not change.
PROJECTS = [*VARIANTS, *BARE_VARIANTS]
RENDERED = [
    *((version, PROJECTS[number % len(PROJECTS)]) for number, version in enumerate(RELEASES[:-1])),
    *((version, answers) for version in RELEASES[-1:] for answers in PROJECTS),
]


@pytest.mark.slow
@pytest.mark.parametrize(("version", "answers"), RENDERED, ids=in_id)
def test_the_rules_know_the_paths_that_copier_renders(
    released: Released, render: Render, version: str, answers: Answers
) -> None:
    if "contract" in released(version).questions:  # its default in a copy is not that of an update
        answers = {**answers, "contract": True}
    rendered = tree(render(version, **answers))

    assert released(version).updated_paths(answers) - FOR_UPDATES == {
        path for path in rendered if owner(path) != "sample"
    }


@pytest.mark.parametrize("answers", COMBINATIONS, ids=name)
def test_no_rendered_path_is_ignored_by_git(render: Render, answers: Answers) -> None:
    folder = render(**answers)

    is_ignored = matcher((folder / ".gitignore").read_text(encoding="utf-8").splitlines())

    assert [path for path in tree(folder) if is_ignored(path)] == []
    assert is_ignored(".env")


# No question and no choice is removed.


@every_release
def test_no_question_and_no_choice_is_removed(
    released: Released, new: Template, version: str
) -> None:
    assert list(removed_answers(released(version), new)) == []


@pytest.mark.parametrize(
    ("line", "instead", "violation"),
    [
        ("    GitLab CI: gitlab\n", "", "ci can no longer be gitlab"),
        ("gitlab\n", "gitlab-ci\n", "ci can no longer be gitlab"),
        ("\nexample:\n", "\nsamples:\n", "example is no longer a question"),
        ("\nexample:\n", "\nexample:\n  when: false\n", "example is no longer a question"),
        (
            "example:\n  type: bool\n",
            "example:\n  type: str\n",
            "example was of type bool, and is of type str",
        ),
    ],
)
def test_a_question_or_choice_that_is_removed_is_found(
    new: Template, changed: Path, line: str, instead: str, violation: str
) -> None:
    replace(changed / "copier.yml", line, instead)

    assert list(removed_answers(new, Template(changed))) == [violation]


# An update accepts every answer that was valid before.


@every_release
def test_no_validator_refuses_what_was_accepted(
    released: Released, new: Template, version: str
) -> None:
    old = released(version)

    refused = [
        line
        for question in validated(old)
        for line in refused_answers(old, new, question, corpus(old, new))
    ]

    assert refused == []


@every_release
@many
@given(answer=st.one_of(TEXT, st.from_regex(PACKAGE, fullmatch=True), st.emails()))
def test_no_validator_refuses_anything_that_was_accepted(
    released: Released, new: Template, version: str, answer: str
) -> None:
    old = released(version)
    for question in validated(old):
        assert list(refused_answers(old, new, question, [answer])) == []


@pytest.mark.parametrize(
    ("file", "text", "instead", "violation"),
    [
        (
            "macros/answers.jinja",
            "set dependencies = '''",
            "set dependencies = ''' zebra",
            "package can no longer be 'zebra'",
        ),
        (
            "macros/answers.jinja",
            "length > 254",
            "length > 4",
            "author_email can no longer be 'ada",
        ),
        (
            "copier.yml",
            "project_name, 1, 80,",
            "project_name, 1, 79,",
            f"project_name can no longer be '{80 * 'x'}'",
        ),
    ],
    ids=["a name", "an address", "a length"],
)
def test_a_validator_that_refuses_more_is_found(
    new: Template, changed: Path, file: str, text: str, instead: str, violation: str
) -> None:
    replace(changed / file, text, instead)
    stricter = Template(changed)

    found = [
        line
        for question in validated(new)
        for line in refused_answers(new, stricter, question, corpus(new, stricter))
    ]

    assert found
    assert all(line.startswith(violation) for line in found)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("project_name", "Task Queue"),
        ("project_name", " x"),
        ("package", "tasks"),
        ("package", "time_machine"),
        ("package", "class"),
        ("description", "x" * 201),
        ("author_name", "{{ x }}"),
        ("author_email", "ada@example.org"),
        ("author_email", "ada"),
    ],
)
def test_the_rules_refuse_what_copier_refuses(
    new: Template, tmp_path: Path, question: str, answer: str
) -> None:
    said = ""
    try:
        copy(new.folder, tmp_path / "project", {question: answer}, without=["*"])
    except ValueError as error:
        said = str(error).removeprefix(f"Validation error for question '{question}': ")

    assert new.refusal(question, answer, {}) == said


@pytest.mark.slow
@pytest.mark.parametrize("version", NAMES_TAKEN_LATER)
def test_a_project_keeps_a_name_that_a_dependency_took_later(
    start_project: StartProject, version: str
) -> None:
    package = NAMES_TAKEN_LATER[version]
    project = start_project(version, package=package)
    managers = project.path / "src" / package / "managers.py"
    with managers.open("a") as file:
        file.write("# ours\n")
    project.commit()

    project.update()

    assert [folder.name for folder in (project.path / "src").iterdir()] == [package]
    assert managers.read_text().endswith("# ours\n")


# When Copier is stopped, it does not close the folder that it was reading.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    "others", [{}, {"database": "sqlite"}], ids=["asked in order", "next answered first"]
)
def test_a_new_project_cannot_have_a_name_that_a_dependency_took_later(
    template_files: Path, tmp_path: Path, others: Answers
) -> None:
    answers: Answers = {"package": "time_machine", **others}

    with pytest.raises((ValueError, TemplateRuntimeError), match=r"package must be a name that"):
        copy(template_files, tmp_path / "project", answers)

    assert not (tmp_path / "project").exists()


def validated(template: Template) -> list[str]:
    """The questions whose answers are checked."""
    return [key for key, details in template.questions.items() if "validator" in details]


def corpus(*templates: Template) -> list[str]:
    """Answers of every kind, including each name that a validator knows."""
    macros = [(each.folder / "macros/answers.jinja").read_text("utf-8") for each in templates]
    names = sorted({name for text in macros for name in re.findall(r"\w+", text)})
    lengths = ["x" * length for length in (0, 1, 39, 40, 79, 80, 199, 200)]
    return [*names, *SPECIAL, *lengths, "ada@example.org", "ada+l@mail.example.org"]


def question(default: str) -> str:
    """Add a new question to copier.yml."""
    return f'\ngreeting:\n  type: str\n  help: How to greet?\n  default: "{default}"\n'


def keep(template: Path, path: str) -> None:
    """Add a path to the list `kept`."""
    replace(
        template / "copier.yml", "    /tools/update.py\n", f"    /tools/update.py\n    {path}\n"
    )


def replace(file: Path, text: str, instead: str) -> None:
    """Replace a text that occurs once in the file."""
    content = file.read_text(encoding="utf-8")
    assert content.count(text) == 1, f"{content.count(text)} times in {file.name}: {text}"
    file.write_text(content.replace(text, instead), encoding="utf-8")
