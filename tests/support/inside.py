"""Programs and tests that are rendered into a project, with its own names and in its own mode."""

from pathlib import Path

from .repository import COPIER, jinja
from .variants import Answers, driver


def tokens(answers: Answers) -> dict[str, object]:
    """As in copier.yml, and the names of what every variant has."""
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
    """The program in the variant's own words."""
    return jinja(file.parent, COPIER).get_template(file.name).render(tokens(answers))
