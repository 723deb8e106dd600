"""`just entity`: its refusals, files, reports and revisions, and later changes of entities."""

import json
import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from markdown_it import MarkdownIt

from sessionproof.commands.entity import REVISING

from .conftest import Render, StartProject
from .support.project import Project, append, contents, copy, edit
from .support.repository import ROOT, git
from .support.shell import ENTITY, UPDATE, clean_environment, run, run_there, stop_servers
from .support.variants import Answers, name
from .test_just_update import ANSWERS, with_answer, with_releases

pytestmark = pytest.mark.slow

BARE: Answers = {"example": False, "ci": "none"}
CUSTOMER = {"name": "str(200) unique", "email": "str(320)?"}
INVOICE = {"number": "str(20) unique", "customer": "customer", "paid": "bool = false"}
MODEL, MANAGER = (f"src/task_queue/customers/{module}.py" for module in ("model", "manager"))
TOTAL = "invoice", "total: decimal(12, 2)"


@pytest.fixture
def project(start_project: StartProject) -> Project:
    """A project with two generated entities, without edits."""
    return start_project(**BARE, entities={"customer": CUSTOMER, "invoice": INVOICE})


def entity(
    project: Project, *arguments: str | Path, status: int = 0
) -> subprocess.CompletedProcess[str]:
    """Run the program like `just entity`, but without a revision and tests."""
    program = (*ENTITY, "--no-checks")
    return run(*program, *arguments, folder=project.path, status=status)


def report(project: Project, *arguments: str | Path, status: int = 0) -> Any:
    """The JSON output."""
    return json.loads(entity(project, "--json", *arguments, status=status).stdout)


def abandon(project: Project) -> None:
    run(*UPDATE, "--abandon", folder=project.path)


def fresh(render: Render, **answers: Any) -> dict[str, bytes]:
    """The files of a new project with these answers."""
    return contents(Project(render(**{**BARE, **answers})))


def edit_above_the_line(project: Project) -> None:
    """Add a field of the team's own, next to one that the template will add."""
    line = "    email: Mapped[str | None] = mapped_column(String(320))\n"
    edit(project, MODEL, line, line + "    fax: Mapped[str | None]\n")
    project.commit()


# Refusals ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "an entity or --file FILE is missing, for example: just entity customer 'name:"),
        (("customer", "phone"), "a field must look like 'name: type', for example"),
        (("customer", "fax: text", "fax: int"), "customer.fax is described twice"),
        (("customer", "fax: str"), "customer.fax must be str with a maximum length"),
        (("order", "name: text"), "order is a keyword of SQL"),
        (("person",), "person must have at least one field"),
        (("--remove",), "--remove needs a name, for example: just entity --remove customer"),
        (("--remove", "nobody"), "there is no nobody; the known names are customer, invoice"),
        (("--remove", "customer.fax"), "there is no customer.fax; the known names are name, email"),
        (("--remove", "customer"), "invoice.customer must be a type or an entity"),
        (("--file", "nowhere.yml"), "nowhere.yml cannot be read as a text file"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_refusal_is_one_sentence_and_changes_nothing(
    project: Project, arguments: tuple[str, ...], reason: str
) -> None:
    before = contents(project)

    refusal = entity(project, *arguments, status=2)

    assert refusal.stdout == ""
    assert re.fullmatch(rf"refused: {re.escape(reason)}[^\n]*\n", refusal.stderr), refusal.stderr
    assert contents(project) == before


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "must describe entities, for example customer: {name: str(200)}, got None"),
        ("- customer", "must describe entities"),
        ("entities: {}", "must describe entities"),
        ("customer:\n\tname: text", "has a tab in line 2; indent YAML with spaces"),
        ("customer: {name: text?}", "is not valid YAML: line 1: expected ',' or '}'"),
        ("a: {b: text}\nc: {d: text}\na: {e: text}", "a is described twice, first in line 1"),
        ("entities:\n  a:\n    b: text\n    b: int", "b is described twice, first in line 3"),
        ("customer: text", "customer must have at least one field, for example name: str(200)"),
        ("no: {a: text}", "False must be a singular noun"),
    ],
)
def test_a_file_that_describes_no_entities_is_refused(
    project: Project, tmp_path: Path, text: str, reason: str
) -> None:
    file = tmp_path / "more.yml"
    file.write_text(text)

    refusal = entity(project, "--file", file, status=2).stderr

    place = f"{file} " if reason.startswith(("must", "has", "is")) else ""
    assert re.fullmatch(rf"refused: {re.escape(place + reason)}[^\n]*\n", refusal), refusal
    assert project.changes() == []


