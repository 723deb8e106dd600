"""Generate a team's edits of a project between two updates, with Hypothesis.

Each line that the team writes contains `ours`, and no two are equal.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from hypothesis import strategies as st

from ..support.repository import OWNERS, listed_files, owner

OURS = b"# ours "


class Team:
    """A team that edits the files of its project."""

    def __init__(self, folder: Path, rendered: Sequence[str], coming: Sequence[str]) -> None:
        self.folder = folder
        self.rendered = rendered
        self.coming = coming
        self.numbers = itertools.count(1)

    def files(self, *owners: str) -> list[str]:
        """The files of these owners, or every file. The team's own files belong to `yours`.

        Excludes the file that must not be edited.
        """
        files = [path for path in listed_files(self.folder) if path != ".copier-answers.yml"]
        return [path for path in files if not owners or self._owner(path) in owners]

    def _owner(self, path: str) -> str:
        return owner(path) if path in self.rendered or path in self.coming else "yours"

    def line(self, text: bytes = b"") -> bytes:
        """A new, unique line of the team's."""
        return OURS + b"%d %s" % (next(self.numbers), text) + b"\n"

    def write(self, path: str, *lines: bytes) -> None:
        """Write a file, in a folder that may be new."""
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_bytes(b"".join(lines))

    def read(self, path: str) -> list[bytes]:
        """The lines of a file, with their line endings."""
        return (self.folder / path).read_bytes().splitlines(keepends=True)


class Place(NamedTuple):
    """A random place in any project: numbers, taken modulo the number of files and lines."""

    owner: int
    file: int
    line: int
    size: int

    def choose(self, team: Team, *owners: str) -> str:
        """A file of one of these owners, each of which is equally probable."""
        owners = owners or (*OWNERS, "kernel")
        shelves = [files for files in map(team.files, owners) if files] or [team.files()]
        files = shelves[self.owner % len(shelves)]
        return files[self.file % len(files)]

    def cut(self, lines: list[bytes]) -> tuple[list[bytes], list[bytes], list[bytes]]:
        """The lines before the place, in it, and after it."""
        start = self.line % (len(lines) + 1)
        return lines[:start], lines[start : start + self.size], lines[start + self.size :]


Kind = Callable[[Team, Place], None]


def add_lines(team: Team, place: Place) -> None:
    path = place.choose(team)
    before, inside, after = place.cut(team.read(path))
    added = [team.line() for _ in range(place.size)]
    team.write(path, *_ended(before), *added, *inside, *after)


def change_lines(team: Team, place: Place) -> None:
    path = place.choose(team)
    before, inside, after = place.cut(team.read(path))
    team.write(path, *_ended(before), *(team.line() for _ in inside), *after)


def delete_lines(team: Team, place: Place) -> None:
    path = place.choose(team)
    before, _, after = place.cut(team.read(path))
    team.write(path, *before, *after)


def add_at_the_start(team: Team, place: Place) -> None:
    path = place.choose(team)
    team.write(path, team.line(), *team.read(path))


def add_at_the_end_without_a_newline(team: Team, place: Place) -> None:
    path = place.choose(team)
    team.write(path, *_ended(team.read(path)), team.line().rstrip(b"\n"))


def rewrite_file(team: Team, place: Place) -> None:
    path = place.choose(team)
    team.write(path, *(team.line() for _ in team.read(path)))


def empty_file(team: Team, place: Place) -> None:
    team.write(place.choose(team))


def delete_file(team: Team, place: Place) -> None:
    (team.folder / place.choose(team)).unlink()


def rename_file(team: Team, place: Place) -> None:
    path = team.folder / place.choose(team)
    path.rename(path.with_name(f"ours_{next(team.numbers)}_{path.name}"))


def add_file(team: Team, place: Place) -> None:
    folder = Path(place.choose(team)).parent
    name = ["ours {}.txt", "ours_{}.py", "[ours]-{}*.md", "größe_{}"][place.size % 4]
    team.write(str(folder / name.format(next(team.numbers))), team.line())


def add_feature(team: Team, place: Place) -> None:
    [package] = (team.folder / "src").iterdir()
    feature = f"orders_{next(team.numbers)}"
    for module in ("__init__", "model", "repository", "manager"):
        team.write(f"src/{package.name}/{feature}/{module}.py", team.line())
    team.write(f"tests/{feature}/test_manager.py", team.line())


def remove_feature(team: Team, place: Place) -> None:
    """A file of the worked example, or one of the team's own."""
    models = [path for path in team.files() if path.endswith("/model.py")]
    folder = Path(models[place.file % len(models)]).parent if models else None
    for path in team.files():
        if Path(path).parent == folder:
            (team.folder / path).unlink()


def end_lines_as_on_windows(team: Team, place: Place) -> None:
    path = place.choose(team)
    team.write(path, *(line.rstrip(b"\r\n") + b"\r\n" for line in team.read(path)), team.line())


def use_another_encoding(team: Team, place: Place) -> None:
    """Only in files that updates do not merge; tests/test_histories.py covers the others."""
    path = place.choose(team, "yours", "sample")
    team.write(path, *_ended(team.read(path)), team.line(b"caf\xe9 \x00"))


def make_executable(team: Team, place: Place) -> None:
    (team.folder / place.choose(team)).chmod(0o755)


def add_what_is_coming(team: Team, place: Place) -> None:
    """Add a file that a later release has too."""
    coming = [path for path in team.coming if not (team.folder / path).exists()]
    if coming:
        team.write(coming[place.file % len(coming)], *(team.line() for _ in range(place.size)))


def _ended(lines: list[bytes]) -> list[bytes]:
    """The lines with a final line ending, so that nothing is appended to the last one."""
    return [line if line.endswith(b"\n") else line + b"\n" for line in lines]


KINDS: list[Kind] = [
    add_lines,
    change_lines,
    delete_lines,
    add_at_the_start,
    add_at_the_end_without_a_newline,
    rewrite_file,
    empty_file,
    delete_file,
    rename_file,
    add_file,
    add_feature,
    remove_feature,
    end_lines_as_on_windows,
    use_another_encoding,
    make_executable,
    add_what_is_coming,
]


@dataclass(frozen=True)
class Edit:
    """An edit and its place."""

    kind: Kind
    place: Place

    def __repr__(self) -> str:
        return f"{self.kind.__name__}{tuple(self.place)}"

    def make(self, team: Team) -> None:
        """Make the edit."""
        self.kind(team, self.place)


NUMBERS = st.integers(0, 999)
PLACES = st.builds(Place, NUMBERS, NUMBERS, NUMBERS, st.integers(1, 5))
EDITS = st.builds(Edit, st.sampled_from(KINDS), PLACES)


def _edits(kinds: list[Kind], places: list[Place], more: list[Edit]) -> list[Edit]:
    return [*map(Edit, kinds, places), *more]


# Every kind of edit once, in random order, then more random edits.
HISTORIES = st.builds(
    _edits,
    st.permutations(KINDS),
    st.lists(PLACES, min_size=len(KINDS), max_size=len(KINDS)),
    st.lists(EDITS, max_size=30),
)
