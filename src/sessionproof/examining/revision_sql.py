"""Print the statements of revisions, as JSON. `just rules` runs this file with the project's Python.

`python revision_sql.py PACKAGE` reads every revision with a line `unsafe = …`, which newer projects
write into each new one. It needs no database.
"""

import json
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from alembic.script import Script, ScriptDirectory

WITHOUT_DATABASE = object()  # in place of the settings, which may need the team's secrets


def main(package: str) -> None:
    """Print one line for each revision, the oldest first."""
    migrations = import_module(f"{package}.persistence.migrations")
    for script in checked(ScriptDirectory(str(migrations.MIGRATIONS))):
        print(json.dumps(described(migrations, script)))


def checked(scripts: ScriptDirectory) -> Iterator[Script]:
    """Yield the revisions to check. A merge of two branches has no statements."""
    for script in reversed([*scripts.walk_revisions()]):
        is_merge = isinstance(script.down_revision, tuple)
        if hasattr(script.module, "unsafe") and not is_merge:
            yield script


def described(migrations: Any, script: Script) -> dict[str, Any]:
    """Return the path, the statements or the reason why there are none, and the allowed rules."""
    found = {"path": str(Path(script.path).relative_to(Path.cwd())), "sql": "", "problem": ""}
    after = f"{script.down_revision}:" if script.down_revision else ""
    try:
        found["sql"] = migrations.upgrade_sql(WITHOUT_DATABASE, f"{after}{script.revision}")
    except Exception as error:  # the revision reads from the database, for example
        found["problem"] = f"{type(error).__name__}: {error}".splitlines()[0]
    return {**found, "allowed": [*script.module.unsafe]}


if __name__ == "__main__":
    main(*sys.argv[1:])
