"""A merge of two branches of which each has described entities.

Both have written into the same places, and git cannot know in which order. But the template can be
asked what it would have written for all of them, and each branch's own edits are merged into that.
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
    """Resolve what conflicts only for that reason, and say git so; returns the paths."""
    if not project.says("rev-parse", "--verify", "--quiet", THEIRS):
        raise Refusal("no merge is under way; begin with: git merge <the other branch>")
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
            f"the branches differ in {', '.join(different)}, not only in entities; "
            "git merge --abort, just update both of them, and merge again"
        )


def _merged(common: Entities, ours: Entities, theirs: Entities, path: str = "") -> Entities:
    """What either has changed; raises Refusal where both have changed the same, and differently."""
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
                f"{path}{name} is {our or 'taken out'} here and {their or 'taken out'} there; "
                "git merge --abort, describe it in the same way on both branches, and merge again"
            )
    return {name: described for name, described in both.items() if described is not None}


def _resolve(
    project: Project, path: str, ours: Rendering, theirs: Rendering, both: Rendering
) -> bool:
    """Whether the edits of both branches are merged into what the template writes for both."""
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
    """The three-way merge; nothing where it conflicts."""
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
