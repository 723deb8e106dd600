"""List which files updates merge and which are yours; take a file over, or give it back."""

import json
import os
import re
import subprocess
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

import yaml

from ..ownership import ownership
from ..updating.project import ANSWERS, HOOKS, Project, Refusal, taken_over
from ._attempt import failed

UNNAMED = "yours"  # files that the template did not write
TAKEN = "taken"  # files that it wrote and the team has taken over
MERGED = ("shared", "kernel")


def main(arguments: Sequence[str]) -> int:
    """Print a line for each file that git tracks, grouped by owner."""
    parser = ArgumentParser(prog="just owned", description=__doc__)
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help="a file or a folder (default: all)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--take", action="store_true", help="updates no longer touch PATH")
    either.add_argument("--give-back", action="store_true", help="updates merge PATH again")
    wish = parser.parse_args(arguments)
    project = Project(Path.cwd())
    for name in HOOKS:
        os.environ.pop(name, None)
    try:
        if wish.take or wish.give_back:
            change_owner = take if wish.take else give_back
            print(change_owner(project, wish.paths))
            return 0
        owners = owned(project, [str(Path(path).resolve()) for path in wish.paths])
    except (Refusal, OSError) as refusal:
        return failed("refused", str(refusal), wish)
    except subprocess.CalledProcessError as error:
        return failed("refused", error.stderr.splitlines()[0], wish)
    if wish.json:
        print(json.dumps(owners, indent=2))
    else:
        print("\n".join(f"{owner:<8}{path}" for path, owner in owners.items()))
    return 0


def take(project: Project, paths: Sequence[str]) -> str:
    """Stop updates from touching these files or folders. Returns a message."""
    for path in paths:
        owners = owned(project, [str(Path(path).resolve())])
        merged = [each for each, owner in owners.items() if owner in MERGED]
        if not merged:
            raise Refusal(f"{path} is already yours: no update touches it")
        if needed := [each for each in merged if each == ANSWERS or each.startswith("tools/")]:
            raise Refusal(f"{needed[0]} cannot be taken over, because updates need it")
    record(project, {*taken(project)} | {named(project, path) for path in paths})
    return f"updates no longer touch {', '.join(paths)}; commit {ANSWERS}"


def give_back(project: Project, paths: Sequence[str]) -> str:
    """Let updates merge these files or folders again. Returns a message."""
    for path in paths:
        if named(project, path) not in taken(project):
            listed = ", ".join(taken(project)) or "nothing"
            raise Refusal(f"{path} is not taken over; you have taken over {listed}")
    record(project, {*taken(project)} - {named(project, path) for path in paths})
    return f"updates merge {', '.join(paths)} again; commit {ANSWERS}"


def named(project: Project, path: str) -> str:
    """Return the path as it is recorded: relative to the project, with a slash after a folder."""
    place = Path(path).resolve()
    name = place.relative_to(project.folder.resolve()).as_posix()
    return f"{name}/" if place.is_dir() else name


def taken(project: Project) -> list[str]:
    """Return what the team has taken over. It is an answer, so that plain Copier respects it too."""
    return taken_over(project.answers() if project.has(ANSWERS) else {})


def record(project: Project, paths: set[str]) -> None:
    """Write that answer at the template's place for it: answers are sorted by name."""
    place = project.folder / ANSWERS
    text = re.sub(r"^ours:.*\n(?:[- ].*\n)*", "", place.read_text(encoding="utf-8"), flags=re.M)
    answer = yaml.safe_dump({"ours": sorted(paths)}, allow_unicode=True) if paths else ""
    later = re.search(r"^(?=[p-z]\w*:)", text, re.MULTILINE)
    at = later.start() if later else len(text)
    place.write_text(text[:at] + answer + text[at:], encoding="utf-8")


def owned(project: Project, paths: Sequence[str]) -> dict[str, str]:
    """Return each file and its owner, in the order of the owners."""
    answers = project.answers() if project.has(ANSWERS) else {}
    classes = ownership(answers.get("entities"))
    place = project.place
    files = project.git("ls-files", "-z", "--error-unmatch", "--", *(paths or ["."])).split("\0")
    left = {file for file in files if file}
    owners: dict[str, str] = {}
    if own := taken_over(answers):
        classes = {TAKEN: [f"/{path}" for path in own], **classes}
    for owner, patterns in classes.items():
        # Git matches the patterns, as it would in a .gitignore at the root of the repository.
        excludes = [f"--exclude=/{place}{pattern.removeprefix('/')}" for pattern in patterns]
        named = left.intersection(project.git("ls-files", "-z", "-c", "-i", *excludes).split("\0"))
        owners |= dict.fromkeys(sorted(named), owner)
        left -= named
    return owners | dict.fromkeys(sorted(left), UNNAMED)
