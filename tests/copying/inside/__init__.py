"""Tests and programs that are rendered next to a project's contract suite."""

import shutil
from pathlib import Path

from ...support.inside import rendered
from ...support.repository import ROOT
from ...support.variants import Answers

HERE = Path(__file__).parent
PACKAGE = "src/sessionproof"


def add_copying(project: Path, answers: Answers) -> None:
    """Add the package `copying` and its tests to the project."""
    for file in HERE.glob("*.jinja"):
        text = rendered(file, answers)
        (project / "tests/persistence" / file.stem).write_text(text, encoding="utf-8")
    (project / PACKAGE).mkdir()
    shutil.copy2(ROOT / PACKAGE / "__init__.py", project / PACKAGE)
    shutil.copytree(ROOT / PACKAGE / "copying", project / PACKAGE / "copying")
