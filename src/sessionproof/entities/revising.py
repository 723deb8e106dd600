"""Write a migration for changed models. `just entity` runs this file with the project's Python.

`python revising.py "add customer"` migrates an empty temporary database to the newest revision, and
compares it with the models. It does not touch the database of DATABASE_URL. Arguments after the message,
such as `invoice.status`, name columns whose existing values the revision checks when it runs.
"""

import re
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

ANSWERS = Path(".copier-answers.yml")


def main(message: str, *retyped: str) -> str | None:
    """Write the revision if the models have changed. Returns the reason if that fails."""
    sys.path.insert(0, "")  # so that `tests.kit` can be imported
    migrations = import_module(f"{answer('package')}.persistence.migrations")
    try:
        with empty_database() as settings:
            return write(migrations, settings, message, retyped)
    except RuntimeError as error:  # no PostgreSQL server could be started
        return str(error)


def answer(question: str) -> str:
    """Return the project's answer. Reads it without PyYAML, which the project may not have."""
    found = re.search(rf"^{question}: ['\"]?(\w+)", ANSWERS.read_text("utf-8"), re.MULTILINE)
    return found[1] if found else ""


@contextmanager
def empty_database() -> Iterator[Any]:
    """Yield the settings of a temporary database that the test kit creates."""
    new_database = import_module("tests.kit.databases").new_database
    if answer("database") == "sqlite":
        with TemporaryDirectory() as folder:
            yield new_database(Path(folder))
    else:
        server = import_module("tests.kit.postgresql").running_server()
        with server as url, new_database(url) as settings:
            yield settings


def write(migrations: Any, settings: Any, message: str, retyped: tuple[str, ...]) -> str | None:
    """Migrate the database and write the revision. Returns the reason if that fails."""
    try:
        heads = ScriptDirectory.from_config(config()).get_heads()
        if len(heads) > 1:
            return f"there are several heads: {', '.join(heads)}; first run: alembic merge heads"
        migrations.upgrade(settings)
    except Exception as error:
        reason = next(iter(str(error).splitlines()), "")
        return f"the migrations fail on an empty database: {type(error).__name__}: {reason}"
    command.revision(config(settings=settings, retyped=[*retyped]), message, autogenerate=True)
    return None


def config(**attributes: object) -> Config:
    """Return the project's configuration of Alembic, as for its `revision` command."""
    options = Namespace(autogenerate=True)
    return Config(toml_file=Path.cwd() / "pyproject.toml", cmd_opts=options, attributes=attributes)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
