"""An existing project adopts the template, with the commands of docs/how-to/adopt.md.

The project is in `tests/shop/`.
"""

import shlex
import sys
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest
from markdown_it import MarkdownIt

from .conftest import copy_files
from .support.project import Project
from .support.release import RELEASES
from .support.repository import ROOT, git
from .support.shell import run

pytestmark = pytest.mark.slow

PAGE = MarkdownIt().parse((ROOT / "docs/how-to/adopt.md").read_text(encoding="utf-8"))
BLOCKS = [token.content for token in PAGE if token.type == "fence"]

OLD = "from shop import db, models, orders\nwith db.get_session() as session:\n"

first_release = pytest.mark.parametrize(
    "version",
    RELEASES[:1]
    or [pytest.param("", marks=pytest.mark.skip("no release is in this clone's history"))],
)


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    """The project before it adopts the template."""
    project = Project(tmp_path / "shop")
    copy_files(ROOT / "tests/shop", project.path)
    project.commit()
    return project


@pytest.mark.parametrize(("package", "mode"), [("shop", "sync"), ("shop_data", "async")])
def test_existing_files_stay_and_the_kernels_tests_pass(
    shop: Project, template: Path, package: str, mode: str
) -> None:
    before = shop.files()

    adopt(shop, template, package=package, mode=mode)
    adopted = shop.files()
    shop.commit()
    merge(shop, package, mode)

    assert before.items() <= adopted.items()
    provider = [" M src/shop/db.py"] if package == "shop" else []
    assert shop.changes() == [" M pyproject.toml", *provider, " M tests/conftest.py"]
    # The kernel's tests are the same in both; they take a minute.
    suite = () if package == "shop_data" else ("--ignore=tests/persistence",)
    run("pytest", *suite, folder=shop.path, PYTHONPATH="src")
    run("ruff", "check", folder=shop.path)
    run("ruff", "format", "--check", folder=shop.path)


def test_the_adoption_can_be_undone(shop: Project, template: Path) -> None:
    before = shop.files()

    adopt(shop, template)
    git("clean", "-d", "--force", folder=shop.path)

    assert shop.files() == before
    assert shop.changes() == []


def test_the_templates_version_of_a_file_can_be_compared(shop: Project, template: Path) -> None:
    adopt(shop, template)
    render, compare = block("../shop.template").splitlines()

    copier(render, template, folder=shop.path)
    difference = run(*shlex.split(compare), folder=shop.path, status=1).stdout

    assert '-requires = ["hatchling"]' in difference
    assert '+requires = ["uv_build' in difference


@first_release
def test_an_update_reports_changes_of_existing_files_and_loses_none(
    shop: Project, template: Path, version: str
) -> None:
    own = shop.files()
    adopt(shop, template, version=version)
    shop.commit()

    conflicts = shop.update()
    told = {path: settle(shop, path) for path in conflicts}

    assert "pyproject.toml" in told
    assert [path for path, difference in told.items() if not difference] == []
    assert own.items() <= shop.files().items()
    assert not any(line.startswith("U") for line in shop.changes())


@first_release
def test_an_update_leaves_out_the_files_that_it_is_told_to_and_what_was_deleted(
    shop: Project, template: Path, version: str
) -> None:
    own = shop.files()
    adopt(shop, template, version=version)
    (shop.path / "justfile").unlink()
    shop.commit()

    skipped = "-s /README.md -s /pyproject.toml -s /tests/conftest.py"
    update = f"{block('copier update').strip()} {skipped}"
    copier(update, template, "--defaults", folder=shop.path)

    assert own.items() <= shop.files().items()
    assert not any(line.startswith("U") for line in shop.changes())
    assert " M src/shop/persistence/_template.py" in shop.changes()
    assert not (shop.path / "justfile").exists()


