"""An update from any release loses none of a team's edits."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from .fuzz.edits import Edit, Kind, Place, Team
from .fuzz.histories import Origins
from .fuzz.loss_checker import File, Tree, Update
from .support.release import RELEASES, in_id
from .support.variants import MANY_VALUES, Answers

# A correct update, with lines of every origin and a file of every owner.
KERNEL, SHARED, YOURS = "tests/kit/database.py", "README.md", "tests/factories.py"
SAMPLE, DELETED, OURS = "tests/tasks/test_a.py", "tests/tasks/test_b.py", "ours.txt"
TEMPLATE = (KERNEL, SHARED, YOURS, SAMPLE, DELETED)
RELEASED: Tree = {path: File(b"one\ntwo\n", False) for path in TEMPLATE}
FRESH: Tree = {path: File(b"zero\none\ntwo\n", False) for path in TEMPLATE}
BEFORE: Tree = {
    **{path: RELEASED[path] for path in (KERNEL, YOURS, SAMPLE)},
    SHARED: File(b"one\n# ours 1\n", True),
    OURS: File(b"# ours 2", False),
}
AFTER: Tree = {
    **BEFORE,
    KERNEL: FRESH[KERNEL],
    SHARED: File(b"zero\none\n# ours 1\n", True),
}
CONFLICT = b"zero\none\n<<<<<<< before updating\n# ours 1\n=======\ntwo\n>>>>>>> after updating\n"


# Each release and each set of answers; `just histories` tries every pair of them.
SOME_ORIGINS = [
    (RELEASES[number % len(RELEASES)], MANY_VALUES[number % len(MANY_VALUES)])
    for number in range(max(len(RELEASES), len(MANY_VALUES)) if RELEASES else 0)
]


@pytest.fixture(scope="session")
def origins(template: Path, shared: Path) -> Origins:
    """Projects of every release, for all workers of this run."""
    return Origins(template, shared / "origins")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("version", "answers"),
    SOME_ORIGINS,
    ids=in_id,
)
def test_an_update_loses_no_line_and_no_file(
    origins: Origins, version: str, answers: Answers
) -> None:
    tally = origins.explore(version, answers, count=2)

    assert tally.histories == 2
    assert tally.lines > 0


# If the template changes adjacent lines, there is a conflict, which loses nothing.
UNCHANGED = ".editorconfig"


def write_another_encoding(team: Team, _: Place) -> None:
    team.write(UNCHANGED, *team.read(UNCHANGED), team.line(b"caf\xe9"))


def write_what_git_calls_binary(team: Team, _: Place) -> None:
    team.write(UNCHANGED, team.line(b"\0"), *team.read(UNCHANGED))


@pytest.mark.slow
@pytest.mark.skipif(not RELEASES, reason="no release is in this clone's history")
@pytest.mark.parametrize("kind", [write_another_encoding, write_what_git_calls_binary])
def test_what_copier_itself_loses_is_found(origins: Origins, kind: Kind) -> None:
    history = [Edit(kind, Place(0, 0, 0, 1))]

    update = origins.follow(RELEASES[0], MANY_VALUES[0], history)

    [loss] = update.losses()
    assert loss.startswith(f"{UNCHANGED} has lost b'# ours 1 ")


@pytest.mark.parametrize(
    ("path", "content", "conflicts", "losses"),
    [
        (SHARED, AFTER[SHARED].content, [], []),
        (SHARED, CONFLICT, [SHARED], []),
        (SHARED, CONFLICT, [], ["README.md and git disagree about its conflicts"]),
        (SHARED, b"# ours 1\n", [SHARED], ["README.md and git disagree about its conflicts"]),
        (SHARED, b"zero\none\n", [], ["README.md has lost b'# ours 1'"]),
        (SHARED, b"# ours 1\ntwo\n", [], ["README.md has b'two' again, which was deleted"]),
        (KERNEL, b"one\ntwo\n", [], [f"{KERNEL} was not edited, and is not what a fresh copy has"]),
        (OURS, b"# ours 2\n", [], ["ours.txt was changed, and is not the template's"]),
        (YOURS, b"one\n", [], [f"{YOURS} was changed, and is not the template's"]),
        (SAMPLE, b"one\n", [], [f"{SAMPLE} was changed, and is not the template's"]),
        (DELETED, b"zero\none\ntwo\n", [], [f"{DELETED} has come, and should not have"]),
        ("README.md.rej", b"", [], ["README.md.rej has come, and should not have"]),
    ],
)
def test_every_loss_of_an_update_is_found(
    path: str, content: bytes, conflicts: Sequence[str], losses: list[str]
) -> None:
    after = {**AFTER, path: File(content, path == SHARED)}

    update = Update(RELEASED, FRESH, BEFORE, after, conflicts)

    assert update.losses() == losses


def test_a_deleted_file_is_found() -> None:
    after = {path: file for path, file in AFTER.items() if path != OURS}

    assert Update(RELEASED, FRESH, BEFORE, after, []).losses() == ["ours.txt is gone"]


def test_a_file_that_is_no_longer_executable_is_found() -> None:
    after = {**AFTER, SHARED: AFTER[SHARED]._replace(is_executable=False)}

    assert Update(RELEASED, FRESH, BEFORE, after, []).losses() == ["README.md was executable"]


def test_a_deleted_line_of_a_block_that_the_template_has_moved_may_come_back() -> None:
    block, others = b"a\ntwo\nb\n", b"one\n1\n2\n3\n4\n5\n"
    released = {**RELEASED, SHARED: File(others + block, False)}
    moved = {**FRESH, SHARED: File(block + others, False)}
    before = {**BEFORE, SHARED: File(others + b"a\nb\n# ours 1\n", False)}
    after = {**AFTER, SHARED: File(block + others + b"# ours 1\n", False)}

    assert Update(released, moved, before, after, []).losses() == []
    assert Update(released, released, before, after, []).losses() != []


def test_a_deleted_line_that_the_template_has_moved_may_come_back() -> None:
    moved = {**FRESH, SHARED: File(b"two\nzero\none\n", False)}
    after = {**AFTER, SHARED: File(b"two\nzero\none\n# ours 1\n", True)}

    assert Update(RELEASED, moved, BEFORE, after, []).losses() == []
