"""The documentation site: `just docs` builds it, and any warning is an error."""

import contextlib
import io
import logging
import os
import re
import shutil
import sys
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

import copier
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.typing import stringify_annotation

from sessionproof.__main__ import COMMANDS
from sessionproof.__main__ import main as sessionproof

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "build"
PROJECT = BUILD / "task-queue"  # a project with the default answers
KERNEL = "task_queue.persistence"


def render_project() -> None:
    """Render the files as they are, committed or not, and let Python import from them."""
    template = BUILD / "template"
    shutil.rmtree(template, ignore_errors=True)
    shutil.copytree(ROOT / "template", template / "template", symlinks=True)
    shutil.copytree(ROOT / "macros", template / "macros")
    shutil.copy(ROOT / "copier.yml", template)
    shutil.rmtree(PROJECT, ignore_errors=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the template has no version
        copier.run_copy(str(template), PROJECT, defaults=True, quiet=True)
    sys.path[:0] = [str(PROJECT), str(PROJECT / "src")]


def write_help() -> None:
    """Write what `--help` prints for each command, for reference/command.md to include."""
    folder = BUILD / "help"
    folder.mkdir(exist_ok=True)
    for command in COMMANDS:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
            sessionproof([command, "--help"])
        (folder / f"{command}.txt").write_text(printed.getvalue(), encoding="utf-8")


def as_rst(
    app: Sphinx, what: str, name: str, documented: object, options: Any, lines: list[str]
) -> None:
    """Make reStructuredText of a docstring: of names in backticks, of lists and of indented code."""
    text = "\n".join([*lines, ""])
    prose_and_code = re.split(r"((?:^ {4}.*\n+)+)", text, flags=re.MULTILINE)
    for place, part in enumerate(prose_and_code):
        if place % 2:
            prose_and_code[place] = f".. code-block:: python\n\n{part}\n"
        else:
            listed = re.sub(r"(?m)^(`[^`]+`: )", r"\n- \1", part)
            prose_and_code[place] = re.sub(r"`([^`]+)`|\b[A-Z]\w+", with_link, listed)
    lines[:] = "".join(prose_and_code).splitlines()


def with_link(match: re.Match[str]) -> str:
    """Link to a public name in backticks and to an error; other backticks mean code."""
    code = match[1]
    if (code or match[0]) in (PUBLIC if code else ERRORS):
        return f":py:obj:`~{KERNEL}.{code or match[0]}`"
    return f"``{code}``" if code else match[0]


def short_signature(
    app: Sphinx, what: str, name: str, documented: object, options: Any, *signature: str | None
) -> tuple[str | None, ...]:
    """Show an alias by its name instead of the union that it stands for."""
    return tuple(part and ALIAS.sub(lambda match: ALIASES[match[0]], part) for part in signature)


def find_public_name(
    app: Sphinx, env: BuildEnvironment, node: nodes.Element, content: nodes.TextElement
) -> nodes.reference | None:
    """Link to where the API page has a name, not to the module that defines it."""
    name = node.get("reftarget", "").rpartition(".")[2]
    if node.get("refdomain") != "py" or name not in PUBLIC:
        return None
    python = env.get_domain("py")
    return python.resolve_xref(
        env, node["refdoc"], app.builder, "obj", f"{KERNEL}.{name}", node, content
    )


def write_llms_txt(app: Sphinx, error: Exception | None) -> None:
    """Write a title, a link and one sentence for each page, for language models: llms.txt."""
    pages = app.env.toctree_includes
    lines = [f"# {project}", "", "> SQLAlchemy projects whose sessions are hard to misuse."]
    for section in pages["index"]:
        lines += ["", f"## {app.env.titles[section].astext()}", ""]
        for page in pages.get(section, [section]):
            url = html_baseurl + app.builder.get_target_uri(page)
            about = first_sentence(app.env.get_doctree(page))
            lines.append(f"- [{app.env.titles[page].astext()}]({url}): {about}")
    (app.outdir / "llms.txt").write_text("\n".join([*lines, ""]), encoding="utf-8")


def first_sentence(page: nodes.document) -> str:
    """The first one that is more than a date or a label."""
    texts = (" ".join(part.astext().split()) for part in page.findall(nodes.paragraph))
    sentences = (sentence for text in texts for sentence in re.split(r"(?<=[.:]) ", text))
    return next(sentence for sentence in sentences if len(sentence) > 30).replace(":", ".")


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("build-finished", write_llms_txt)
    app.connect("autodoc-process-docstring", as_rst)
    app.connect("autodoc-process-signature", short_signature)
    app.connect("missing-reference", find_public_name)


logging.getLogger("alembic").setLevel(logging.WARNING)  # furo shows every logger's information
render_project()
write_help()
kernel = import_module(KERNEL)
PUBLIC = frozenset(kernel.__all__)
ERRORS = frozenset(name for name in PUBLIC if name in vars(kernel.core.errors))
for overloaded in ("rows.repository", "units.database"):  # the last signature has every parameter
    source = ModuleAnalyzer.for_module(f"{KERNEL}.{overloaded}")
    source.analyze()
    source.overloads.clear()
ALIASES = {
    stringify_annotation(alias, "smart"): name
    for name, alias in (
        ("Orders", kernel.rows.repository.Orders),
        ("Order", kernel.rows.page.Order),
        ("Isolation", kernel.Isolation),
    )
}
ALIAS = re.compile("|".join(map(re.escape, ALIASES)))

project = "Sessionproof"
version = release = re.findall(r"(?m)^## (\d\S*)", (ROOT / "CHANGELOG.md").read_text("utf-8"))[0]

extensions = ["myst_parser", "sphinx.ext.autodoc"]
default_role = "code"
nitpicky = True
nitpick_ignore_regex = [("py:.*", ".*")]  # types of other libraries, in signatures
suppress_warnings = ["myst.header"]  # the headings of rules.md begin at the third level

autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
add_module_names = False
python_maximum_signature_line_length = 80
python_use_unqualified_type_names = True

myst_heading_anchors = 6

html_baseurl = os.environ.get("SITE_URL", "")
html_theme = "furo"
html_title = f"Sessionproof {version}"
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
