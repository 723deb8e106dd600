"""Files of older versions that this one renders no more.

Copier would delete them with a team's edits in them, so `kept` in copier.yml names them, and Copier
leaves them all. Here those are deleted that nobody has edited.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress

from pathspec import PathSpec

from .project import ANSWERS, Project, Refusal, parsed_answers
from .template import Template, Version

VERSIONS = 8  # of the project that are looked at, the newest first


def leftovers(project: Project, template: Template, version: Version) -> set[str]:
    """What the project still has of them."""
    kept = str(template.settings(version).get("kept", {}).get("default", ""))
    is_kept = PathSpec.from_lines("gitignore", kept.split()).match_file
    return {*filter(is_kept, project.tracked())}


def tidy(copy: Project, template: Template, version: Version) -> tuple[list[str], list[str]]:
    """Delete in the copy what nobody has edited; returns that, and what somebody has."""
    left, tidied = leftovers(copy, template, version), set[str]()
    for files in _rendered(copy, template) if left else ():
        for path in sorted(left):
            if copy.read(path) == files.get(path):
                (copy.folder / path).unlink()
                tidied.add(path)
        left -= tidied
        if not left:
            break
    return sorted(tidied), sorted(left)


def _rendered(copy: Project, template: Template) -> Iterator[Mapping[str, bytes]]:
    """What the versions have rendered that the project has had."""
    log = ("log", f"-{VERSIONS}", "--format=%H", "--", ANSWERS)
    for commit in copy.git(*log).split():
        with suppress(Refusal):
            answers = parsed_answers(copy.feed("show", f"{commit}:./{ANSWERS}"))
            version = template.version(str(answers["_commit"]))
            yield template.render(version, answers).files
