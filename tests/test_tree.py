"""Every combination of answers renders the right files, without debris."""

import re
import tomllib
from collections.abc import Callable
from datetime import date
from functools import cache
from itertools import chain, cycle
from pathlib import Path

import pytest
import yaml
from sqlalchemy.orm import Session

from .conftest import Render
from .support.entities import ENTITIES, described
from .support.project import tree
from .support.repository import COPIER, OWNERS, ROOT, entity_patterns, matcher, owners_of, patterns
from .support.shell import run
from .support.variants import (
    COMBINATIONS,
    DATABASES,
    DRIVERS,
    MANY_VALUES,
    MODES,
    WAYS_IN,
    WITH_ENTITIES,
    Answers,
    driver,
    name,
)

ALL: list[Answers] = [
    {**answers, "contract": contract}
    for answers, contract in zip(
        [*COMBINATIONS, *WITH_ENTITIES, *WAYS_IN], cycle([True, True, False]), strict=False
    )
]
every_combination = pytest.mark.parametrize("answers", ALL, ids=name)
OF_HTTP = [
    "/src/*/entrypoints/commands/http.py",
    "/src/*/entrypoints/http/",
    "/src/*/migrations/versions/*_create_idempotent_request.py",
    "/src/*/persistence/idempotency.py",
    "/tests/api/",
    "/tests/http/",
    "/tests/kit/http.py",
    "/tests/kit/served.py",
]
BROUGHT = [
    pattern for feature in described(ENTITIES) for pattern in entity_patterns(feature["plural"])
]
ENDPOINTS_OF_ENTITIES = [*filter(matcher(OF_HTTP), BROUGHT)]
OF_ENTITIES = [pattern for pattern in BROUGHT if pattern not in ENDPOINTS_OF_ENTITIES]
OF_EXAMPLE = [pattern for pattern in patterns("sample") if "migrations" not in pattern]
OF_SQLITE = [
    "/src/*/persistence/drivers/dialect_sqlite.py",
    "/src/*/persistence/schema/rebuild.py",
    "/src/*/persistence/drivers/sqlite_sql.py",
    "/src/*/persistence/schema/table_sql.py",
    "/src/*/persistence/drivers/url_sqlite.py",
    "/tests/persistence/test_rebuild.py",
]
OF_WORKER = [
    "/src/*/entrypoints/commands/worker.py",
    "/src/*/entrypoints/worker/",
    "/src/*/migrations/versions/*_create_leases.py",
    "/src/*/workers/",
    "/tests/workers/",
]
KERNEL = "src/task_queue/persistence"
OF_LIBRARIES = {"selectinload", "str"}
SUITE: list[str] = COPIER["contract_suite"]["default"]

OPTIONAL: list[tuple[str, Callable[[Answers], bool]]] = [
    *(
        (path, lambda answers: answers.get("image") is True)
        for path in ("/.dockerignore", "/Dockerfile")
    ),
    ("/compose.yaml", lambda answers: answers["database"] == "postgresql"),
    ("/tests/kit/postgresql.py", lambda answers: answers["database"] == "postgresql"),
    ("/src/*/entrypoints/commands/_records.py", lambda answers: "entities" in answers),
    *((pattern, lambda answers: "entities" in answers) for pattern in OF_ENTITIES),
    *(
        (pattern, lambda answers: "entities" in answers and answers.get("http") is True)
        for pattern in ENDPOINTS_OF_ENTITIES
    ),
    ("/src/*/persistence/drivers/copyable.py", lambda answers: answers["database"] == "postgresql"),
    (
        "/src/*/persistence/drivers/dialect_postgresql.py",
        lambda answers: answers["database"] == "postgresql",
    ),
    (
        "/src/*/persistence/drivers/url_postgresql.py",
        lambda answers: answers["database"] == "postgresql",
    ),
    *(
        (
            f"/src/*/persistence/drivers/driver_{name}.py",
            lambda answers, name=name: driver(answers) == name,
        )
        for name in DRIVERS.values()
    ),
    *((pattern, lambda answers: answers["database"] == "sqlite") for pattern in OF_SQLITE),
    ("/src/*/persistence/schema/alter.py", lambda answers: answers["database"] == "postgresql"),
    ("/src/*/persistence/schema/online.py", lambda answers: answers["database"] == "postgresql"),
    ("/src/*/persistence/units/replicas.py", lambda answers: answers["database"] == "postgresql"),
    ("/tests/kit/pgbouncer.py", lambda answers: answers["database"] == "postgresql"),
    ("/tests/kit/proxy.py", lambda answers: answers["database"] == "postgresql"),
    ("/tests/persistence/test_online.py", lambda answers: answers["database"] == "postgresql"),
    ("/tests/persistence/test_parameters.py", lambda answers: answers["database"] == "postgresql"),
    ("/tests/persistence/test_pgbouncer.py", lambda answers: answers["database"] == "postgresql"),
    ("/tests/persistence/test_postgresql.py", lambda answers: answers["database"] == "postgresql"),
    ("/tests/persistence/test_proxy.py", lambda answers: answers["database"] == "postgresql"),
    *(
        (pattern, lambda answers: True)
        for pattern in SUITE
        if pattern not in ("/tests/http/", "/tests/workers/", "/tests/kit/pgbouncer.py")
    ),
    ("/.github/workflows/ci.yml", lambda answers: answers["ci"] == "github"),
    ("/.github/workflows/update.yml", lambda answers: answers["ci"] == "github"),
    (
        "/.github/workflows/prove.yml",
        lambda answers: answers["ci"] == "github" and not answers["contract"],
    ),
    (
        "/.github/workflows/postgresql.yml",
        lambda answers: answers["ci"] == "github" and answers["database"] == "postgresql",
    ),
    ("/.gitlab-ci.yml", lambda answers: answers["ci"] == "gitlab"),
    *((pattern, lambda answers: answers["example"] is True) for pattern in OF_EXAMPLE),
    (
        "/src/*/migrations/versions/*.py",
        lambda answers: answers["example"] is True or answers.get("http") is True,
    ),
    *((pattern, lambda answers: answers.get("http") is True) for pattern in OF_HTTP),
    (
        "/tests/http/test_outage.py",
        lambda answers: answers.get("http") is True and answers["database"] == "postgresql",
    ),
    (
        "/tests/workers/test_outage.py",
        lambda answers: answers.get("worker") is True and answers["database"] == "postgresql",
    ),
    *(
        (pattern, lambda answers: True in (answers.get("http"), answers.get("worker")))
        for pattern in ("/src/*/entrypoints/_errors_of.py", "/src/*/entrypoints/_logs.py")
    ),
    *((pattern, lambda answers: answers.get("worker") is True) for pattern in OF_WORKER),
]

