"""The project's repository: its state, its answers, and the note of an update under way."""

import json
import os
import re
import subprocess
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from hashlib import sha1
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

import yaml

ANSWERS = ".copier-answers.yml"
LOCK = "uv.lock"  # uv writes it, no update does, and each `uv run` may
UNFINISHED = ("MERGE_HEAD", "REBASE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD")
MARK = re.compile(rb"^(<<<<<<< before updating|>>>>>>> after updating)\r?$", re.MULTILINE)

# Neither the machine's settings of git nor the project's change a byte in a clone.
CLONE = ("core.autocrlf=false", f"core.hooksPath={os.devnull}", f"core.excludesFile={os.devnull}")
VERBATIM = "-text -eol -filter -ident -working-tree-encoding"

# What a hook of git sets, which would lead to its repository instead of the project's.
HOOKS = (
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_IMPLICIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_PREFIX"),
    *("GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"),
    *("GIT_SHALLOW_FILE", "GIT_GRAFT_FILE", "GIT_NAMESPACE", "GIT_CONFIG"),
)

# A commit in a copy needs an author, and the machine may not have one.
AUTHOR = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "just update"), ("EMAIL", "update@noreply.invalid"))
}

Answers = dict[str, object]

UV = os.environ.get("UV", "uv")  # the program itself, if it has started this one


class Refusal(Exception):  # noqa: N818 - no mistake of a program
    """Nothing was changed. One sentence: what was expected, what is there, the way out."""


def git(folder: Path, *arguments: str, **environment: str) -> str:
    """What git prints. Raises CalledProcessError."""
    return subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",  # a name of a file may be anything
        check=True,
    ).stdout


def own_environment() -> dict[str, str]:
    """For programs of the project: they have an environment of their own, not this program's."""
    return {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}


