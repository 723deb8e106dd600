"""What a team does to a project between two updates, as Hypothesis generates it.

Whatever the team writes can be recognised: each of its lines says `ours`, and no two are equal.
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
    """A team at work in the folder of its project."""

    def __init__(self, folder: Path, rendered: Sequence[str], coming: Sequence[str]) -> None:
        self.folder = folder
        self.rendered = rendered
        self.coming = coming
        self.numbers = itertools.count(1)

    def files(self, *owners: str) -> list[str]:
        """The files of these owners, the team's own among those of `yours`; else every file.

        But for the one that nobody may edit.
        """
        files = [path for path in listed_files(self.folder) if path != ".copier-answers.yml"]
        return [path for path in files if not owners or self._owner(path) in owners]

    def _owner(self, path: str) -> str:
        return owner(path) if path in self.rendered or path in self.coming else "yours"

    def line(self, text: bytes = b"") -> bytes:
        """A line that nobody else has written."""
        return OURS + b"%d %s" % (next(self.numbers), text) + b"\n"

    def write(self, path: str, *lines: bytes) -> None:
        """Write a file, in a folder that may be new."""
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_bytes(b"".join(lines))

    def read(self, path: str) -> list[bytes]:
        """The lines of a file, each with its end."""
        return (self.folder / path).read_bytes().splitlines(keepends=True)


class Place(NamedTuple):
    """Somewhere in a project, whatever its files are: numbers, taken modulo what there is."""

    owner: int
    file: int
    line: int
    size: int

    def choose(self, team: Team, *owners: str) -> str:
        """One of these owners' files; those who have few are chosen as often."""
        owners = owners or (*OWNERS, "kernel")
        shelves = [files for files in map(team.files, owners) if files] or [team.files()]
        files = shelves[self.owner % len(shelves)]
        return files[self.file % len(files)]

    def cut(self, lines: list[bytes]) -> tuple[list[bytes], list[bytes], list[bytes]]:
        """What is before the place, in it, and after it."""
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
    """The worked example's, or one of the team's own."""
    models = [path for path in team.files() if path.endswith("/model.py")]
    folder = Path(models[place.file % len(models)]).parent if models else None
    for path in team.files():
        if Path(path).parent == folder:
            (team.folder / path).unlink()


def end_lines_as_on_windows(team: Team, place: Place) -> None:
    path = place.choose(team)
    team.write(path, *(line.rstrip(b"\r\n") + b"\r\n" for line in team.read(path)), team.line())


def use_another_encoding(team: Team, place: Place) -> None:
    """In a file that no update merges: what it does to the others, tests/test_histories.py says."""
    path = place.choose(team, "yours", "sample")
    team.write(path, *_ended(team.read(path)), team.line(b"caf\xe9 \x00"))


def make_executable(team: Team, place: Place) -> None:
    (team.folder / place.choose(team)).chmod(0o755)


def add_what_is_coming(team: Team, place: Place) -> None:
    """A file where a later release has one too."""
    coming = [path for path in team.coming if not (team.folder / path).exists()]
    if coming:
        team.write(coming[place.file % len(coming)], *(team.line() for _ in range(place.size)))


def _ended(lines: list[bytes]) -> list[bytes]:
    """The same lines, the last of them with an end: nothing is added to it."""
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
    """Something that a team does, and where."""

    kind: Kind
    place: Place

    def __repr__(self) -> str:
        return f"{self.kind.__name__}{tuple(self.place)}"

    def make(self, team: Team) -> None:
        """Do it."""
        self.kind(team, self.place)


NUMBERS = st.integers(0, 999)
PLACES = st.builds(Place, NUMBERS, NUMBERS, NUMBERS, st.integers(1, 5))
EDITS = st.builds(Edit, st.sampled_from(KINDS), PLACES)


def _edits(kinds: list[Kind], places: list[Place], more: list[Edit]) -> list[Edit]:
    return [*map(Edit, kinds, places), *more]


# Every kind of edit once, in any order, and then more of any kind.
HISTORIES = st.builds(
    _edits,
    st.permutations(KINDS),
    st.lists(PLACES, min_size=len(KINDS), max_size=len(KINDS)),
    st.lists(EDITS, max_size=30),
)
