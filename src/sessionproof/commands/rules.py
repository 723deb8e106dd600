"""Find misused database sessions in this project. Every finding is an error.

On PostgreSQL, also find changes in new migrations that are unsafe while people use the database.
Other arguments go to ast-grep. Rules that an update has brought only warn until the next update,
which deletes the file `tools/ast-grep/new`.
"""

import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

from ..examining.explaining import names, page, section
from ..examining.revisions import WAY_OUT, RevisionsError, unsafe_changes
from ..examining.scan import AST_GREP, CONFIG

NEW = Path("tools/ast-grep/new")
OWN = Path("sgconfig.yml")  # if it exists, the team has its own rules


def main(arguments: Sequence[str]) -> int:
    """Scan the project with the template's rules, then with its own."""
    parser = ArgumentParser(prog="just rules", description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--explain",
        nargs="?",
        const="",
        metavar="RULE",
        help="print what RULE finds and what to write instead; without RULE, print every rule",
    )
    parser.add_argument(
        "words", nargs="...", metavar="ARGUMENT", help="passed on to ast-grep, for example a path"
    )
    options, more = parser.parse_known_args(arguments)
    if options.explain is not None:
        return explain(options.explain)
    words = [*more, *options.words]
    level = "--warning" if NEW.exists() else "--error"
    codes = [scan("--config", CONFIG, level, *words)]
    if OWN.exists():
        codes.append(scan(*words))
    if not words:
        codes.append(check_revisions())
    return max(codes)


def check_revisions() -> int:
    """Print the unsafe changes in new revisions, and return the exit code."""
    try:
        found = unsafe_changes(Path())
    except RevisionsError as error:
        print(f"refused: {error}", file=sys.stderr)
        return 2
    if found:
        print(*found, WAY_OUT, sep="\n")
    return 1 if found else 0


def explain(rule: str) -> int:
    """Print the page or the section of one rule, and return the exit code."""
    if rule and rule not in names():
        print(
            f"refused: there is no rule {rule}; the rules are {', '.join(names())}", file=sys.stderr
        )
        return 2
    print(section(rule) if rule else page(), end="")
    return 0


def scan(*words: str | Path) -> int:
    """Run ast-grep, and return its exit code."""
    try:
        # The kernel's tests misuse sessions on purpose.
        command = [AST_GREP, "scan", "--globs=!tests/persistence", *words]
        return subprocess.run(command, check=False).returncode
    except FileNotFoundError:
        print("refused: ast-grep is not installed beside sessionproof", file=sys.stderr)
        return 2
