"""An update from any release loses nothing of what a team has done since."""

from pathlib import Path

import pytest

from .histories import Origins
from .release import every_release
from .variants import MANY_VALUES, Answers, name

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def origins(template: Path, shared: Path) -> Origins:
    """Projects of every release, for all workers of this run."""
    return Origins(template, shared / "origins")


@every_release
@pytest.mark.parametrize("answers", MANY_VALUES, ids=name)
def test_an_update_loses_no_line_and_no_file(
    origins: Origins, version: str, answers: Answers
) -> None:
    tally = origins.explore(version, answers, count=2)

    assert tally.lines > 20
