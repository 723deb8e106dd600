# /// script
# requires-python = ">=3.11"
# dependencies = ["pyyaml>=6"]
# ///
"""Say who owns which file, by the patterns in ownership.toml; take a file over, or give it back."""

import json
import os
import re
import subprocess
import sys
import tomllib
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

import yaml

from project import ANSWERS, HOOKS, Project, Refusal, taken_over

PROJECT = Path(__file__).parent.parent
UNNAMED = "yours"  # what the template did not write
TAKEN = "taken"  # what it wrote, and the team has taken over
MERGED = ("shared", "kernel")


def main() -> int:
    """Print a line for each file that git tracks, class by class."""
    parser = ArgumentParser(prog="just owned", description=__doc__)
    parser.add_argument("paths", nargs="*", metavar="PATH", help="a file or a folder, not all")
    parser.add_argument("--json", action="store_true", help="print one document")
    change = parser.add_mutually_exclusive_group()
    change.add_argument("--take", action="store_true", help="no update touches PATH from now on")
    change.add_argument("--give-back", action="store_true", help="updates merge PATH again")
    wish = parser.parse_args()
    for name in HOOKS:
        os.environ.pop(name, None)
    try:
        if wish.take or wish.give_back:
            print(take(wish.paths) if wish.take else give_back(wish.paths))
            return 0
        owners = owned([str(Path(path).resolve()) for path in wish.paths])
    except (Refusal, OSError, tomllib.TOMLDecodeError) as refusal:
        print(f"refused: {refusal}", file=sys.stderr)
        return 2
    except subprocess.CalledProcessError as error:
        print(f"refused: {error.stderr.splitlines()[0]}", file=sys.stderr)
        return 2
    if wish.json:
        print(json.dumps(owners, indent=2))
    else:
        print("\n".join(f"{owner:<8}{path}" for path, owner in owners.items()))
    return 0


def take(paths: Sequence[str]) -> str:
    """Let no update touch these files or folders any more. Says so."""
    for path in paths:
        merged = [
            each for each, owner in owned([str(Path(path).resolve())]).items() if owner in MERGED
        ]
        if not merged:
            raise Refusal(f"{path} is yours already: no update touches it")
        if needed := [each for each in merged if each == ANSWERS or each.startswith("tools/")]:
            raise Refusal(f"{needed[0]} is needed for updates, so it stays the template's")
    record({*taken()} | {*map(named, paths)})
    return f"no update touches {', '.join(paths)} any more; commit {ANSWERS}"


def give_back(paths: Sequence[str]) -> str:
    """Let updates merge these files or folders again. Says so."""
    for path in paths:
        if named(path) not in taken():
            listed = ", ".join(taken()) or "nothing"
            raise Refusal(f"{path} is not taken over; you have taken over {listed}")
    record({*taken()} - {*map(named, paths)})
    return f"updates merge {', '.join(paths)} again; commit {ANSWERS}"


def named(path: str) -> str:
    """As it is recorded: relative to the project, a folder with a slash at its end."""
    place = Path(path).resolve()
    name = place.relative_to(PROJECT.resolve()).as_posix()
    return f"{name}/" if place.is_dir() else name


def taken() -> list[str]:
    """What the team has taken over: an answer, so that Copier alone knows it too."""
    answers = Project(PROJECT).answers() if (PROJECT / ANSWERS).exists() else {}
    return taken_over(answers)


def record(paths: set[str]) -> None:
    """Write that answer where the template writes it, in the order of the questions' names."""
    place = PROJECT / ANSWERS
    text = re.sub(r"^ours:.*\n(?:[- ].*\n)*", "", place.read_text(encoding="utf-8"), flags=re.M)
    answer = yaml.safe_dump({"ours": sorted(paths)}, allow_unicode=True) if paths else ""
    later = re.search(r"^(?=[p-z]\w*:)", text, re.MULTILINE)
    at = later.start() if later else len(text)
    place.write_text(text[:at] + answer + text[at:], encoding="utf-8")


def owned(paths: Sequence[str]) -> dict[str, str]:
    """Each file and its class, in the order of the classes."""
    text = (PROJECT / "tools/ownership.toml").read_text(encoding="utf-8")
    classes: dict[str, list[str]] = tomllib.loads(text)
    place = git("rev-parse", "--show-prefix").strip()
    files = git("ls-files", "-z", "--error-unmatch", "--", *(paths or ["."])).split("\0")
    left = {file for file in files if file}
    owners: dict[str, str] = {}
    if own := taken():
        classes = {TAKEN: [f"/{path}" for path in own], **classes}
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
