# /// script
# requires-python = ">=3.11"
# ///
"""Say who owns which file: the class of each, by the patterns in ownership.toml."""

import json
import subprocess
import sys
import tomllib
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

PROJECT = Path(__file__).parent.parent
UNNAMED = "yours"  # what the template did not write


def main() -> int:
    """Print a line for each file that git tracks, class by class."""
    parser = ArgumentParser(prog="just owned", description=__doc__)
    parser.add_argument("paths", nargs="*", metavar="PATH", help="a file or a folder, not all")
    parser.add_argument("--json", action="store_true", help="print one document")
    wish = parser.parse_args()
    try:
        owners = owned([str(Path(path).resolve()) for path in wish.paths])
    except subprocess.CalledProcessError as error:
        print(f"refused: {error.stderr.splitlines()[0]}", file=sys.stderr)
        return 2
    if wish.json:
        print(json.dumps(owners, indent=2))
    else:
        print("\n".join(f"{owner:<8}{path}" for path, owner in owners.items()))
    return 0


def owned(paths: Sequence[str]) -> dict[str, str]:
    """Each file and its class, in the order of the classes."""
    text = (PROJECT / "tools/ownership.toml").read_text(encoding="utf-8")
    classes: dict[str, list[str]] = tomllib.loads(text)
    place = git("rev-parse", "--show-prefix").strip()
    files = git("ls-files", "-z", "--error-unmatch", "--", *(paths or ["."])).split("\0")
    left = {file for file in files if file}
    owners: dict[str, str] = {}
    for owner, patterns in classes.items():
        # git itself matches them, as it would in a .gitignore at the root of the repository.
        excludes = [f"--exclude=/{place}{pattern.removeprefix('/')}" for pattern in patterns]
        named = left.intersection(git("ls-files", "-z", "-c", "-i", *excludes).split("\0"))
        owners |= dict.fromkeys(sorted(named), owner)
        left -= named
    return owners | dict.fromkeys(sorted(left), UNNAMED)


def git(*arguments: str) -> str:
    """What git prints, in the project's folder. Raises CalledProcessError."""
    return subprocess.run(
        ["git", *arguments], cwd=PROJECT, capture_output=True, encoding="utf-8", check=True
    ).stdout


if __name__ == "__main__":
    sys.exit(main())
