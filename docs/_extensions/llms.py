"""llms.txt: the title of each page, its link and its first sentence, for language models."""

import re

from docutils import nodes
from sphinx.application import Sphinx


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("build-finished", write)


def write(app: Sphinx, error: Exception | None) -> None:
    """Write it beside the pages, in the order of the tables of contents."""
    config, env = app.config, app.env
    lines = [f"# {config.project}", "", "> SQLAlchemy projects whose sessions are hard to misuse."]
    for section in env.toctree_includes["index"]:
        lines += ["", f"## {env.titles[section].astext()}", ""]
        for page in env.toctree_includes.get(section, [section]):
            url = f"{config.html_baseurl}{app.builder.get_target_uri(page)}"
            about = first_sentence(env.get_doctree(page))
            lines.append(f"- [{env.titles[page].astext()}]({url}): {about}")
    (app.outdir / "llms.txt").write_text("\n".join([*lines, ""]), encoding="utf-8")


def first_sentence(page: nodes.document) -> str:
    """The first one that is more than a date or a label."""
    texts = (" ".join(part.astext().split()) for part in page.findall(nodes.paragraph))
    sentences = (sentence for text in texts for sentence in re.split(r"(?<=[.:]) ", text))
    return re.sub(":$", ".", next(sentence for sentence in sentences if len(sentence) > 30))
