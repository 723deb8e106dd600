"""An update loses nothing, whatever a team has done to its project since.

`python -m tests.histories --each 200` follows 200 random histories of edits from every release,
with every set of answers, to the files as they are. `tests/edits.py` has what a team does.
"""

import argparse
import os
import shutil
import sys
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from hypothesis import Phase, given, seed, settings

from .conftest import NEWEST, clone, once
from .edits import HISTORIES, OURS, Edit, Team
from .project import Project, copy
from .release import RELEASES, export
from .repository import git, listed_files, owner
from .variants import MANY_VALUES, Answers, name

BEGIN, END = b"<<<<<<< before updating", b">>>>>>> after updating"


class File(NamedTuple):
    """What git keeps of a file."""

    content: bytes
    is_executable: bool

    @property
    def lines(self) -> list[bytes]:
        """Without their ends, which git may change as `.gitattributes` says."""
        return [line.rstrip(b"\r") for line in self.content.split(b"\n")]

    @property
    def has_conflict(self) -> bool:
        return BEGIN in self.lines

    @property
    def merged_lines(self) -> Iterator[bytes]:
        """Those that are not in a conflict block."""
        is_merged = True
        for line in self.lines:
            is_merged = is_merged and line != BEGIN
            if is_merged:
                yield line
            is_merged = is_merged or line == END


Tree = Mapping[str, File]


@dataclass(frozen=True)
class Update:
    """What an update made of a project: the trees that it compares, and the one that it leaves."""

    released: Tree
    fresh: Tree
    before: Tree
    after: Tree
    conflicts: Sequence[str]

    def losses(self) -> list[str]:
        """Whatever the team has lost, or does not own: a sentence for each."""
        return [
            *self._lost(),
            *self._changed(),
            *self._not_updated(),
            *self._returned(),
            *self._misreported(),
        ]

    def followed_lines(self) -> list[tuple[str, bytes]]:
        """Each line that the team has written, and its file."""
        return [
            (path, line)
            for path, file in self.before.items()
            for line in file.lines
            if line.startswith(OURS)
        ]

    def is_merged(self, path: str) -> bool:
        """Whether the template and the team both write in this file."""
        rendered = path in self.released or path in self.fresh
        return rendered and owner(path) in {"kernel", "shared"}

    def _lost(self) -> Iterator[str]:
        for path in self.before.keys() - self.after.keys():
            yield f"{path} is gone"
        for path, line in self.followed_lines():
            if path in self.after and line not in self.after[path].lines:
                yield f"{path} has lost {line!r}"

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

    def _returned(self) -> Iterator[str]:
        for path in self.after.keys() - self.before.keys():
            is_expected = path not in self.released or owner(path) == "yours"
            if not is_expected or self.after[path] != self.fresh.get(path):
                yield f"{path} has come, and should not have"
        for path in filter(self.is_merged, self.before.keys() & self.released.keys()):
            for line in self._deleted_lines(path).intersection(self.after[path].merged_lines):
                yield f"{path} has {line!r} again, which was deleted"

    def _deleted_lines(self, path: str) -> set[bytes]:
        """Lines that the team has deleted, and that cannot be mistaken for others."""
        released = Counter(self.released[path].lines)
        fresh = Counter(self.fresh[path].lines if path in self.fresh else ())
        lines = {line for line in released if released[line] == 1 and fresh[line] <= 1}
        return lines - {*self.before[path].lines}

    def _misreported(self) -> Iterator[str]:
        marked = {path for path, file in self.after.items() if file.has_conflict}
        for path in marked ^ set(self.conflicts):
            yield f"{path} and git disagree about its conflicts"


@dataclass
class Tally:
    """What was followed through updates."""

    histories: int = 0
    edits: int = 0
    files: int = 0
    lines: int = 0
    conflicts: int = 0

    def add(self, history: Sequence[Edit], update: Update) -> None:
        """Count one more history."""
        self.histories += 1
        self.edits += len(history)
        self.files += len(update.before)
        self.lines += len(update.followed_lines())
        self.conflicts += len(update.conflicts)

    def __str__(self) -> str:
        return ", ".join(f"{number:,} {what}" for what, number in vars(self).items())


