"""Check that a unit reports its true outcome if it loses its connection or is interrupted.

`python -m tests.fuzz.causes --each 1000000` strikes at every step, in every variant; `--each 10`
at about ten of each unit. `--python 3.13.0 --eager` does so on another Python that uv finds, with
asyncio's eager tasks.
"""

import re
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from ..support.repository import ROOT
from ..support.shell import run, run_there
from ..support.variants import VARIANTS, Answers, name
from .campaign import Counts, command_line, count_all
from .inside import project_with

PATIENCE = 12 * 3600  # seconds


@dataclass
class Tally(Counts):
    """The number of strikes. After each one, the outcome was true and nothing leaked."""

    strikes: int = 0


def strike(answers: Answers, *, at_most: int, python: str | None, eager: bool) -> Tally:
    """Let every cause strike at about so many steps of each unit, in one variant."""
    with TemporaryDirectory() as folder, project_with("test_causes.py", folder, answers) as project:
        interpreter = environment(project, python) if python else Path(sys.executable)
        said = run_there(
            *(str(interpreter), "-m", "pytest", "tests/persistence/test_causes.py"),
            *("-q", "-rP", "-m", "", "-p", "no:cacheprovider"),
            project=project,
            patience=PATIENCE,
            AT_MOST=str(at_most),
            EAGER=str(int(eager)),
        )
    return Tally(sum(map(int, re.findall(r"^STRUCK (\d+)$", said, re.MULTILINE))))


def environment(project: Path, python: str) -> Path:
    """Create the template's environment for another Python, and return its interpreter."""
    place = project.parent / "environment"
    run("uv", "sync", "--frozen", "--python", python, folder=ROOT, UV_PROJECT_ENVIRONMENT=place)
    return place / "bin/python"


def main() -> None:
    """Strike in every variant."""
    parser = command_line("tests.fuzz.causes", __doc__, each=10)
    parser.add_argument("--python", help="for example 3.13.0; ours by default")
    parser.add_argument(
        "--eager", action="store_true", help="async: with eager tasks, from 3.12 on"
    )
    parser.add_argument("--only", nargs="+", choices=[*map(name, VARIANTS)], metavar="VARIANT")
    options = parser.parse_args()
    sets = {
        name(answers): partial(
            strike, answers, at_most=options.each, python=options.python, eager=options.eager
        )
        for answers in VARIANTS
        if not options.only or name(answers) in options.only
    }
    sys.exit(not count_all(Tally, sets, options.jobs))


if __name__ == "__main__":
    main()
