"""The documentation site: `just docs` builds it, and any warning is an error."""

import re
import shutil
import sys
import warnings
from pathlib import Path

import copier

ROOT = Path(__file__).parents[1]
PROJECT = ROOT / "build" / "task-queue"  # a project with the default answers, for autodoc


def render_project() -> None:
    """Render the files as they are, committed or not, and let Python import from them."""
    shutil.rmtree(PROJECT.parent / "template", ignore_errors=True)
    template = PROJECT.parent / "template"
    shutil.copytree(ROOT / "template", template / "template")
    shutil.copytree(ROOT / "macros", template / "macros")
    shutil.copy2(ROOT / "copier.yml", template)
    shutil.rmtree(PROJECT, ignore_errors=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Copier finds no version of the template
        copier.run_copy(str(template), PROJECT, defaults=True, quiet=True)
    sys.path[:0] = [str(PROJECT), str(PROJECT / "src")]


render_project()

project = "Sessionproof"
author = "the Sessionproof contributors"
version = release = re.findall(r"^## (\d\S*)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)[0]

extensions = ["myst_parser", "sphinx.ext.autodoc"]
nitpicky = True
suppress_warnings = ["myst.header"]  # the headings of rules.md begin at the third level

html_theme = "furo"
html_title = f"Sessionproof {version}"
html_copy_source = False
html_show_copyright = False

myst_heading_anchors = 6
myst_enable_extensions = ["attrs_inline"]
