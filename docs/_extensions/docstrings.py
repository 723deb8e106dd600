"""The kernel's docstrings and signatures, as autodoc shows them on the page of the API."""

import re
from importlib import import_module
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.typing import stringify_annotation

KERNEL = "task_queue.persistence"

kernel = import_module(KERNEL)
PUBLIC = frozenset(kernel.__all__)
ERRORS = frozenset(name for name in PUBLIC if name in vars(kernel.core.errors))
ALIASES = {
    stringify_annotation(kernel.rows.repository.Orders, "smart"): "Orders",
    stringify_annotation(kernel.rows.page.Order, "smart"): "Order",
    stringify_annotation(kernel.Isolation, "smart"): "Isolation",
}
ALIAS = re.compile("|".join(map(re.escape, ALIASES)))


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", as_rst)
    app.connect("autodoc-process-signature", short_signature)
    app.connect("missing-reference", find_public_name)
    hide_overloads("rows.repository")
    hide_overloads("units.database")


def as_rst(
    app: Sphinx, what: str, name: str, documented: object, options: Any, lines: list[str]
) -> None:
    """Turn a docstring into reStructuredText: its names in backticks, lists and indented code."""
    prose_and_code = re.split(r"((?:^ {4}.*\n+)+)", "\n".join([*lines, ""]), flags=re.MULTILINE)
    for place, part in enumerate(prose_and_code):
        if place % 2:
            prose_and_code[place] = f".. code-block:: python\n\n{part}\n"
        else:
            listed = re.sub(r"(?m)^(`[^`]+`: )", r"\n- \1", part)
            prose_and_code[place] = re.sub(r"`([^`]+)`|\b[A-Z]\w+", with_link, listed)
    lines[:] = "".join(prose_and_code).splitlines()


def with_link(match: re.Match[str]) -> str:
    """Link to a public name in backticks and to an error; anything else in backticks is code."""
    code, word = match[1], match[1] or match[0]
    if word in (PUBLIC if code else ERRORS):
        return f":py:obj:`~{KERNEL}.{word}`"
    return f"``{code}``" if code else word


def short_signature(
    app: Sphinx, what: str, name: str, documented: object, options: Any, *parts: str | None
) -> tuple[str | None, ...]:
    """Show an alias by its name instead of the union that it stands for."""
    return tuple(part and ALIAS.sub(lambda match: ALIASES[match[0]], part) for part in parts)


def find_public_name(
    app: Sphinx, env: BuildEnvironment, node: nodes.Element, content: nodes.TextElement
) -> nodes.reference | None:
    """Find a name as the package exports it, not in the module that defines it."""
    name = node.get("reftarget", "").rpartition(".")[2]
    if node.get("refdomain") != "py" or name not in PUBLIC:
        return None
    target = f"{KERNEL}.{name}"
    domain = env.get_domain("py")
    return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", target, node, content)


def hide_overloads(module: str) -> None:
    """Show one signature instead of several: that of the body has every parameter."""
    source = ModuleAnalyzer.for_module(f"{KERNEL}.{module}")
    source.analyze()
    source.overloads.clear()