class Origins:
    """The projects in which histories begin, each rendered once, in this folder."""

    def __init__(self, template: Path, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.template = once(folder / "template", partial(keep_releases, template))

    def start(self, version: str, answers: Answers) -> Path:
        """A project of that version, with everything committed."""
        return once(
            self.folder / f"{version}-{name(answers)}", partial(self._start, version, answers)
        )

    def _start(self, version: str, answers: Answers, folder: Path) -> None:
        Project(copy(self.template, folder, answers, version=version)).commit()
        git("gc", "--quiet", folder=folder)

    def follow(self, version: str, answers: Answers, history: Sequence[Edit]) -> Update:
        """Start a project, edit it, and update it."""
        start = self.start(version, answers)
        released, fresh = read(start), read(self.start(NEWEST, answers))
        with TemporaryDirectory() as folder:
            project = Project(shutil.copytree(start, Path(folder) / "project"))
            team = Team(project.path, list(released), sorted(fresh.keys() - released.keys()))
            for edit in history:
                edit.make(team)
            project.commit()
            before = read(project.path)
            conflicts = project.update()
            return Update(released, fresh, before, read(project.path), conflicts)

    def explore(self, version: str, answers: Answers, *, count: int, start: int = 0) -> Tally:
        """Follow that many histories, the same ones for the same start; fail if one loses work."""
        tally = Tally()

        @seed(f"{start} {version} {name(answers)}")
        @settings(
            max_examples=count,
            phases=[Phase.generate, Phase.shrink],
            deadline=None,
            database=None,
            report_multiple_bugs=False,
        )
        @given(HISTORIES)
        def nothing_is_lost(history: list[Edit]) -> None:
            update = self.follow(version, answers, history)
            losses = update.losses()
            assert losses == [], "\n".join(losses)
            tally.add(history, update)
            if tally.histories % 20 == 0:
                print(f"{version} {name(answers)}: {tally}", flush=True)

        nothing_is_lost()
        return tally


def keep_releases(template: Path, folder: Path) -> None:
    """A template with the same versions, and nothing but what they are rendered from: faster."""
    folder.mkdir()
    git("init", "--quiet", folder=folder)
    for version in [*RELEASES, NEWEST]:
        git("rm", "-r", "--quiet", "--ignore-unmatch", ".", folder=folder)
        export(template, version, folder)
        git("add", "--all", folder=folder)
        git("commit", "--quiet", "--message", version, folder=folder)
        git("tag", version, folder=folder)
    git("gc", "--quiet", folder=folder)


def read(folder: Path) -> Tree:
    """Every file that git does not ignore."""
    paths = {name: folder / name for name in listed_files(folder)}
    return {
        name: File(path.read_bytes(), bool(path.stat().st_mode & 0o100))
        for name, path in paths.items()
    }


def main() -> None:
    """Follow histories from every release, with every set of answers."""
    parser = argparse.ArgumentParser(prog="python -m tests.histories", description=__doc__)
    parser.add_argument("--each", type=int, default=200, help="so many from each (%(default)s)")
    parser.add_argument("--start", type=int, default=0, help="other ones for another number")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="so many at a time")
    arguments = parser.parse_args()
    with TemporaryDirectory() as folder, ProcessPoolExecutor(arguments.jobs) as pool:
        clone(Path(folder) / "clone")
        origins = Origins(Path(folder) / "clone", Path(folder) / "origins")
        explored = [
            pool.submit(
                origins.explore, version, answers, count=arguments.each, start=arguments.start
            )
            for version in RELEASES
            for answers in MANY_VALUES
        ]
        sys.exit(report(explored))


def report(explored: Sequence[Future[Tally]]) -> str | None:
    """Say what was followed; return what was lost."""
    failures = [error for future in as_completed(explored) if (error := future.exception())]
    for error in failures:
        print("".join(traceback.format_exception_only(error)))
    tallies = [vars(future.result()) for future in explored if not future.exception()]
    total = Tally(**{what: sum(tally[what] for tally in tallies) for what in vars(Tally())})
    print(f"in all: {total}; {len(failures)} of {len(explored)} lost something")
    return "work was lost" if failures else None


if __name__ == "__main__":
    main()
