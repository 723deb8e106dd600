"""Files that the pages need: a rendered project for autodoc, and the help of each command."""

import contextlib
import io
import shutil
import sys
import warnings
from pathlib import Path

import copier
from sphinx.application import Sphinx

from sessionproof.__main__ import COMMANDS
from sessionproof.__main__ import main as sessionproof

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build"


def setup(app: Sphinx) -> None:
    """Generate them, and let Python import from the project."""
    write_help(BUILD / "help")
    render(BUILD / "template", BUILD / "task-queue")
    sys.path[:0] = [str(BUILD / "task-queue"), str(BUILD / "task-queue/src")]


def write_help(folder: Path) -> None:
    """Write what `--help` prints into a file for each command."""
    folder.mkdir(parents=True, exist_ok=True)
    for command in COMMANDS:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
            sessionproof([command, "--help"])
        (folder / f"{command}.txt").write_text(printed.getvalue(), encoding="utf-8")


def render(template: Path, project: Path) -> None:
    """Render the default answers from the files as they are, committed or not."""
    for folder in (template, project):
        shutil.rmtree(folder, ignore_errors=True)
    for name in ("template", "macros"):
        shutil.copytree(ROOT / name, template / name, symlinks=True)
    shutil.copy(ROOT / "copier.yml", template)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # this copy of the template has no version
        copier.run_copy(str(template), project, defaults=True, quiet=True)
