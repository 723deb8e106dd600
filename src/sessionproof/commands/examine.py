"""Find code in any Python project that uses database sessions in a way that went wrong for others.

The exit code is 0 if there is no error, 1 if there is one, and 2 if nothing was examined.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from ..examining.findings import LEVELS, Examination
from ..examining.page import page
from ..examining.sarif import sarif
from ..examining.scan import ScanError, examine
from ..examining.text import show

PLACES = 5


def main(arguments: Sequence[str]) -> int:
    """Examine the folder, and print or write the findings."""
    options = parse(arguments)
    try:
        with Console(stderr=True).status("Examining …"):
            examination = examine(options.folder)
        report(options, examination)
    except (ScanError, OSError) as reason:
        print(reason, file=sys.stderr)
        return 2
    return 1 if examination.at_least("error") else 0


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="examine", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="the folder of the project")
    parser.add_argument(
        "--all", action="store_true", help=f"list every place, not only {PLACES} for each rule"
    )
    parser.add_argument(
        "--min",
        choices=LEVELS,
        default="warning",
        help="list this level and worse ones (default: warning)",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON document, for programs")
    form.add_argument("--sarif", action="store_true", help="print SARIF 2.1.0, for code scanning")
    form.add_argument("--html", type=Path, metavar="FILE", help="write a page to FILE, for people")
    return parser.parse_args(arguments)


def report(options: argparse.Namespace, examination: Examination) -> None:
    """Print or write the findings in the chosen form."""
    findings = examination.at_least(options.min)
    if options.json:
        listed = [asdict(finding) for finding in findings]
        print(json.dumps(asdict(examination) | {"findings": listed}, indent=2))
    elif options.sarif:
        print(json.dumps(sarif(options.folder, findings), indent=2))
    elif options.html:
        name = options.folder.resolve().name
        options.html.write_text(page(name, examination, findings), encoding="utf-8")
        print(f"{examination}\nwritten to {options.html}")
    else:
        show(examination, findings, places=None if options.all else PLACES)
