"""An update loses nothing, whatever a team has done to its project since.

`python -m tests.histories --each 200` follows 200 random histories of edits from every release,
with every set of answers, to the files as they are. `tests/edits.py` has what a team does.
"""

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import Phase, given, seed, settings

from .conftest import NEWEST, clone, once
from .edits import HISTORIES, Edit, Team
from .explorations import command_line, explore
from .losses import Update, read
from .project import Project, copy
from .release import RELEASES, export, questions
from .repository import git
from .variants import MANY_VALUES, Answers, name


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
        answers = {key: answers[key] for key in answers.keys() & questions(self.template, version)}
        start = self.start(version, answers)
        released, fresh = read(start), read(self.start(NEWEST, answers))
        with TemporaryDirectory() as folder:
            project = Project(shutil.copytree(start, Path(folder) / "project"))
            team = Team(project.path, list(released), sorted(fresh.keys() - released.keys()))
            for edit in history:
                edit.make(team)
            project.commit()
            project.commit()  # what a deleted .gitattributes said, held for the first commit
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
        git("commit", "--quiet", "--allow-empty", "--message", version, folder=folder)
        git("tag", version, folder=folder)
    git("gc", "--quiet", folder=folder)


def main() -> None:
    """Follow histories from releases, the newest first, with every set of answers."""
    parser = command_line("tests.histories", __doc__, each=200)
    parser.add_argument(
        "--from",
        dest="versions",
        nargs="+",
        choices=RELEASES,
        default=RELEASES,
        metavar="VERSION",
        help="only from these releases, for example v0.5.0",
    )
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        clone(Path(folder) / "clone")
        origins = Origins(Path(folder) / "clone", Path(folder) / "origins")
        sets = {
            f"{version} {name(answers)}": partial(
                origins.explore, version, answers, count=options.each, start=options.start
            )
            for version in reversed(RELEASES)
            if version in options.versions
            for answers in MANY_VALUES
        }
        tallies = explore(sets, options.jobs)
    total = Tally(*map(sum, zip(*(vars(tally).values() for tally in tallies), strict=True)))
    print(f"in all: {total}")
    sys.exit(len(tallies) < len(sets))


if __name__ == "__main__":
    main()
