"""Programs that are rendered into a project and run there."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...conftest import copy_files
from ...support.inside import rendered
from ...support.project import copy
from ...support.repository import ROOT
from ...support.shell import stop_servers
from ...support.variants import Answers

HERE = Path(__file__).parent


@contextmanager
def project_with(program: str, folder: str, answers: Answers) -> Iterator[Path]:
    """Render the variant into the folder, with the program next to its contract suite."""
    place = Path(folder).resolve()
    place.chmod(0o755)  # if root runs the tests, PostgreSQL's server runs as another user
    copy_files(ROOT, place / "template")
    with_suite: Answers = {**answers, "contract": True}
    project = copy(place / "template", place / "project", with_suite)
    text = rendered(HERE / f"{program}.jinja", answers)
    (project / "tests/persistence" / program).write_text(text, encoding="utf-8")
    try:
        yield project
    finally:
        stop_servers(place)
