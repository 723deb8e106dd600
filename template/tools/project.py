"""The project's repository: its state, its answers, and the note of an update under way."""

import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

ANSWERS = ".copier-answers.yml"
UNFINISHED = ("MERGE_HEAD", "REBASE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD")
MARK = re.compile(rb"^(<<<<<<< before updating|>>>>>>> after updating)\r?$", re.MULTILINE)

Answers = dict[str, object]


class Refusal(Exception):
    """Nothing was changed. One sentence: what was expected, what is there, the way out."""


def git(folder: Path, *arguments: str) -> str:
    """What git prints. Raises CalledProcessError."""
    return subprocess.run(
        ["git", *arguments], cwd=folder, capture_output=True, encoding="utf-8", check=True
    ).stdout


@dataclass(frozen=True)
class Note:
    """An update under way, as it is remembered beside the repository until it is committed."""

    head: str
    version: str
    finished: bool = False


@dataclass(frozen=True)
class Project:
    """A project that follows the template, in a repository or in a folder of one."""

    folder: Path

    def git(self, *arguments: str) -> str:
        """What git prints, in the project's folder. Raises CalledProcessError."""
        return git(self.folder, *arguments)

    def says(self, *arguments: str) -> bool:
        """Whether git ends with success."""
        return not subprocess.run(
            ["git", *arguments], cwd=self.folder, capture_output=True, check=False
        ).returncode

    def paths(self, *arguments: str) -> list[str]:
        """The paths that git prints, relative to the project."""
        names = self.git(*arguments, "-z", "--", ".").split("\0")
        return sorted({name for name in names if name})

    def changes(self, kinds: str) -> list[str]:
        """What differs from the last commit, by the kinds of `git diff --diff-filter`."""
        return self.paths(
            "diff", "HEAD", "--relative", "--no-renames", "--name-only", f"--diff-filter={kinds}"
        )

    def tracked(self) -> set[str]:
        """Every file that git knows and that is there."""
        return {path for path in self.paths("ls-files", "--cached") if self.has(path)}

    def has(self, path: str) -> bool:
        """Whether the file is there."""
        return (self.folder / path).is_file()

    def read(self, path: str) -> bytes:
        """What is in the file; nothing where there is none."""
        return (self.folder / path).read_bytes() if self.has(path) else b""

    def conflicts(self) -> list[str]:
        """Files with both sides in them, as git knows or as their marks say, and rejected parts."""
        touched = [*self.changes("AMT"), *self.new_files()]
        marked = [path for path in touched if MARK.search(self.read(path)) or path.endswith(".rej")]
        return sorted({*self.unmerged(), *marked})

    def unmerged(self) -> list[str]:
        """Files whose conflict git knows."""
        return self.paths("diff", "--relative", "--name-only", "--diff-filter=U")

    def new_files(self) -> list[str]:
        """What git does not know and does not ignore."""
        return self.paths("ls-files", "--others", "--exclude-standard")

    @property
    def head(self) -> str:
        """The commit that the tree is at."""
        return self.git("rev-parse", "HEAD").strip()

    @property
    def is_clean(self) -> bool:
        """Whether everything is committed."""
        return not self.git("status", "--porcelain", "--untracked-files=normal", "--", ".")

    def answers(self) -> Answers:
        """What the project was generated with, and from where."""
        answers = yaml.safe_load((self.folder / ANSWERS).read_text(encoding="utf-8"))
        if not isinstance(answers, dict) or not {"_src_path", "_commit"} <= answers.keys():
            raise Refusal(
                f"{ANSWERS} must name the template and its version, _src_path and _commit; "
                f"bring its last good state back: git log -p {ANSWERS}"
            )
        return answers

    def require_ready(self) -> None:
        """Raises Refusal unless the project can be updated, and can be given back as it is."""
        self._require_repository()
        if not (self.folder / ANSWERS).is_file():
            raise Refusal(f"{self.folder} has no {ANSWERS}, so it follows no template")
        note = self.note()
        if note and not self.is_clean:
            state = "waits to be committed" if note.finished else "was stopped before its end"
            raise Refusal(
                f"the update to {note.version} {state}; commit it, or give back the tree as it "
                "was before: just update-abandon"
            )
        if any(self.says("rev-parse", "--quiet", "--verify", name) for name in UNFINISHED):
            raise Refusal("a merge or a rebase is not finished; finish it first: git status")
        if not self.is_clean:
            raise Refusal("everything must be committed, or stashed, before: git status")

    def _require_repository(self) -> None:
        if not self.says("rev-parse", "--git-dir"):
            raise Refusal(
                f"{self.folder} is not in a git repository; begin with: git init && git add --all "
                '&& git commit --message "Start from the template"'
            )
        if not self.says("rev-parse", "--verify", "HEAD"):
            raise Refusal("nothing is committed yet: git add --all && git commit")

    def note(self) -> Note | None:
        """The update under way: void, and forgotten, as soon as something is committed."""
        path = self._note
        if not path.exists():
            return None
        note = Note(**json.loads(path.read_text(encoding="utf-8")))
        if note.head == self.head:
            return note
        path.unlink()
        return None

    def remember(self, note: Note) -> None:
        """Note the update, or its end, in one step."""
        new = self._note.with_suffix(".new")
        new.write_text(json.dumps(asdict(note)), encoding="utf-8")
        new.replace(self._note)

    @property
    def _note(self) -> Path:
        place = self.git("rev-parse", "--show-prefix").strip().replace("/", "-")
        return self.folder / self.git("rev-parse", "--git-path", f"update-{place}note").strip()

    def abandon(self) -> str:
        """Give back the tree as it was; all that came since is put into the stash. Says so."""
        self._require_repository()
        note = self.note()
        if not note:
            raise Refusal(
                "no update is under way; to undo one that is committed: git revert <its commit>"
            )
        kept = not self.is_clean
        if kept:
            self.git("add", "--all", "--", ".")  # a stash takes neither conflicts nor new files
            message = f"the update to {note.version}, abandoned"
            self.git("stash", "push", "--message", message, "--", ".")
        self._note.unlink()
        stash = "; what had come since is in git stash list" if kept else ""
        return f"the tree is as it was before the update to {note.version}{stash}"

    def restore(self, paths: Sequence[str]) -> None:
        """These files, as the last commit has them."""
        if paths:
            self.git("checkout", "HEAD", "--", *paths)

    @contextmanager
    def copied(self) -> Iterator["Project"]:
        """A clone, to try something in: what is committed, and no more."""
        prefix = self.git("rev-parse", "--show-prefix").strip()
        top = self.git("rev-parse", "--show-toplevel").strip()
        with TemporaryDirectory() as folder:
            self.git("clone", "--quiet", top, folder)
            yield Project(Path(folder).resolve() / prefix)
