"""Run Schemathesis against the API of each variant: all its phases and checks.

`python -m tests.fuzz.schemas --seconds 600` serves a project with the example and entities of every
type in each variant, and sends requests for ten minutes. It fails if Schemathesis finds a failure.

It leaves out WebSockets, simultaneous requests, and users: the projects have no authentication. It
looks at descriptions and single answers, not at what the rows should be. A valid request may be
refused, and an invalid one accepted, for the reasons in `tests/fuzz/schemas_hooks.py`.
"""

import re
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from ..conftest import copy_files
from ..support.browser import serving
from ..support.entities import ENTITIES
from ..support.project import copy
from ..support.repository import ROOT
from ..support.shell import run, stop_servers
from ..support.variants import VARIANTS, Answers, name
from .campaign import Counts, command_line, count_all
from .entity_trial import migrate


@dataclass
class Tally(Counts):
    """The number of requests that Schemathesis generated, all of them without a failure."""

    cases: int = 0


def explore(answers: Answers, *, seconds: int, start: int = 0) -> Tally:
    """Send requests to one variant for that long; fail if a response is wrong."""
    with TemporaryDirectory() as folder:
        place = Path(folder).resolve()
        place.chmod(0o755)  # if root runs the tests, PostgreSQL's server runs as another user
        copy_files(ROOT, place / "template")
        served: Answers = {**answers, "http": True, "entities": ENTITIES}
        project = copy(place / "template", place / "project", served)
        try:
            migrate(project)
            with serving(project) as address:
                said = run(
                    *("schemathesis", "run", f"{address}/openapi.json", "--no-color"),
                    *("--max-time", str(seconds), "--seed", str(start), "--continue-on-failure"),
                    "--exclude-checks",  # the hooks replace them
                    "positive_data_acceptance,negative_data_rejection",
                    folder=place,
                    patience=seconds + 600,
                    PYTHONPATH=ROOT,
                    SCHEMATHESIS_HOOKS="tests.fuzz.schemas_hooks",
                ).stdout
        finally:
            stop_servers(place)
    found = re.search(r"([\d,]+) generated", said)
    assert found, said
    return Tally(int(found[1].replace(",", "")))


def main() -> None:
    """Explore every variant."""
    parser = command_line("tests.fuzz.schemas", __doc__)
    parser.add_argument("--seconds", type=int, default=600, help="in each variant (%(default)s)")
    parser.add_argument("--only", nargs="+", choices=[*map(name, VARIANTS)], metavar="VARIANT")
    options = parser.parse_args()
    sets = {
        name(answers): partial(explore, answers, seconds=options.seconds, start=options.start)
        for answers in VARIANTS
        if not options.only or name(answers) in options.only
    }
    sys.exit(not count_all(Tally, sets, options.jobs))


if __name__ == "__main__":
    main()
