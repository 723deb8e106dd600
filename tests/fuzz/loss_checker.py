"""Find losses of an update, by comparing two trees of the template and two of the project."""

import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from ..support.repository import FOR_UPDATES, is_old, listed_files, moved_to, owner
from .edits import OURS

BEGIN, END = b"<<<<<<< before updating", b">>>>>>> after updating"


class File(NamedTuple):
    """The content and the mode of a file."""

    content: bytes
    is_executable: bool

    @property
    def lines(self) -> list[bytes]:
        """The lines without their endings, which git may change because of `.gitattributes`."""
        return [line.rstrip(b"\r") for line in self.content.split(b"\n")]

    @property
    def has_conflict(self) -> bool:
        return BEGIN in self.lines

    @property
    def merged_lines(self) -> Iterator[bytes]:
        """The lines outside of conflict blocks."""
        is_merged = True
        for line in self.lines:
            is_merged = is_merged and line != BEGIN
            if is_merged:
                yield line
            is_merged = is_merged or line == END


Tree = Mapping[str, File]


def read(folder: Path) -> Tree:
    """Every file that git does not ignore."""
    paths = {name: folder / name for name in listed_files(folder)}
    return {
        name: File(path.read_bytes(), bool(path.stat().st_mode & 0o100))
        for name, path in paths.items()
    }


@dataclass(frozen=True)
class Update:
    """An update: the trees that it merges, and the resulting tree."""

    released: Tree
    fresh: Tree
    before: Tree
    after: Tree
    conflicts: Sequence[str]
    ignored: Sequence[str] = ()
    spoilt: Sequence[str] = ()
    stopped: bool = False

    def losses(self) -> list[str]:
        """The losses, one sentence each."""
        losses = [
            *self._lost(),
            *self._changed(),
            *self._not_updated(),
            *self._returned_files(),
            *self._returned_lines(),
            *self._misreported(),
            *(f"{path} is in no commit, and was changed" for path in self.spoilt),
        ]
        return sorted(losses)

    def followed_lines(self) -> list[tuple[str, bytes]]:
        """Each line that the team has written, with its file."""
        return [
            (path, line)
            for path, file in self.before.items()
            for line in file.lines
            if line.startswith(OURS)
        ]

    def is_merged(self, path: str) -> bool:
        """Whether both the template and the team have changed this file."""
        rendered = path in self.released or path in self.fresh
        return rendered and owner(path) in {"kernel", "shared"}

    def _lost(self) -> Iterator[str]:
        for path in self.before.keys() - self.after.keys():
            if self._is_edited(path) and moved_to(path) not in self.after:
                yield f"{path} is gone"
        for path, line in self.followed_lines():
            place = path if path in self.after else moved_to(path)
            if place in self.after and line not in self.after[place].lines:
                yield f"{path} has lost {line!r}"

    def _is_edited(self, path: str) -> bool:
        """Whether the team has edited this file, if an update may delete it."""
        if not is_old(path) or path not in self.released:
            return True
        return self.before[path].lines != self.released[path].lines

    def _changed(self) -> Iterator[str]:
        for path in self.before.keys() & self.after.keys():
            before, after = self.before[path], self.after[path]
            if not self.is_merged(path) and before != after:
                yield f"{path} was changed, and is not the template's"
            if path in self.released and before.is_executable > after.is_executable:
                yield f"{path} was executable"

    def _not_updated(self) -> Iterator[str]:
        for path in self.before.keys() & self.released.keys() & self.fresh.keys():
            is_unedited = self.before[path] == self.released[path] and self.is_merged(path)
            if is_unedited and self.after.get(path) != self.fresh[path]:
                yield f"{path} was not edited, and is not what a fresh copy has"

    def _returned_files(self) -> Iterator[str]:
        followed = {moved_to(path) for path in self.before.keys() - self.after.keys()}
        for path in self.after.keys() - self.before.keys() - FOR_UPDATES:
            is_expected = path not in self.released or owner(path) == "yours"
            is_merged = path in followed  # it has edits of the team
            if not is_expected or (self.after[path] != self.fresh.get(path) and not is_merged):
                yield f"{path} has come, and should not have"

    def _returned_lines(self) -> Iterator[str]:
        for path in filter(
            self.is_merged, self.released.keys() & self.before.keys() & self.after.keys()
        ):
            returned = self._deleted_lines(path).intersection(self.after[path].merged_lines)
            for line in returned - self._moved_lines(path) if returned else ():
                yield f"{path} has {line!r} again, which was deleted"

    def _deleted_lines(self, path: str) -> set[bytes]:
        """Lines that the team has deleted, and that the template has neither moved nor repeated."""
        released = _neighbours(self.released[path].lines)
        fresh = self.fresh[path].lines if path in self.fresh else []
        stays = _neighbours(fresh)
        lines = {
            line
            for line, beside in released.items()
            if line not in fresh or stays.get(line) == beside
        }
        return lines - {*self.before[path].lines}

    def _moved_lines(self, path: str) -> set[bytes]:
        """Lines that git sees as removed by the template, including those of moved blocks."""
        with TemporaryDirectory() as folder:
            for name, tree in (("released", self.released), ("fresh", self.fresh)):
                Path(folder, name).write_bytes(
                    b"\n".join(tree[path].lines) if path in tree else b""
                )
            diff = ("diff", "--no-index", "--unified=0", "--no-color", "released", "fresh")
            shown = subprocess.run(["git", *diff], cwd=folder, capture_output=True, check=False)
        _, _, hunks = shown.stdout.partition(b"\n@@")
        return {line[1:] for line in hunks.split(b"\n") if line.startswith(b"-")}

    def _misreported(self) -> Iterator[str]:
        marked = {path for path, file in self.after.items() if file.has_conflict}
        for path in marked ^ set(self.conflicts):
            yield f"{path} and git disagree about its conflicts"


def _neighbours(lines: Sequence[bytes]) -> dict[bytes, tuple[bytes, bytes]]:
    """The neighbours of each line that occurs once."""
    often = Counter(lines)
    framed = [b"", *lines, b""]
    return {
        line: (before, after)
        for before, line, after in zip(framed, lines, framed[2:], strict=False)
        if often[line] == 1
    }