def test_every_mistake_is_a_line(project: Project) -> None:
    refusal = entity(project, "customer", "a: str", "b: int(3)", status=2).stderr

    assert re.findall(r"^refused: (\S+)", refusal, re.MULTILINE) == ["customer.a", "customer.b"]


def test_files_in_the_way_of_an_entity_are_named(project: Project) -> None:
    paths = [
        "src/task_queue/people/ours.py",
        "tests/entrypoints/test_people.py",
        "tests/people/ours.py",
    ]
    for path in paths:
        (project.path / path).parent.mkdir(exist_ok=True)
        append(project, path, b"ours = 1\n")
    project.commit()

    refusal = entity(project, "person", "_plural: people", "name: text", status=2).stderr

    assert refusal.startswith(f"refused: the new entity would overwrite {', '.join(paths)}; ")
    assert project.changes() == []


def test_uncommitted_changes_are_refused(project: Project) -> None:
    append(project, MODEL, b"# ours\n")

    assert "must be committed" in entity(project, *TOTAL, status=2).stderr


@with_releases
def test_a_version_of_the_template_without_entities_is_named(project: Project) -> None:
    with_answer("_commit: .*", "_commit: v0.4.0")(project)

    refusal = entity(project, *TOTAL, status=2).stderr

    assert refusal == "refused: the template at v0.4.0 has no entities yet; run just update first\n"


# Files ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answers",
    [{"database": "sqlite", "mode": "async"}, {"database": "postgresql", "mode": "sync"}],
    ids=name,
)
def test_entities_come_with_their_revision_and_pass_their_tests(
    render: Render, answers: Answers
) -> None:
    described = {"customer": CUSTOMER, "invoice": INVOICE}
    with TemporaryDirectory() as folder:  # PostgreSQL's user cannot enter tmp_path
        project = Project(Path(folder).resolve() / "project")
        shutil.copytree(render(**BARE, **answers), project.path)
        (project.path / "more.yml").write_text(yaml.safe_dump(described, sort_keys=False))
        project.commit()
        program = (*ENTITY, "--json", "--file", "more.yml")
        told = json.loads(run_there(*program, project=project.path))
        stop_servers(project.path)
        after = project.files()
        run("ruff", "format", "--check", "--no-cache", ".", folder=project.path)

    expected = fresh(render, **answers, entities=described)
    assert (told["status"], told["happened"]) == ("updated", "add customer and invoice")
    assert [(check["name"], check["passed"]) for check in told["checks"]] == [
        ("the revision", True),
        ("the tests", True),
    ]
    assert told["revision"].endswith("_add_customer_and_invoice.py")
    assert after.keys() - expected.keys() == {"more.yml", told["revision"]}
    assert {path: after.get(path) for path in expected} == expected


def test_answers_on_a_terminal_are_checked_line_by_line(project: Project) -> None:
    typed = ["order", "person", "name", "name: str", "name: text", ""]

    said = on_a_terminal(project, typed)

    answers = yaml.safe_load((project.path / ANSWERS).read_text())
    assert answers["entities"]["person"] == {"name": "text"}
    assert "order is a keyword of SQL" in said
    assert "a field must look like 'name: type'" in said
    assert "person.name must be str with a maximum length" in said


def test_an_ended_dialogue_changes_nothing(project: Project) -> None:
    said = on_a_terminal(project, ["person", "name: text", "\x04"])

    assert "refused: you ended the dialogue; nothing was changed" in said
    assert project.changes() == []