def parsed_answers(text: bytes) -> Answers:
    """The answers in a file of Copier's. Raises Refusal unless it can be read as one."""
    if re.search(rb"^(<{7}|={7}|>{7})", text, re.MULTILINE):
        raise _unreadable("has the marks of a merge in it")
    try:
        answers = yaml.safe_load(text.decode("utf-8"))
    except (yaml.YAMLError, ValueError) as error:  # a date or a byte may be impossible too
        raise _unreadable(f"is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(answers, dict):
        raise _unreadable("is not a mapping of answers")
    for name in ("_src_path", "_commit"):  # Copier records no version of a downloaded archive
        if not isinstance(answers.setdefault(name, ""), str):
            raise _unreadable(f"must have a text as {name}, got {answers[name]!r}")
    return answers


def _unreadable(what: str) -> Refusal:
    return Refusal(f"{ANSWERS} {what}; bring its last good state back: git log -p {ANSWERS}")


def taken_over(answers: Answers) -> list[str]:
    """The files and folders of the template that the team has taken over."""
    paths: Any = answers.get("ours") or []
    return [paths] if isinstance(paths, str) else [str(path) for path in paths]


def blob(content: bytes) -> str:
    """The hash by which git knows a file with this content."""
    return sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Note:
    """An update under way, as it is remembered beside the repository until it is committed."""

    head: str
    version: str
    finished: bool = False
    paths: Sequence[str] = ()


@dataclass(frozen=True)
class Project:
    """A project that follows the template, in a repository or in a folder of one."""

    folder: Path

    def git(self, *arguments: str, **environment: str) -> str:
        """What git prints, in the project's folder. Raises CalledProcessError."""
        return git(self.folder, *arguments, **environment)

    def feed(
        self,
        *arguments: str,
        given: bytes = b"",
        status: Container[int] = (0,),
        environment: Mapping[str, str] | None = None,
    ) -> bytes:
        """What git prints for what it is given, both in bytes. Raises CalledProcessError."""
        result = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env=os.environ | (environment or {}),
            input=given,
            capture_output=True,
            check=False,
        )
        if result.returncode not in status:
            said = result.stderr.decode(errors="replace")
            raise subprocess.CalledProcessError(result.returncode, result.args, "", said)
        return result.stdout

    def says(self, *arguments: str) -> bool:
        """Whether git ends with success."""
        return not subprocess.run(
            ["git", *arguments], cwd=self.folder, capture_output=True, check=False
        ).returncode

    def paths(self, *arguments: str) -> list[str]:
        """The paths that git prints, relative to the project."""
        names = self.git(*arguments, "-z", "--", ".").split("\0")
        return sorted({name for name in names if name and name != LOCK})

    def changes(self, kinds: str = "") -> list[str]:
        """What differs from the last commit, by the kinds of `git diff --diff-filter`."""
        return self.paths(
            "diff", "HEAD", "--relative", "--no-renames", "--name-only", f"--diff-filter={kinds}"
        )

    def tracked(self) -> set[str]:
        """Every file that git knows and that is there."""
        return {path for path in self.paths("ls-files", "--cached") if self.has(path)}

    def committed(self) -> set[str]:
        """Every file of the last commit."""
        return {*self.paths("ls-tree", "-r", "--name-only", "HEAD")}

    def hidden(self) -> set[str]:
        """Files that git does not look at: assumed unchanged, or left out of the tree."""
        entries = self.paths("ls-files", "-v")
        return {entry[2:] for entry in entries if entry[0].islower() or entry[0] == "S"}

    def has(self, path: str) -> bool:
        """Whether the file is there."""
        return (self.folder / path).is_file()

    def read(self, path: str) -> bytes:
        """What is in the file; nothing where there is none."""
        return (self.folder / path).read_bytes() if self.has(path) else b""

    def obstacle(self, path: str, *, is_new: bool) -> str | None:
        """What is there instead of such a file: anything, or a link, or a folder that is none."""
        for folder in [*reversed(PurePosixPath(path).parents)][1:]:
            place = self.folder / folder
            if place.is_symlink() or place.is_file() or (place / ".git").exists():
                return folder.as_posix()
        place = self.folder / path
        is_there = os.path.lexists(place) if is_new else place.is_symlink()
        return path if is_there else None

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

    def untracked(self) -> list[str]:
        """What git does not know, ignored or not."""
        return self.paths("ls-files", "--others")

    @cached_property
    def place(self) -> str:
        """The project's folder in its repository, with a slash at its end; or nothing."""
        return self.git("rev-parse", "--show-prefix").removesuffix("\n")

    @property
    def head(self) -> str:
        """The commit that the tree is at."""
        return self.git("rev-parse", "HEAD").strip()

    @property
    def is_clean(self) -> bool:
        """Whether everything is committed."""
        return not self.dirt()

    def dirt(self) -> list[str]:
        """What is not committed: every file and folder that `git status` would name."""
        status = ("status", "--porcelain", "-z", "--no-renames", "--untracked-files=normal")
        place, lines = self.place, self.git(*status, "--", ".").split("\0")
        names = (line[3:].removeprefix(place) for line in lines)
        return sorted({name for name in names if name and name != LOCK})

    def last_to_write(self, text: str) -> str:
        """The last commit that wrote the text into the answers; the last commit if none is known."""
        log = ("log", "-1", "--format=%H", f"-S{text}", "--", ANSWERS) if text else ("log", "-0")
        return self.git(*log).strip() or "HEAD"

    def blobs(self, commit: str) -> dict[str, str]:
        """Each file in a commit, and the hash of its content."""
        entries = self.git("ls-tree", "-r", "-z", commit).split("\0")
        described = (entry.partition("\t") for entry in entries if entry)
        return {path: entry.split()[2] for entry, _, path in described}

    def commit_all(self, message: str) -> None:
        """Commit everything, whoever is said to be the author and whatever the hooks say."""
        self.git("add", "--all", "--", ".")
        commit = ("commit", "--quiet", "--allow-empty", "--no-verify", "--no-gpg-sign")
        self.git(*commit, "--message", message, **AUTHOR)

    def answers(self) -> Answers:
        """What the project was generated with, and from where. Raises Refusal."""
        return parsed_answers((self.folder / ANSWERS).read_bytes())

    def require_answers(self) -> None:
        """Raises Refusal if the project follows no template."""
        if not (self.folder / ANSWERS).is_file():
            raise Refusal(f"{self.folder} has no {ANSWERS}, so it follows no template")

    def require_ready(self) -> None:
        """Raises Refusal unless the project can be updated, and can be given back as it is."""
        self.require_repository()
        note = self.note()
        if note and not self.is_clean:
            state = "waits to be committed" if note.finished else "was stopped before its end"
            raise Refusal(
                f"the update to {note.version} {state}; commit it, or give back the tree as it "
                "was before: just update-abandon"
            )
        if any(self.says("rev-parse", "--quiet", "--verify", name) for name in UNFINISHED):
            raise Refusal("a merge or a rebase is not finished; finish it first: git status")
        if dirt := self.dirt():
            more = f" and {len(dirt) - 3} more" if len(dirt) > 3 else ""
            raise Refusal(
                f"everything must be committed before, and {', '.join(dirt[:3])}{more} is not: "
                "git add --all && git commit, or git stash --include-untracked"
            )

    def require_repository(self) -> None:
        """Raises Refusal unless something is committed."""
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
        place = self.place.replace("/", "-")
        return self.folder / self.git("rev-parse", "--git-path", f"update-{place}note").strip()

    def forget(self) -> None:
        """The update is no longer under way."""
        self._note.unlink()

    def restore(self, paths: Sequence[str]) -> None:
        """These files, as the last commit has them."""
        if paths:
            self.git("--literal-pathspecs", "checkout", "HEAD", "--", *paths)

    @contextmanager
    def copied(self) -> Iterator["Project"]:
        """A clone, to try something in: what is committed, byte for byte, and no more."""
        top = self.git("rev-parse", "--show-toplevel").removesuffix("\n")
        with TemporaryDirectory() as place:
            folder = Path(place).resolve()
            settings = [word for setting in CLONE for word in ("--config", setting)]
            self.git("clone", "--quiet", "--shared", "--no-checkout", *settings, top, str(folder))
            (folder / ".git/info").mkdir(exist_ok=True)
            (folder / ".git/info/attributes").write_text(f"* {VERBATIM}\n", encoding="utf-8")
            git(folder, "reset", "--quiet", "--hard", self.head)
            yield Project(folder / self.place)

    @contextmanager
    def rehearsed(self) -> Iterator["Project"]:
        """The project if it is ready; else a copy of its files in which everything is committed."""
        try:
            self.require_ready()
        except Refusal:
            with TemporaryDirectory() as place:
                yield self._snapshot(Path(place).resolve() / "project")
        else:
            yield self

    def _snapshot(self, folder: Path) -> "Project":
        """What git knows or would add, committed in that folder."""
        folder.mkdir()
        git(folder, "init", "--quiet")
        there = (f"--git-dir={folder / '.git'}", f"--work-tree={self.folder}")
        self.git(*there, "-c", CLONE[0], "add", "--all", "--", ".")
        if self.says("rev-parse", "--git-dir"):
            known = "\0".join(self.tracked())
            ignored = ("add", "--force", "--pathspec-from-file=-", "--pathspec-file-nul")
            self.feed(*there, "-c", CLONE[0], *ignored, given=os.fsencode(known))
        copy = Project(folder)
        copy.git("commit", "--quiet", "--no-verify", "--no-gpg-sign", "--message", "all", **AUTHOR)
        copy.git("-c", CLONE[0], "reset", "--quiet", "--hard")
        return copy
