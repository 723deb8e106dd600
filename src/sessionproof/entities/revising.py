"""Write the revision for changes of the models. `just entity` runs this file with the project's Python.

`python revising.py "add customer"` brings an empty database of its own to the newest revision and compares
it with the models. It does not touch the database that DATABASE_URL names. Columns that are named after
the message, as `invoice.status`, are compared with the values in rows when the revision runs.
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
    """Write it, unless nothing has changed; returns the reason if that cannot be done."""
    sys.path.insert(0, "")  # for the tests of the project
    migrations = import_module(f"{answer('package')}.persistence.migrations")
    try:
        with empty_database() as settings:
            return write(migrations, settings, message, retyped)
    except RuntimeError as error:  # there is no server
        return str(error)


def answer(question: str) -> str:
    """What the project has answered; this Python may have no library for YAML."""
    found = re.search(rf"^{question}: ['\"]?(\w+)", ANSWERS.read_text("utf-8"), re.MULTILINE)
    return found[1] if found else ""


@contextmanager
def empty_database() -> Iterator[Any]:
    """The settings of a database for the time of the block, as the test kit makes them."""
    new_database = import_module("tests.kit.databases").new_database
    if answer("database") == "sqlite":
        with TemporaryDirectory() as folder:
            yield new_database(Path(folder))
    else:
        server = import_module("tests.kit.postgresql").running_server()
        with server as url, new_database(url) as settings:
            yield settings


def write(migrations: Any, settings: Any, message: str, retyped: tuple[str, ...]) -> str | None:
    """Migrate the database, and write what the models have more; returns the reason if it fails."""
    try:
        heads = ScriptDirectory.from_config(config()).get_heads()
        if len(heads) > 1:
            return f"revisions {', '.join(heads)} are all the last; first: alembic merge heads"
        migrations.upgrade(settings)
    except Exception as error:
        reason = next(iter(str(error).splitlines()), "")
        return f"the migrations do not run on an empty database: {type(error).__name__}: {reason}"
    command.revision(config(settings=settings, retyped=[*retyped]), message, autogenerate=True)
    return None


def config(**attributes: object) -> Config:
    """Alembic's, of the project. As for its command, a revision that would be empty is not written."""
    options = Namespace(autogenerate=True)
    return Config(toml_file=Path.cwd() / "pyproject.toml", cmd_opts=options, attributes=attributes)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
