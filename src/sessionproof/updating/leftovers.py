"""Clean up files of older versions that the template has removed or moved.

Copier would delete them together with a team's edits. So `kept` in copier.yml lists them, and Copier
keeps them all. This module deletes those without edits. If `moved` in copier.yml names a file, its
edits are merged into the file that replaces it.
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

VERSIONS = 8  # how many of the project's versions are compared, the newest first


@dataclass
class Tidied:
    """The paths of removed or moved files, grouped by their treatment."""

    deleted: list[str] = field(default_factory=list)
    followed: list[str] = field(default_factory=list)  # edits merged into the new file
    left: list[str] = field(default_factory=list)


def leftovers(project: Project, template: Template, version: Version) -> set[str]:
    """Return the files of older versions that the project still has."""
    kept = str(template.settings(version).get("kept", {}).get("default", ""))
    is_kept = PathSpec.from_lines("gitignore", kept.split()).match_file
    return {*filter(is_kept, project.tracked())}


def tidy(
    copy: Project, template: Template, old: Version, before: Rendering, new: Version
) -> Tidied:
    """Delete files without edits from the copy, and merge edits of moved files into the new files.

    `before` is the rendering of the version `old`.
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
    """Merge the edits since `base` into the file at `place`. Returns whether it had no conflict."""
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
    """Yield the renderings of the project's earlier versions, the newest first."""
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
