"""Check that an update loses nothing, however a team has edited its project.

`python -m tests.fuzz.histories --each 200` tries 200 random histories of edits from every release and
with every set of answers, and updates them to the current files. `tests/fuzz/edits.py` makes the edits.
Every second history is updated by `just update`, after an update that was stopped and abandoned. The
others are updated by plain Copier. Ignored files must not change.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import Phase, given, seed, settings

from ..conftest import NEWEST, clone, once
from ..support.project import Project, copy
from ..support.release import RELEASES, export, questions
from ..support.repository import ROOT, git
from ..support.shell import UPDATE, clean_environment
from ..support.variants import MANY_VALUES, Answers, name
from .campaign import Counts, command_line, count_all
from .edits import HISTORIES, Edit, Team
from .loss_checker import Tree, Update, read


@dataclass
class Tally(Counts):
    """Counters of histories, edits and their results."""

    histories: int = 0
    edits: int = 0
    files: int = 0
    lines: int = 0
    conflicts: int = 0
    ignored: int = 0
    stopped: int = 0

    def add(self, history: Sequence[Edit], update: Update) -> None:
        """Count one more history."""
        self.histories += 1
        self.edits += len(history)
        self.files += len(update.before)
        self.lines += len(update.followed_lines())
        self.conflicts += len(update.conflicts)
        self.ignored += len(update.ignored)
        self.stopped += update.stopped


class Origins:
    """The initial projects of histories, each rendered once in this folder."""

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

    def follow(
        self, version: str, answers: Answers, history: Sequence[Edit], *, stop: int | None = None
    ) -> Update:
        """Start a project, edit it, and update it with plain Copier, or with one interruption before."""
        known = questions(self.template, version)
        answers = {key: answers[key] for key in answers.keys() & known}
        start = self.start(version, answers)
        keeps_suite = "contract" not in known  # an update does not take it from such a project
        fresh_answers: Answers = {"contract": keeps_suite, **answers}
        released, fresh = read(start), read(self.start(NEWEST, fresh_answers))
        with TemporaryDirectory() as folder:
            project = Project(shutil.copytree(start, Path(folder) / "project"))
            team = Team(project.path, list(released), sorted(fresh.keys() - released.keys()))
            for edit in history:
                edit.make(team)
            project.commit()
            project.commit()  # a deleted .gitattributes still applied to the first commit
            before, ignored = read(project.path), ignore(project, alone=stop is None)
            if stop is None:
                conflicts, spoilt = project.update(), {}
            else:
                interrupt(project, stop)
                is_other = as_git_keeps_it(read(project.path)) != as_git_keeps_it(before)
                spoilt = {"tree": is_other, **changed(project, ignored)}
                conflicts = just_update(project)
            return Update(
                *(released, fresh, before, read(project.path), conflicts),
                ignored=tuple(ignored),
                spoilt=tuple(name for name, is_so in spoilt.items() if is_so)
                + tuple(name for name, is_so in changed(project, ignored).items() if is_so),
                stopped=stop is not None,
            )

    def explore(self, version: str, answers: Answers, *, count: int, start: int = 0) -> Tally:
        """Try that many histories, the same ones for the same start. Fails if one loses work."""
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
            stop = history[-1].place.line if len(history) % 2 else None
            update = self.follow(version, answers, history, stop=stop)
            losses = update.losses()
            assert losses == [], "\n".join(losses)
            tally.add(history, update)
            if tally.histories % 20 == 0:
                print(f"{version} {name(answers)}: {tally}", flush=True)

        nothing_is_lost()
        return tally


# Files on a team's machine that are in no commit, if git ignores them in this project.
ON_THE_MACHINE = {
    ".env": b"DATABASE_URL=secret",
    "task_queue.db": b"rows",
    ".venv/bin/python": b"#!",
    "compose.yaml": b"ours, without a commit",
    "private/rows [1].bin": b"\xff\x00\r\n",
}


def ignore(project: Project, *, alone: bool) -> dict[str, bytes]:
    """Write ignored files, except those that plain Copier would overwrite."""
    (project.path / ".git/info").mkdir(exist_ok=True)
    (project.path / ".git/info/exclude").write_text("/private/\n/compose.yaml\n")
    tracked = {*git("ls-files", folder=project.path).splitlines()}
    ignored = {
        path: text
        for path, text in ON_THE_MACHINE.items()
        if not (alone and path == "compose.yaml")
        and path not in tracked
        and not (project.path / path).exists()
        and is_ignored(project, path)
    }
    for path, text in ignored.items():
        (project.path / path).parent.mkdir(parents=True, exist_ok=True)
        (project.path / path).write_bytes(text)
    return ignored


def is_ignored(project: Project, path: str) -> bool:
    command = ["git", "check-ignore", "--quiet", "--no-index", path]
    return not subprocess.run(command, cwd=project.path, check=False).returncode


def changed(project: Project, ignored: dict[str, bytes]) -> dict[str, bool]:
    """For each of these files, whether it has changed."""
    return {
        path: not (project.path / path).is_file() or (project.path / path).read_bytes() != text
        for path, text in ignored.items()
    }


def as_git_keeps_it(tree: Tree) -> dict[str, tuple[list[bytes], bool]]:
    """Each file without line endings, which git may change."""
    return {path: (file.lines, file.is_executable) for path, file in tree.items()}


def just_update(project: Project, *program: str) -> list[str]:
    """Update like `just update`, without the project's checks. Returns the files with conflicts."""
    update = (sys.executable, *program, "update") if program else UPDATE
    command = [*update, "--json", "--no-checks"]
    done = subprocess.run(
        command, cwd=project.path, env=clean_environment(), capture_output=True, check=False
    )
    told = json.loads(done.stdout or "{}")
    assert program or done.returncode < 2, done.stderr.decode(errors="replace")
    return list(told.get("conflicts", []))


def interrupt(project: Project, number: int) -> None:
    """Stop an update, usually while it writes, and abandon it."""
    how = (signal.SIGKILL, signal.SIGINT, signal.SIGTERM)[number % 3]
    just_update(
        project,
        str(ROOT / "tests/support/stop_at_step.py"),
        str(number),
        str(how.value),
        os.devnull,
    )
    command = [*UPDATE, "--abandon"]
    subprocess.run(
        command, cwd=project.path, env=clean_environment(), capture_output=True, check=False
    )


def keep_releases(template: Path, folder: Path) -> None:
    """A faster template: it has the same versions, but only the files that are rendered."""
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
    """Try histories from all releases, the newest first, with every set of answers."""
    parser = command_line("tests.fuzz.histories", __doc__, each=200)
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
        is_good = count_all(Tally, sets, options.jobs)
    sys.exit(not is_good)


if __name__ == "__main__":
    main()