def on_a_terminal(project: Project, typed: list[str]) -> str:
    """Type these lines on a terminal, and return the output."""
    ours, terminal = pty.openpty()
    program = [*ENTITY, "--no-checks"]
    process = subprocess.Popen(
        program,
        cwd=project.path,
        env=clean_environment(),
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    os.write(ours, "".join(line if line == "\x04" else f"{line}\n" for line in typed).encode())
    said = b""
    try:
        while part := os.read(ours, 4096):
            said += part
    except OSError:  # Linux raises this when the other end is closed
        pass
    os.close(ours)
    process.wait()
    return said.decode()


def test_a_dry_run_reports_the_same_and_changes_nothing(project: Project) -> None:
    before = contents(project)

    rehearsed = report(project, "--dry-run", *TOTAL)

    assert contents(project) == before
    assert rehearsed == {**report(project, *TOTAL), "dry_run": True}


def test_copier_alone_writes_the_same(project: Project, render: Render) -> None:
    described = {"customer": CUSTOMER, "person": {"name": "text"}}

    conflicts = project.update(entities=described)

    assert conflicts == []
    assert contents(project) == fresh(render, entities=described)


# Edits of the team ---------------------------------------------------------------------


def test_another_entity_leaves_the_edited_files_of_the_first_alone(project: Project) -> None:
    paths = [path for path in project.files() if "/customers" in path or "_customers" in path]
    for path in paths:
        append(project, path, b"    # ours\n")
    edit_above_the_line(project)
    before = project.files()

    told = report(project, "person", "_plural: people", "name: text")

    after = project.files()
    assert len(paths) > 10
    assert {path: after[path] for path in paths} == {path: before[path] for path in paths}
    assert told["happened"] == "add person"
    assert "src/task_queue/people/model.py" in told["added"]


def test_a_new_field_reaches_every_file_and_is_named_if_rows_lack_it(
    project: Project, render: Render
) -> None:
    told = report(project, *TOTAL, "note: text?", "kind: str(9) = a?b", "paid: int")

    fields = {"total": "decimal(12, 2)", "note": "text?", "kind": "str(9) = a?b"}
    invoice = {**INVOICE, "paid": "int", **fields}
    assert told["not_filled"] == ["invoice.total"]
    assert told["retyped"] == {"invoice.paid": "bool → int"}
    assert told["happened"] == "change invoice"
    assert len(told["changed"]) >= 6
    assert told["tests"] == ["tests/invoices", "tests/entrypoints/test_invoices.py"]
    assert contents(project) == fresh(render, entities={"customer": CUSTOMER, "invoice": invoice})


def test_a_change_of_a_type_is_named_before_it_happens(project: Project) -> None:
    entity(project, "invoice", "status: enum(draft, sent, paid) = draft")
    project.commit()

    more = entity(project, "--dry-run", "invoice", "status: enum(draft, sent, paid, late)?").stdout
    fewer = entity(project, "--dry-run", "invoice", "status: enum(sent, paid)").stdout

    assert "just migrate converts the rows" not in more
    told = " ".join(fewer.split())
    assert "The type of invoice.status (enum(draft, sent, paid) → enum(sent, paid)) changes" in told


def test_a_new_field_is_merged_into_edited_files(project: Project) -> None:
    append(project, MODEL, b"\n    fax: Mapped[str | None]\n")
    edit(project, MANAGER, '"""The verbs of customers."""', '"""What customers do."""')
    project.commit()

    told = report(project, "customer", "phone: str(20)?")

    assert (told["conflicts"], told["kept"]) == ([], [])
    model = project.files()[MODEL].decode()
    assert "    phone: Mapped[str | None] = mapped_column(String(20))\n" in model
    assert model.endswith("\n    fax: Mapped[str | None]\n")
    assert b"What customers do." in project.files()[MANAGER]


def test_a_conflict_is_explained_and_abandoned_whole(project: Project) -> None:
    edit_above_the_line(project)
    before = contents(project)

    told = run(*(*ENTITY, "customer", "phone: str(20)?"), folder=project.path, status=1).stdout

    marked = project.files()[MODEL].decode()
    assert f"yours first:\n\n- {MODEL}\n\n" in told
    assert "Because of the conflicts, no revision was written and no test was run." in told
    assert 'just migrate, then just revision "change customer"' in told
    assert re.search(r"<<<<<<<.*\n.*fax(.*\n)+=======\n.*phone(.*\n)+>>>>>>>", marked)
    assert not list((project.path / "src/task_queue/migrations/versions").glob("*.py"))
    abandon(project)
    assert contents(project) == before


def test_a_removed_entity_leaves_edited_files(project: Project) -> None:
    edited = [f"src/task_queue/invoices/{module}.py" for module in ("manager", "model")]
    for path in edited:
        append(project, path, b"    # ours\n")
    project.commit()
    before = project.files()

    told = report(project, "--remove", "invoice")

    after = project.files()
    assert told["kept"] == edited
    assert {path: after[path] for path in edited} == {path: before[path] for path in edited}
    assert "tests/invoices/factory.py" in told["deleted"]
    assert not after.keys() & {*told["deleted"]}
    assert b"invoices" not in after["src/task_queue/unit_of_work.py"]
    assert (told["happened"], told["removed"]) == ("remove invoice", ["invoice"])


def test_one_field_is_removed(project: Project, render: Render) -> None:
    report(project, "--remove", "invoice.paid")

    invoice = {field: text for field, text in INVOICE.items() if field != "paid"}
    described = {"customer": CUSTOMER, "invoice": invoice}
    assert contents(project) == fresh(render, entities=described)


def test_an_unchanged_description_changes_nothing(project: Project) -> None:
    said = entity(project, "customer", "email: str(320)?").stdout

    assert said == "\nThe entities have not changed.\n"
    assert project.changes() == []


def test_a_fix_of_the_template_reaches_every_entity(template: Path, tmp_path: Path) -> None:
    later = Project(tmp_path / "template")
    git("clone", "--quiet", "--no-tags", str(template), str(later.path), folder=tmp_path)
    described = {"customer": CUSTOMER, "invoice": INVOICE}
    project = Project(copy(later.path, tmp_path / "project", {**BARE, "entities": described}))
    append(project, MANAGER, b"\n    # ours\n")
    project.commit()
    [pattern] = later.path.glob("template/src/*/*feature*/manager.py.jinja")
    edit(later, pattern.relative_to(later.path).as_posix(), "The verbs of", "What is done with")
    later.commit()

    run(*UPDATE, "--no-checks", "--yes", "--vcs-ref", "HEAD", folder=project.path)

    after = project.files()
    assert b'"""What is done with customers."""' in after[MANAGER]
    assert after[MANAGER].endswith(b"\n    # ours\n")
    assert b'"""What is done with invoices."""' in after["src/task_queue/invoices/manager.py"]


def test_a_file_that_was_deleted_stays_deleted_and_is_named(project: Project) -> None:
    git("rm", "--quiet", "tests/customers/factory.py", folder=project.path)
    project.commit()

    told = report(project, "customer", "phone: str(20)")

    assert told["not_followed"] == ["tests/customers/factory.py"]
    assert "tests/customers/factory.py" not in project.files()


# The revision --------------------------------------------------------------------------


def revision(project: Project, message: str, *, status: int = 0) -> str:
    """Run the program that writes a revision, and return its output."""
    result = run(
        *(sys.executable, str(REVISING), message),
        folder=project.path,
        status=status,
        PYTHONPATH="src",
        DATABASE_URL="sqlite:///not-to-be-touched.db",
    )
    return result.stdout + result.stderr


def test_a_revision_is_written_if_the_models_changed_and_it_is_possible(project: Project) -> None:
    versions = project.path / "src/task_queue/migrations/versions"

    revision(project, "add both")
    nothing = revision(project, "again")

    [first] = versions.glob("*.py")
    assert nothing == "the models have not changed, so there is no revision\n"
    assert not (project.path / "not-to-be-touched.db").exists()

    second = first.with_name("second.py")
    second.write_text(first.read_text().replace('revision = "', 'revision = "b', 1))
    heads = revision(project, "on two", status=1)
    assert re.fullmatch(
        r"there are several heads: \w+, \w+; first run: alembic merge heads\n", heads
    )

    second.unlink()
    first.write_text(first.read_text().replace('op.create_table(\n        "customer"', "op.no("))
    broken = revision(project, "on nothing", status=1)
    assert re.fullmatch(r"the migrations fail on an empty database: \w+Error: .*\n", broken)
    assert [*versions.glob("*.py")] == [first]


# Two branches --------------------------------------------------------------------------


REGISTER = {"theirs": "managers.py", "main": "unit_of_work.py"}


@pytest.fixture(scope="module")
def branches(render: Render, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the branches `main` and `theirs`: each has added and edited an entity."""
    project = Project(tmp_path_factory.mktemp("branches") / "project")
    shutil.copytree(render(**BARE, entities={"customer": CUSTOMER}), project.path)
    project.commit()
    for setting in ("user.name", "user.email"):  # for the git of the documented commands
        git("config", setting, "the tests", folder=project.path)
    revision(project, "add customer")
    project.commit()
    git("branch", "theirs", folder=project.path)
    for branch, added in (("theirs", "product"), ("main", "invoice")):
        git("switch", "--quiet", branch, folder=project.path)
        entity(project, added, "name: text")
        revision(project, f"add {added}")
        project.commit()
        append(project, f"src/task_queue/{added}s/manager.py", b"\n    # edited\n")
        append(project, f"src/task_queue/{REGISTER[branch]}", b"\n    # edited\n")
        project.commit()
    return project.path


@pytest.fixture
def merging(branches: Path, tmp_path: Path) -> Project:
    """A copy of it for one test."""
    return Project(shutil.copytree(branches, tmp_path / "project"))


def test_two_branches_that_each_add_an_entity_are_merged_as_documented(
    merging: Project, render: Render
) -> None:
    page = MarkdownIt().parse((ROOT / "docs/how-to/entities.md").read_text(encoding="utf-8"))
    blocks = [token.content for token in page if token.type == "fence"]
    [recipe] = [block for block in blocks if "just entity --merge" in block]
    here = recipe.replace("uv run just entity", " ".join(ENTITY))

    run_there("bash", "-c", here.replace("uv run just\n", ""), project=merging.path)

    described = {"customer": CUSTOMER, "invoice": {"name": "text"}, "product": {"name": "text"}}
    expected = fresh(render, entities=described)
    after = merging.files()
    edited = sorted(path for path in expected if after[path] != expected[path])
    assert edited == sorted(
        [
            *(f"src/task_queue/{module}" for module in REGISTER.values()),
            *(f"src/task_queue/{plural}/manager.py" for plural in ("invoices", "products")),
        ]
    )
    for path in edited:
        assert after[path] == expected[path] + b"\n    # edited\n"
    assert "have not changed" in revision(merging, "nothing")
    assert merging.changes() == []


def test_a_conflict_of_the_teams_edits_is_not_resolved(merging: Project) -> None:
    append(merging, "src/task_queue/managers.py", b"\n    # ours\n")
    merging.commit()
    merge_theirs(merging)

    told = entity(merging, "--merge", status=1).stdout

    assert "Still in conflict, see git diff:\n\n- src/task_queue/managers.py\n" in told
    left = git("diff", "--name-only", "--diff-filter=U", folder=merging.path)
    assert left == "src/task_queue/managers.py\n"


def test_different_descriptions_of_a_field_are_named(merging: Project) -> None:
    entity(merging, "product", "name: str(9)", "_plural: goods")
    merging.commit()
    merge_theirs(merging)

    refusal = entity(merging, "--merge", status=2).stderr

    assert refusal.startswith("refused: product.name is str(9) here and text there; ")


def test_without_a_merge_there_is_nothing_to_resolve(project: Project) -> None:
    refusal = entity(project, "--merge", status=2).stderr

    assert refusal.startswith("refused: no merge is under way; ")


def merge_theirs(project: Project) -> None:
    run("git", "merge", "theirs", folder=project.path, status=1)
