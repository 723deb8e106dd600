"""Tests and programs beside a project's contract tests, with its own names and in its own mode."""

import shutil
from pathlib import Path

from ...support.inside import rendered
from ...support.repository import ROOT
from ...support.variants import Answers

HERE = Path(__file__).parent
PACKAGE = "src/sessionproof"


def add_copying(project: Path, answers: Answers) -> None:
    """Let the project have the package that copies, as `copy-rows` does, and the tests of it."""
    for file in HERE.glob("*.jinja"):
        text = rendered(file, answers)
        (project / "tests/persistence" / file.stem).write_text(text, encoding="utf-8")
    (project / PACKAGE).mkdir()
    shutil.copy2(ROOT / PACKAGE / "__init__.py", project / PACKAGE)
    shutil.copytree(ROOT / PACKAGE / "copying", project / PACKAGE / "copying")
