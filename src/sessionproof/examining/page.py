"""The findings as one page that needs nothing else."""

from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from .findings import Examination, Finding, amount, by_incident, count
from .incidents import TITLES


def page(name: str, examination: Examination, findings: list[Finding]) -> str:
    """The page about the project of this name."""
    return (
        environment()
        .get_template("page.html")
        .render(
            name=name,
            date=f"{datetime.now().astimezone():%Y-%m-%d}",
            examination=examination,
            counts=count(examination.findings),
            incidents=by_incident(findings),
            titles=TITLES,
        )
    )


def environment() -> Environment:
    """Jinja's, for HTML."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"amount": amount, "markdown": markdown}
    return made


def markdown(text: str) -> Markup:
    """A rule's note, with its code and its snippets."""
    return Markup(MarkdownIt("commonmark", {"html": False}).render(text))
