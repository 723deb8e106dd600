"""Resolve the conflicts of a git merge in which both branches added or changed entities.

Both branches have generated lines at the same places, so git reports conflicts. This module renders
the files for all entities of both branches, and merges each branch's own edits into them.
"""

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from ..updating.origin import Say, followed
from ..updating.project import ANSWERS, Answers, Project, Refusal, parsed_answers
from ..updating.template import Rendering
from .description import Entities, described

OURS, THEIRS = "HEAD", "MERGE_HEAD"


def resolve(project: Project, say: Say) -> list[str]:
    """Resolve files that conflict only in generated lines, and `git add` them. Returns their paths."""
    if not project.says("rev-parse", "--verify", "--quiet", THEIRS):
        raise Refusal("no merge is under way; start one with: git merge <the other branch>")
    base = project.git("merge-base", OURS, THEIRS).strip()
    common, ours, theirs = (_answers(project, commit) for commit in (base, OURS, THEIRS))
    _require_same(ours, theirs)
    both = _merged(described(common), described(ours), described(theirs))
    with followed(project, ours, say, near=project.folder) as (template, version):
        renderings = [
            template.render(version, answers)
            for answers in (ours, theirs, ours | {"entities": both})
        ]
    return [path for path in project.unmerged() if _resolve(project, path, *renderings)]


def _answers(project: Project, commit: str) -> Answers:
    return parsed_answers(project.feed("show", f"{commit}:./{ANSWERS}"))


def _require_same(ours: Answers, theirs: Answers) -> None:
    names = (ours.keys() | theirs.keys()) - {"entities"}
    if different := sorted(name for name in names if ours.get(name) != theirs.get(name)):
        raise Refusal(
            f"the branches also have different answers for {', '.join(different)}; run "
            "git merge --abort, then just update on both branches, and merge again"
        )


def _merged(common: Entities, ours: Entities, theirs: Entities, path: str = "") -> Entities:
    """Merge the changes of both. Raises Refusal if both changed the same thing differently."""
    both: dict[str, Any] = {}
    for name in {**ours, **theirs}:
        base, our, their = (known.get(name) for known in (common, ours, theirs))
        if isinstance(our, dict) and isinstance(their, dict):
            both[name] = _merged(cast("Entities", base or {}), our, their, f"{path}{name}.")
        elif our == their or their == base:
            both[name] = our
        elif our == base:
            both[name] = their
        else:
            raise Refusal(
                f"{path}{name} is {our or 'removed'} here and {their or 'removed'} there; run "
                "git merge --abort, make both branches describe it alike, and merge again"
            )
    return {name: described for name, described in both.items() if described is not None}


def _resolve(
    project: Project, path: str, ours: Rendering, theirs: Rendering, both: Rendering
) -> bool:
    """Merge the edits of both branches into the file for all entities. Returns whether it worked."""
    written = both.text(path)
    our = _merged_text(_staged(project, 2, path), ours.text(path), written)
    their = _merged_text(_staged(project, 3, path), theirs.text(path), written)
    if our is None or their is None:
        return False
    text = _merged_text(our, written, their)
    if text is None:
        return False
    (project.folder / path).write_bytes(text)
    project.git("add", "--", path)
    return True


def _staged(project: Project, stage: int, path: str) -> bytes:
    command = ["git", "show", f":{stage}:./{path}"]
    return subprocess.run(command, cwd=project.folder, capture_output=True, check=False).stdout


def _merged_text(ours: bytes, base: bytes, theirs: bytes) -> bytes | None:
    """Return the three-way merge, or None if it conflicts."""
    with TemporaryDirectory() as folder:
        for name, text in (("ours", ours), ("base", base), ("theirs", theirs)):
            (Path(folder) / name).write_bytes(text)
        result = subprocess.run(
            ["git", "merge-file", "--stdout", "ours", "base", "theirs"],
            cwd=folder,
            capture_output=True,
            check=False,
        )
    return None if result.returncode else result.stdout