TEMPLATE_PATHS = tree(ROOT / "template")
JINJA = re.compile(r"(?<!\$)\{\{|\{%|\{#")
BLANK_LINES = {".py": 2, ".mako": 2, ".md": 2, ".toml": 1, ".yml": 1, ".yaml": 1, "": 1}


of_entities = matcher(BROUGHT)
of_suite = matcher(SUITE)


@cache
def named_by(pattern: str) -> Callable[[str], bool]:
    """Whether the pattern matches the path."""
    return matcher([pattern])


@cache
def texts(folder: Path) -> dict[str, str]:
    """Every rendered file with its text."""
    return {path: (folder / path).read_bytes().decode() for path in tree(folder)}


@every_combination
def test_no_jinja_is_left(render: Render, answers: Answers) -> None:
    rendered = texts(render(**answers))

    left = [
        f"{path}:{number}: {line}"
        for path, text in rendered.items()
        for number, line in enumerate(text.splitlines(), 1)
        if JINJA.search(re.sub(r"\{{4}.*?\}\}", "", line))  # how just writes two braces
    ]
    assert left == []


@every_combination
def test_every_file_ends_in_one_newline_and_has_no_debris(render: Render, answers: Answers) -> None:
    rendered = texts(render(**answers))

    for path, text in rendered.items():
        most = BLANK_LINES.get(Path(path).suffix, 1)
        assert not text or text.endswith("\n"), f"{path} does not end in a newline"
        assert not text.endswith("\n\n"), f"{path} ends in an empty line"
        assert not text.startswith("\n"), f"{path} begins with an empty line"
        assert "\n" * (most + 2) not in text, f"{path} has more than {most} empty lines in a row"
        assert not re.search(r"[ \t]$", text, re.MULTILINE), f"{path} has space at a line's end"
        assert "\r" not in text, f"{path} has carriage returns"


@every_combination
def test_no_folder_is_empty(render: Render, answers: Answers) -> None:
    project = render(**answers)

    assert [path for path in project.rglob("*") if path.is_dir() and not any(path.iterdir())] == []


@every_combination
def test_toml_and_yaml_parse(render: Render, answers: Answers) -> None:
    rendered = texts(render(**answers))

    for path, text in rendered.items():
        if path.endswith(".toml"):
            assert tomllib.loads(text)
        if path.endswith((".yml", ".yaml")):
            assert yaml.safe_load(text)


def test_ruff_finds_nothing_to_format(render: Render) -> None:
    folders = [render(**answers) for answers in ALL]

    run("ruff", "format", "--check", "--no-cache", *folders, folder=ROOT)


def test_ruff_finds_nothing_to_complain_about(render: Render) -> None:
    folders = [render(**answers) for answers in ALL]

    run("ruff", "check", "--no-cache", "--output-format=concise", *folders, folder=ROOT)


