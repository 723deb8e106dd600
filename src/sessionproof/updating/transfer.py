"""Write an update from the copy into the project, and undo it.

Copier works in a clone of the last commit. Only files that differ in the end are written into the
project, and they are noted before. So an interrupted update has changed nothing, or only noted files.
Files that git ignores are not in the clone, so an update cannot change them.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from .project import ANSWERS, Note, Project, Refusal

# A stash needs an author, and the machine may not have one configured.
AUTHOR = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "just update-abandon"), ("EMAIL", "update@noreply.invalid"))
}


@dataclass(frozen=True)
class Change:
    """A file that the update writes, or deletes if `content` is None."""

    path: str
    content: bytes | None
    is_executable: bool = False


def bring(copy: Project, project: Project, note: Note) -> None:
    """Write the copy's changes into the project. Raises Refusal before it changes anything."""
    paths = sorted({*copy.changes(), *copy.untracked()}, key=_late)
    if not paths:
        return
    _require_unchanged(project, note)
    _require_visible(project, paths)
    _require_free(project, set(paths) - copy.committed())
    changes = [_change(copy, project, path) for path in paths]
    stages = list(_stages(copy, project))
    note = replace(note, paths=paths)
    project.remember(note)
    for change in changes:
        _write(project.folder, change)
    if stages:
        project.feed("update-index", "-z", "--index-info", given=b"".join(stages))
    project.remember(replace(note, finished=True))


def abandon(project: Project) -> str:
    """Restore the files as they were, and stash later changes. Returns a message."""
    project.require_repository()
    note = project.note()
    if not note:
        raise Refusal(
            "there is no uncommitted update; undo a committed one with git revert <its commit>"
        )
    paths = sorted({*project.changes(), *_came(project, note)})
    if paths:
        _stash(project, paths, f"the update to {note.version}, abandoned")
        _restore(project, paths)
    project.forget()
    stash = "; the update and later changes are in git stash list" if paths else ""
    return f"the files are as they were before the update to {note.version}{stash}"


def _late(path: str) -> tuple[bool, bool, str]:
    """A sort key: `.gitignore` files come late, and the answers with the version come last."""
    return path == ANSWERS, PurePosixPath(path).name == ".gitignore", path


def _require_unchanged(project: Project, note: Note) -> None:
    if project.head != note.head or not project.is_clean:
        raise Refusal("files changed during the update, see git status; commit, and update again")


def _require_visible(project: Project, paths: Iterable[str]) -> None:
    """Raises Refusal if the update changes files that git skips."""
    if hidden := sorted(project.hidden().intersection(paths)):
        raise Refusal(
            f"git skips {', '.join(hidden)}, which the update changes; run "
            "git update-index --no-assume-unchanged --no-skip-worktree on this, or "
            "git sparse-checkout disable; commit or stash your edits, and update again"
        )


def _require_free(project: Project, paths: Iterable[str]) -> None:
    """Raises Refusal if a file has appeared at the path of a new one."""
    if taken := sorted(path for path in paths if project.obstacle(path, is_new=True)):
        raise Refusal(f"{', '.join(taken)} appeared during the update; move it, and update again")


def _change(copy: Project, project: Project, path: str) -> Change:
    """Return the file as git would check it out in the project."""
    if not copy.has(path):
        return Change(path, None)
    blob = project.feed("hash-object", "-w", "--stdin", given=copy.read(path)).decode().strip()
    content = project.feed("cat-file", "--filters", f"--path={project.place}{path}", blob)
    return Change(path, content, bool((copy.folder / path).stat().st_mode & 0o100))


def _stages(copy: Project, project: Project) -> Iterator[bytes]:
    """Yield the copy's unmerged entries for git's index, and store their texts in the project."""
    entries = copy.feed("ls-files", "--unmerged", "--full-name", "-z", "--", ".").split(b"\0")
    seen = set()
    for entry in filter(None, entries):
        described, _, path = entry.partition(b"\t")
        mode, blob, stage = described.split(b" ")
        if path not in seen:
            seen.add(path)
            yield b"0 %s\t%s\0" % (b"0" * len(blob), path)
        project.feed(
            "hash-object", "-w", "--stdin", given=copy.feed("cat-file", "blob", blob.decode())
        )
        yield b"%s %s %s\t%s\0" % (mode, blob, stage, path)


def _write(folder: Path, change: Change) -> None:
    """Write a new file, like git: the old one may be read-only or a hard link."""
    place = folder / change.path
    place.unlink(missing_ok=True)
    if change.content is None:
        _remove_empty(place.parent, folder)
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("xb") as file:
        file.write(change.content)
    if change.is_executable:
        mode = place.stat().st_mode
        place.chmod(mode | (mode & 0o444) >> 2)


def _remove_empty(place: Path, folder: Path) -> None:
    while place != folder and place.is_dir() and not any(place.iterdir()):
        place.rmdir()
        place = place.parent


def _came(project: Project, note: Note) -> set[str]:
    """Return new files: those of the update, and others that git did not ignore before it."""
    new = {*project.new_files()} - {*_ignored_before(project, project.new_files())}
    return new | {path for path in note.paths if path in project.untracked()}


def _ignored_before(project: Project, paths: Sequence[str]) -> list[str]:
    """Return the paths that the `.gitignore` files of the last commit ignore."""
    rules = [path for path in project.committed() if PurePosixPath(path).name == ".gitignore"]
    with TemporaryDirectory() as folder:
        for path in rules:
            place = Path(folder, project.place, path)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(project.feed("cat-file", "blob", f"HEAD:./{path}"))
        given = "\0".join(f"{project.place}{path}" for path in paths)
        repository = project.git("rev-parse", "--absolute-git-dir").strip()
        ignored = project.feed(
            *(f"--git-dir={repository}", f"--work-tree={folder}", "-C", folder),
            *("check-ignore", "--no-index", "-z", "--stdin"),
            given=os.fsencode(given),
            status={0, 1},
        )
    names = os.fsdecode(ignored).split("\0")
    return [name.removeprefix(project.place) for name in names if name]


def _stash(project: Project, paths: Sequence[str], message: str) -> None:
    """Store these files in git's stash, and no others."""
    with TemporaryDirectory() as folder:
        index = {"GIT_INDEX_FILE": f"{folder}/index"}
        project.git("read-tree", "HEAD", **index)
        project.feed(
            *("update-index", "--add", "--remove", "--replace", "-z", "--stdin"),
            given=_listed(paths),
            environment=index,
        )
        tree = project.git("write-tree", **index).strip()
    head = ("HEAD^{tree}", "-p", "HEAD", "-m", "the index")
    before = project.git("commit-tree", *head, **AUTHOR).strip()
    after = project.git("commit-tree", tree, "-p", "HEAD", "-p", before, "-m", message, **AUTHOR)
    project.git("stash", "store", "--message", message, after.strip(), **AUTHOR)


def _restore(project: Project, paths: Sequence[str]) -> None:
    """Restore these files from the last commit, and delete those that it does not have."""
    new = sorted({*paths} - project.committed())
    old = sorted({*paths} - {*new})
    project.feed("update-index", "--force-remove", "-z", "--stdin", given=_listed(new))
    for path in new:
        _write(project.folder, Change(path, None))
    if old:
        project.feed(
            *("--literal-pathspecs", "checkout", "HEAD"),
            *("--pathspec-from-file=-", "--pathspec-file-nul"),
            given=_listed(old),
        )


def _listed(paths: Sequence[str]) -> bytes:
    return b"".join(os.fsencode(path) + b"\0" for path in paths)