@pytest.mark.parametrize("package", ["shop", "shop_data"])
def test_old_and_new_code_share_a_database_while_one_function_after_the_other_moves(
    shop: Project, template: Path, package: str
) -> None:
    adopt(shop, template, package=package)
    merge(shop, package, "sync")
    move_migrations(shop, package)
    pay = block("orders.pay(uow.session, 1)").replace("from shop.", f"from {package}.")

    in_shop(shop, "alembic", "upgrade", "head")
    program(shop, f"{OLD}    orders.place(session, 'Ada', 250)")
    program(shop, pay)
    paid = program(shop, f"{OLD}    print(session.get(models.Order, 1).paid_at)")
    nested = program(
        shop,
        f"{OLD}    orders.pay(session, 1)\n    session.flush()\n{indent(pay, '    ')}",
        status=1,
    )

    assert paid.startswith("20")
    assert "database is locked" in nested
    in_shop(shop, "alembic", "check")
    in_shop(shop, "pytest", "tests/entrypoints", "tests/persistence/test_migrations.py")


def adopt(
    project: Project,
    template: Path,
    *,
    package: str = "shop",
    mode: str = "sync",
    version: str | None = None,
) -> None:
    """Copy the template over the project."""
    command = block("copier copy -s").replace("package=shop", f"package={package}")
    newest = ["--vcs-ref", version] if version else []
    copier(
        command.replace("mode=sync", f"mode={mode}"),
        template,
        "--defaults",
        *newest,
        folder=project.path,
    )


def merge(project: Project, package: str, mode: str) -> None:
    """Make the manual edits of the page. The packages are those of the test's environment."""
    pytest_settings, ruff_settings = block("[tool.pytest"), block("[tool.ruff]")
    if mode == "async":
        pytest_settings += 'anyio_mode = "auto"\n'
    edit(project, "pyproject.toml", "[tool.pytest.ini_options]\n", pytest_settings)
    edit(
        project,
        "pyproject.toml",
        "[tool.ruff]\n",
        ruff_settings.replace("src/shop/", f"src/{package}/"),
    )
    if package == "shop":
        engine = "engine = create_engine("
        edit(project, "src/shop/db.py", engine, block("second-provider -") + engine)
    with (project.path / "tests/conftest.py").open("a", encoding="utf-8") as conftest:
        conftest.write(f"\n\n{block('pytest_plugins')}")


def move_migrations(project: Project, package: str) -> None:
    """Move the revisions into the new package, as one chain for the project's models."""
    run("bash", "-ec", block("git mv").replace("src/shop", f"src/{package}"), folder=project.path)
    new_import, new_metadata = block("metadata = models").split("\n\n")
    if package != "shop":
        new_import = "from shop import models\n\nfrom . import persistence"
    register = f"src/{package}/unit_of_work.py"
    edit(project, "alembic.ini", "= migrations", f"= src/{package}/migrations")
    edit(project, register, "from . import persistence", new_import)
    edit(project, register, "metadata = persistence.Base.metadata", new_metadata)


def settle(project: Project, path: str) -> str:
    """Return the template's changes of the file, and restore the file as it was before the update."""
    commands = block(":1:").replace("pyproject.toml", path).splitlines()
    difference, *_ = [
        run(*shlex.split(command, comments=True), folder=project.path).stdout
        for command in commands
    ]
    return difference


def block(containing: str) -> str:
    """Return the page's only block with these words."""
    [found] = [content for content in BLOCKS if containing in content]
    return found


def copier(command: str, template: Path, *arguments: str, folder: Path) -> None:
    """Run a command of the page with the Copier of the tests."""
    words = shlex.split(command.replace("<this repository>", str(template)))
    run(*words[1:], *arguments, folder=folder)


def edit(project: Project, path: str, old: str, new: str) -> None:
    """Replace a text that occurs once in the file."""
    text = (project.path / path).read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {path}"
    (project.path / path).write_text(text.replace(old, new), encoding="utf-8")


def in_shop(project: Project, *command: str, status: int = 0) -> str:
    """Run a command that uses the project's code, and return its output."""
    environment: dict[str, Any] = {
        "DATABASE_URL": "sqlite:///shop.db",
        "DATABASE_BUSY_TIMEOUT": "0.2",
    }
    result = run(*command, folder=project.path, status=status, PYTHONPATH="src", **environment)
    return result.stdout + result.stderr


def program(project: Project, text: str, *, status: int = 0) -> str:
    """Run a Python program, and return its output."""
    return in_shop(project, sys.executable, "-c", text, status=status)