def owners(path: str) -> list[str]:
    """Every owner whose patterns match the path."""
    return [*owners_of(path), *(["shared"] if of_entities(path) else [])]


@every_combination
def test_every_path_has_exactly_one_owner(render: Render, answers: Answers) -> None:
    paths = tree(render(**answers))

    assert {path: owners(path) for path in paths if len(owners(path)) != 1} == {}


def test_every_pattern_of_an_owner_names_something(render: Render) -> None:
    paths = {path for answers in ALL for path in tree(render(**answers))}

    idle = [
        pattern
        for pattern in [*chain(*map(patterns, OWNERS)), *BROUGHT]
        if not any(map(named_by(pattern), paths))
    ]
    assert idle == []


@every_combination
def test_every_shared_file_has_a_line_below_which_a_team_adds_its_own(
    render: Render, answers: Answers
) -> None:
    rendered = texts(render(**answers))

    without = [
        path
        for path, text in rendered.items()
        if text and owners(path) == ["shared"] and "below this line" not in text.lower()
    ]
    assert without == []


@pytest.mark.parametrize("mode", MODES)
def test_what_an_update_leaves_alone_is_the_same_for_every_database(
    render: Render, mode: str
) -> None:
    kept = [
        {
            path: text
            for path, text in texts(render(database=database, mode=mode)).items()
            if owners(path)[0] in {"yours", "sample"}
        }
        for database in DATABASES
    ]

    assert len(kept[0]) > 10
    assert kept[0] == kept[1]


@every_combination
def test_an_optional_file_exists_only_for_its_answer(render: Render, answers: Answers) -> None:
    paths = tree(render(**answers))

    found = {pattern for pattern, _ in OPTIONAL if any(map(named_by(pattern), paths))}
    has_suite = answers["contract"]
    assert found == {
        pattern
        for pattern, wanted in OPTIONAL
        if wanted(answers) and (has_suite or not of_suite(pattern.removesuffix("*")))
    }


def test_every_other_file_always_exists(render: Render) -> None:
    trees = [set(tree(render(**answers))) for answers in ALL]

    sometimes = set[str]().union(*trees) - trees[0].intersection(*trees)
    optional = matcher(pattern for pattern, _ in OPTIONAL)
    assert {path for path in sometimes if not optional(path)} == set()


@every_combination
def test_every_import_between_test_files_exists(render: Render, answers: Answers) -> None:
    rendered = texts(render(**answers))

    missing = [
        f"{path}: {line}"
        for path, text in rendered.items()
        if path.startswith("tests/") and path.endswith(".py")
        for line, dots, module in re.findall(r"^(from (\.+)([\w.]+) import)", text, re.MULTILINE)
        if not is_module(rendered, Path(path).parents[len(dots) - 1], module)
    ]
    assert missing == []


def is_module(rendered: dict[str, str], folder: Path, module: str) -> bool:
    """Whether such a module or package exists."""
    place = (folder / module.replace(".", "/")).as_posix()
    return f"{place}.py" in rendered or f"{place}/__init__.py" in rendered


@every_combination
def test_the_answers_are_kept(render: Render, answers: Answers) -> None:
    kept = yaml.safe_load((render(**answers) / ".copier-answers.yml").read_text(encoding="utf-8"))

    assert kept.items() >= answers.items()
    assert {"_commit", "_src_path"} <= kept.keys()


@every_combination
def test_every_setting_is_in_the_example_of_the_environment(
    render: Render, answers: Answers
) -> None:
    rendered = texts(render(**answers))
    settings = [
        text
        for path, text in rendered.items()
        if path.endswith(("/drivers/settings.py", "/http/_settings.py", "/workers/settings.py"))
    ]
    fields = re.findall(
        r"^    ((?:database|http|worker)_\w+): .* = .*$", "".join(settings), re.MULTILINE
    )
    defaults = {field.upper() for field in fields}
    if (answers["mode"], answers["database"]) == ("sync", "sqlite"):
        defaults.remove("DATABASE_GRACE_PERIOD")  # no effect: no server could hang

    in_example = re.findall(
        r"^#((?:DATABASE|HTTP|WORKER)_\w+)=", rendered[".env.example"], re.MULTILINE
    )

    assert sorted(in_example) == sorted(defaults)


@every_combination
def test_the_readme_is_one_page_and_the_instructions_for_agents_are_short(
    render: Render, answers: Answers
) -> None:
    rendered = texts(render(**answers))

    assert len(rendered["README.md"].split()) < 900
    assert len(rendered["AGENTS.md"].splitlines()) <= 60


PAGES = ("README.md", "AGENTS.md", "docs/errors.md", "docs/ownership.md", "docs/testing.md")


