"""Run the contract suite (the tests of the kernel's guarantees) against this project's code.

All other arguments go to pytest: `prove -k interrupted`, `prove -m sweep`. The exit code is pytest's.
"""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

from ..proving import count_tests, run_tests, with_suite
from ..updating.origin import followed
from ..updating.project import Project, Refusal
from ._attempt import failed


def main(arguments: Sequence[str]) -> int:
    """Render the suite, run it, and return the exit code."""
    parser = ArgumentParser(prog="just prove", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("pytest", nargs="...", metavar="ARGUMENT", help="passed to pytest: -k name")
    options, more = parser.parse_known_args(arguments)
    project = Project(Path.cwd())
    try:
        project.require_answers()
        answers = project.answers()
        with (
            followed(project, answers, _say, near=project.folder) as (template, version),
            with_suite(project, template, version, answers) as (folder, files),
        ):
            words = [*more, *options.pytest, *files]
            if not options.json:
                return run_tests(project, folder, words)
            counted = count_tests(project, folder, words)
    except Refusal as refusal:
        return failed("refused", str(refusal), options)
    print(json.dumps(counted, indent=2))
    return 0 if counted["status"] == "passed" else 1


def _say(note: str) -> None:
    print(note, file=sys.stderr)  # standard output is for pytest, or for the JSON document
