"""Render the findings as one self-contained HTML page."""

from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from .findings import Examination, Finding, amount, by_incident, count
from .incidents import TITLES


def page(name: str, examination: Examination, findings: list[Finding]) -> str:
    """Return the page about the project with this name."""
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
    """Return a Jinja environment for HTML."""
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
    """Return a rule's note as HTML."""
    return Markup(MarkdownIt("commonmark", {"html": False}).render(text))