@every_combination
def test_the_pages_of_a_project_name_only_what_is_there(render: Render, answers: Answers) -> None:
    project = render(**answers)
    rendered = texts(project)
    recipes = {*re.findall(r"^([a-z][\w-]*)[^:=\n]*:(?!=)", rendered["justfile"], re.MULTILINE)}
    errors = {*re.findall(r"^class (\w+)", rendered[f"{KERNEL}/core/errors.py"], re.MULTILINE)}
    code = "".join(text for path, text in rendered.items() if path.endswith(".py"))
    defined = {*re.findall(r"(?:def|class) (\w+)", code), *dir(Session)}
    places = [project, project / "src/task_queue", ROOT]

    for page in PAGES:
        text = rendered[page]
        spans = re.findall(r"`([^`\n]+)`", text)
        lines = [*spans, *re.findall(r"^(?:uv|just) .*$", text, re.MULTILINE)]
        run = {name for line in lines for name in re.findall(r"\bjust ([a-z][\w-]*)", line)}
        links = {link.partition("#")[0] for link in re.findall(r"\]\(([^)#]+)", text)}
        paths = {span for span in spans if re.fullmatch(r"/?[\w.-]+/[\w./-]*", span)}
        calls = {name for span in spans for name in re.findall(r"(\w+)\(", span)}
        missing = {
            path for path in paths if not any((at / path.strip("/")).exists() for at in places)
        }
        assert run - recipes == set(), page
        assert {link for link in links if ":" not in link} - rendered.keys() == set(), page
        assert missing - {".venv/", "tests/customers/factory.py"} == set(), page
        if page == "AGENTS.md":
            named = {span for span in spans if re.fullmatch(r"(?:[A-Z][a-z]+){2,}", span)}
            assert len(named) >= 6
            assert named - errors - {"DomainError", "DetachedInstanceError"} == set()
            assert calls - defined - OF_LIBRARIES == set()


@every_combination
def test_a_new_project_has_every_fix_switched_on(render: Render, answers: Answers) -> None:
    folder = render(**answers)
    settings = (folder / "src/task_queue/settings.py").read_text(encoding="utf-8")
    fixes = (folder / "src/task_queue/persistence/drivers/settings.py").read_text(encoding="utf-8")

    [begins] = re.findall(r"database_defaults: date = date\((.*)\)", settings)

    days = [date.fromisoformat(day) for day in re.findall(r'= since\("(.*)"\)', fixes)]
    assert max(days) <= date(*map(int, begins.split(", ")))


@every_combination
def test_nothing_of_the_machine_is_rendered(
    render: Render, answers: Answers, template: Path
) -> None:
    folder = render(**answers)

    rendered = texts(folder)
    for place in (ROOT, template.parent, Path.home()):
        found = [path for path, text in rendered.items() if f"{place}/" in text]
        found = [path for path in found if path != ".copier-answers.yml"]
        assert not found, f"{place} is in {found}"


def test_paths_work_on_every_system(render: Render) -> None:
    paths = {path for answers in ALL for path in tree(render(**answers))}

    for path in [*paths, *TEMPLATE_PATHS]:
        assert len(path) <= 120, path
        assert not set(path) & set('"<>:|?*\\'), path


def test_a_template_path_has_no_condition_and_its_suffix_means_that_it_differs() -> None:
    for path in TEMPLATE_PATHS:
        differs = JINJA.search((ROOT / "template" / path).read_text(encoding="utf-8"))
        assert "{% if" not in path
        assert differs or not path.endswith(".jinja"), f"{path} has nothing to render"


# The others create their tables in a separate database.
IN_ITS_DATABASE = (
    *("flaws", "library", "test_autogenerate", "test_migrations", "test_output", "test_rebuild"),
)
MADE = re.compile(r'(?:__tablename__ = |\bTable\(\s*)["\']([^"\']+)|CREATE TABLE (\w+)')
OF_THE_PROJECT = {"task_event", "alembic_version"}


def test_tables_of_the_kernels_tests_have_names_that_no_team_gives() -> None:
    tests = ROOT / "template/tests"
    files = [path for path in tests.rglob("*") if path.suffix in (".py", ".jinja")]

    found = {
        f"{file.relative_to(tests)}: {name}"
        for file in files
        if file.name.partition(".")[0] in IN_ITS_DATABASE
        for name in map("".join, MADE.findall(file.read_text()))
        if not name.startswith("kernel_") and name not in OF_THE_PROJECT
    }
    assert found <= {"persistence/test_autogenerate.py.jinja: theirs"}  # in a separate schema


@pytest.mark.parametrize("answers", [*MANY_VALUES, *WAYS_IN], ids=name)
def test_the_page_on_ownership_lists_only_existing_files(render: Render, answers: Answers) -> None:
    project = render(**answers)
    page = (project / "docs/ownership.md").read_text()

    listed = re.findall(r"`(/[^`]+)`", page)
    assert len(listed) >= 15
    assert [path for path in listed if not any(map(matcher([path]), tree(project)))] == []
