"""Files of older versions that this one renders no more, or elsewhere.

Copier would delete them with a team's edits in them, so `kept` in copier.yml names them, and Copier
leaves them all. Here those are deleted that nobody has edited. Edits in a file that `moved` names
are merged into the file that has its place now.
"""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from pathspec import PathSpec

from .project import ANSWERS, Project, Refusal, parsed_answers
from .template import Rendering, Template, Version, without_private

VERSIONS = 8  # of the project that are looked at, the newest first


@dataclass
class Tidied:
    """What has become of the leftovers: paths."""

    deleted: list[str] = field(default_factory=list)
    followed: list[str] = field(default_factory=list)  # their edits are in another file now
    left: list[str] = field(default_factory=list)


def leftovers(project: Project, template: Template, version: Version) -> set[str]:
    """What the project still has of them."""
    kept = str(template.settings(version).get("kept", {}).get("default", ""))
    is_kept = PathSpec.from_lines("gitignore", kept.split()).match_file
    return {*filter(is_kept, project.tracked())}


def tidy(
    copy: Project, template: Template, old: Version, before: Rendering, new: Version
) -> Tidied:
    """Delete in the copy what nobody has edited, and move edits to where they belong now.

    `before` is what the `old` version has rendered for the project.
    """
    left, tidied = leftovers(copy, template, new), Tidied()
    bases: dict[str, bytes] = {}  # the newest rendering of each file
    for files in _rendered(copy, template, old, before) if left else ():
        for path in sorted(left & files.keys()):
            bases.setdefault(path, files[path])
            if copy.read(path) == files[path]:
                _delete(copy, path, tidied.deleted)
        left -= {*tidied.deleted}
        if not left:
            break
    moved = template.settings(new).get("moved", {}).get("default", {})
    for path in sorted(left):
        folder, _, name = path.rpartition("/")
        place = f"{folder}/{moved[name]}" if name in moved else ""
        if path in bases and copy.has(place) and _follows(copy, path, bases[path], place):
            _delete(copy, path, tidied.followed)
        else:
            tidied.left.append(path)
    return tidied


def _delete(copy: Project, path: str, noted: list[str]) -> None:
    (copy.folder / path).unlink()
    noted.append(path)


def _follows(copy: Project, path: str, base: bytes, place: str) -> bool:
    """Whether the edits since `base` could be merged into the file at `place` without a conflict."""
    with TemporaryDirectory() as folder:
        old = Path(folder, "old")
        old.write_bytes(base)
        merge = ("git", "merge-file", "-p", str(copy.folder / place), str(old), path)
        done = subprocess.run(merge, cwd=copy.folder, capture_output=True, check=False)
    if done.returncode == 0:
        (copy.folder / place).write_bytes(done.stdout)
    return done.returncode == 0


def _rendered(
    copy: Project, template: Template, old: Version, before: Rendering
) -> Iterator[Mapping[str, bytes]]:
    """What the versions have rendered that the project has had, the newest first."""
    yield before.files
    seen = [(old, before.answers)]
    log = ("log", f"-{VERSIONS}", "--format=%H", "--", ANSWERS)
    for commit in copy.git(*log).split():
        with suppress(Refusal):
            answers = parsed_answers(copy.feed("show", f"{commit}:./{ANSWERS}"))
            had = template.version(str(answers["_commit"])), without_private(answers)
            if had not in seen:
                seen.append(had)
                yield template.render(*had).files
