"""Render programs and tests into a project, with its names and in its mode."""

from pathlib import Path

from .repository import COPIER, jinja
from .variants import Answers, driver


def tokens(answers: Answers) -> dict[str, object]:
    """The answers of copier.yml, and the names that every variant has."""
    is_async = answers["mode"] == "async"
    return {
        **answers,
        "package": "task_queue",
        "is_async": is_async,
        "driver": driver(answers),
        "async_": "async " if is_async else "",
        "await_": "await " if is_async else "",
        "a_": "a" if is_async else "",
        "Async_": "Async" if is_async else "",
        "owner": "task" if is_async else "thread",
    }


def rendered(file: Path, answers: Answers) -> str:
    """The program, rendered for the variant."""
    return jinja(file.parent, COPIER).get_template(file.name).render(tokens(answers))
