"""Find the ways in which sessions go wrong, in a project of the template: every finding is an error.

What follows is for ast-grep. What an update has brought is only warned of until the next one, which
takes the file `tools/ast-grep/new` away.
"""

import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

from ..examining.explaining import names, page, section
from ..examining.scan import AST_GREP, CONFIG

NEW = Path("tools/ast-grep/new")
OWN = Path("sgconfig.yml")  # where a team has rules of its own


def main(arguments: Sequence[str]) -> int:
    """Scan the project by the template's rules, then by its own."""
    parser = ArgumentParser(prog="just rules", description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--explain",
        nargs="?",
        const="",
        metavar="RULE",
        help="print what a rule finds and what is right instead; without RULE every rule",
    )
    parser.add_argument("words", nargs="...", metavar="ARGUMENT", help="for ast-grep: a path")
    options, more = parser.parse_known_args(arguments)
    if options.explain is not None:
        return explain(options.explain)
    words = [*more, *options.words]
    level = "--warning" if NEW.exists() else "--error"
    codes = [scan("--config", CONFIG, level, *words)]
    if OWN.exists():
        codes.append(scan(*words))
    return max(codes)


def explain(rule: str) -> int:
    """Print the page, or the section of one rule; the exit code."""
    if rule and rule not in names():
        print(f"refused: there is no rule {rule}; there are {', '.join(names())}", file=sys.stderr)
        return 2
    print(section(rule) if rule else page(), end="")
    return 0


def scan(*words: str | Path) -> int:
    """ast-grep's exit code."""
    try:
        # The tests of the kernel go wrong on purpose.
        command = [AST_GREP, "scan", "--globs=!tests/persistence", *words]
        return subprocess.run(command, check=False).returncode
    except FileNotFoundError:
        print("refused: ast-grep is not installed beside sessionproof", file=sys.stderr)
        return 2
