"""The project's repository: its state, its answers, and the note about an unfinished update."""

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
LOCK = "uv.lock"  # ignored here: every `uv run` may write it, and no update does
UNFINISHED = ("MERGE_HEAD", "REBASE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD")
MARK = re.compile(rb"^(<<<<<<< before updating|>>>>>>> after updating)\r?$", re.MULTILINE)

# With these settings, a clone has exactly the bytes that were committed.
CLONE = ("core.autocrlf=false", f"core.hooksPath={os.devnull}", f"core.excludesFile={os.devnull}")
VERBATIM = "-text -eol -filter -ident -working-tree-encoding"

# A git hook sets these variables. They would make git use the hook's repository.
HOOKS = (
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_IMPLICIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_PREFIX"),
    *("GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"),
    *("GIT_SHALLOW_FILE", "GIT_GRAFT_FILE", "GIT_NAMESPACE", "GIT_CONFIG"),
)

# Commits in a copy need an author, and the machine may not have one configured.
AUTHOR = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "just update"), ("EMAIL", "update@noreply.invalid"))
}

Answers = dict[str, object]

UV = os.environ.get("UV", "uv")  # uv sets UV to its own path if it runs this command


class Refusal(Exception):  # noqa: N818 - not a programming error
    """The command refuses to run and has changed nothing. The message says why and what to do."""


def git(folder: Path, *arguments: str, **environment: str) -> str:
    """Run git in the folder and return its output. Raises CalledProcessError."""
    return subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",  # file names may have any bytes
        check=True,
    ).stdout


def own_environment() -> dict[str, str]:
    """Return environment variables with which uv uses the project's own virtual environment."""
    return {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}


def parsed_answers(text: bytes) -> Answers:
    """Parse Copier's answers file. Raises Refusal if it is malformed."""
    if re.search(rb"^(<{7}|={7}|>{7})", text, re.MULTILINE):
        raise _unreadable("has conflict markers")
    try:
        answers = yaml.safe_load(text.decode("utf-8"))
    except (yaml.YAMLError, ValueError) as error:  # ValueError for an impossible date or byte
        raise _unreadable(f"is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(answers, dict):
        raise _unreadable("is not a mapping of answers")
    for name in ("_src_path", "_commit"):  # Copier records no commit for a downloaded archive
        if not isinstance(answers.setdefault(name, ""), str):
            raise _unreadable(f"must have a string as {name}, got {answers[name]!r}")
    return answers


def _unreadable(what: str) -> Refusal:
    return Refusal(f"{ANSWERS} {what}; restore an older version of it: git log -p {ANSWERS}")


def taken_over(answers: Answers) -> list[str]:
    """Return the files and folders that the team has taken over from the template."""
    paths: Any = answers.get("ours") or []
    return [paths] if isinstance(paths, str) else [str(path) for path in paths]


def blob(content: bytes) -> str:
    """Return git's hash of this content."""
    return sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Note:
    """A note about an update; it is stored in the `.git` folder until the update is committed."""

    head: str
    version: str
    finished: bool = False
    paths: Sequence[str] = ()


@dataclass(frozen=True)
class Project:
    """A generated project: a repository, or a folder inside one."""

    folder: Path

    def git(self, *arguments: str, **environment: str) -> str:
        """Run git in the project's folder and return its output. Raises CalledProcessError."""
        return git(self.folder, *arguments, **environment)

    def feed(
        self,
        *arguments: str,
        given: bytes = b"",
        status: Container[int] = (0,),
        environment: Mapping[str, str] | None = None,
    ) -> bytes:
        """Run git with `given` as its input, and return its output. Raises CalledProcessError."""
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
        """Return whether git succeeds."""
        return not subprocess.run(
            ["git", *arguments], cwd=self.folder, capture_output=True, check=False
        ).returncode

    def paths(self, *arguments: str) -> list[str]:
        """Return the paths that git prints, relative to the project."""
        names = self.git(*arguments, "-z", "--", ".").split("\0")
        return sorted({name for name in names if name and name != LOCK})

    def changes(self, kinds: str = "") -> list[str]:
        """Return files that differ from the last commit; `kinds` as for `git diff --diff-filter`."""
        return self.paths(
            "diff", "HEAD", "--relative", "--no-renames", "--name-only", f"--diff-filter={kinds}"
        )

    def tracked(self) -> set[str]:
        """Return every tracked file that exists."""
        return {path for path in self.paths("ls-files", "--cached") if self.has(path)}

    def committed(self) -> set[str]:
        """Return every file of the last commit."""
        return {*self.paths("ls-tree", "-r", "--name-only", "HEAD")}

    def hidden(self) -> set[str]:
        """Return files that git skips: assumed unchanged, or outside the sparse checkout."""
        entries = self.paths("ls-files", "-v")
        return {entry[2:] for entry in entries if entry[0].islower() or entry[0] == "S"}

    def has(self, path: str) -> bool:
        """Return whether the file exists."""
        return (self.folder / path).is_file()

    def read(self, path: str) -> bytes:
        """Return the file's content, or `b""` if there is no such file."""
        return (self.folder / path).read_bytes() if self.has(path) else b""

    def obstacle(self, path: str, *, is_new: bool) -> str | None:
        """Return the path that stands in the way of this file, if any.

        That is a link, a file in place of a parent folder, another repository, or, for a new file,
        anything at its path.
        """
        for folder in [*reversed(PurePosixPath(path).parents)][1:]:
            place = self.folder / folder
            if place.is_symlink() or place.is_file() or (place / ".git").exists():
                return folder.as_posix()
        place = self.folder / path
        is_there = os.path.lexists(place) if is_new else place.is_symlink()
        return path if is_there else None

    def conflicts(self) -> list[str]:
        """Return files with conflicts: unmerged in git, with conflict markers, or `.rej` files."""
        touched = [*self.changes("AMT"), *self.new_files()]
        marked = [path for path in touched if MARK.search(self.read(path)) or path.endswith(".rej")]
        return sorted({*self.unmerged(), *marked})

    def unmerged(self) -> list[str]:
        """Return files that are unmerged in git."""
        return self.paths("diff", "--relative", "--name-only", "--diff-filter=U")

    def new_files(self) -> list[str]:
        """Return untracked files that git does not ignore."""
        return self.paths("ls-files", "--others", "--exclude-standard")

    def untracked(self) -> list[str]:
        """Return untracked files, including ignored ones."""
        return self.paths("ls-files", "--others")

    @cached_property
    def place(self) -> str:
        """The project's folder inside its repository, with a final slash; empty at the root."""
        return self.git("rev-parse", "--show-prefix").removesuffix("\n")

    @property
    def head(self) -> str:
        """The commit that is checked out."""
        return self.git("rev-parse", "HEAD").strip()

    @property
    def is_clean(self) -> bool:
        """Whether everything is committed."""
        return not self.dirt()

    def dirt(self) -> list[str]:
        """Return uncommitted files and folders, as `git status` names them."""
        status = ("status", "--porcelain", "-z", "--no-renames", "--untracked-files=normal")
        place, lines = self.place, self.git(*status, "--", ".").split("\0")
        names = (line[3:].removeprefix(place) for line in lines)
        return sorted({name for name in names if name and name != LOCK})

    def last_to_write(self, text: str) -> str:
        """Return the last commit that wrote the text into the answers, or `HEAD` if none did."""
        log = ("log", "-1", "--format=%H", f"-S{text}", "--", ANSWERS) if text else ("log", "-0")
        return self.git(*log).strip() or "HEAD"

    def blobs(self, commit: str) -> dict[str, str]:
        """Return each file of a commit with git's hash of its content."""
        entries = self.git("ls-tree", "-r", "-z", commit).split("\0")
        described = (entry.partition("\t") for entry in entries if entry)
        return {path: entry.split()[2] for entry, _, path in described}

    def commit_all(self, message: str) -> None:
        """Commit everything, with a fixed author and without hooks."""
        self.git("add", "--all", "--", ".")
        commit = ("commit", "--quiet", "--allow-empty", "--no-verify", "--no-gpg-sign")
        self.git(*commit, "--message", message, **AUTHOR)

    def answers(self) -> Answers:
        """Return the project's answers, its template and its version. Raises Refusal."""
        return parsed_answers((self.folder / ANSWERS).read_bytes())

    def require_answers(self) -> None:
        """Raises Refusal if the project has no answers file."""
        if not (self.folder / ANSWERS).is_file():
            raise Refusal(
                f"{self.folder} has no {ANSWERS}: it is not the root of a generated project"
            )

    def require_ready(self) -> None:
        """Raises Refusal if the project cannot be updated and restored later."""
        self.require_repository()
        note = self.note()
        if note and not self.is_clean:
            state = "is not committed yet" if note.finished else "was interrupted"
            raise Refusal(
                f"the change by `just update` or `just entity`, with {note.version}, {state}; commit "
                "it, or restore the files as they were before: just update-abandon"
            )
        if any(self.says("rev-parse", "--quiet", "--verify", name) for name in UNFINISHED):
            raise Refusal("a merge, rebase, cherry-pick or revert is unfinished; see git status")
        if dirt := self.dirt():
            more = f" and {len(dirt) - 3} more" if len(dirt) > 3 else ""
            raise Refusal(
                f"these must be committed first: {', '.join(dirt[:3])}{more}; run "
                "git add --all && git commit, or git stash --include-untracked"
            )

    def require_repository(self) -> None:
        """Raises Refusal if the folder is not in a repository with a commit."""
        if not self.says("rev-parse", "--git-dir"):
            raise Refusal(
                f"{self.folder} is not in a git repository; make one: git init && git add --all "
                '&& git commit --message "Start from the template"'
            )
        if not self.says("rev-parse", "--verify", "HEAD"):
            raise Refusal("nothing is committed yet; run git add --all && git commit")

    def note(self) -> Note | None:
        """Return the note of an uncommitted update. A new commit makes it void and deletes it."""
        path = self._note
        if not path.exists():
            return None
        note = Note(**json.loads(path.read_text(encoding="utf-8")))
        if note.head == self.head:
            return note
        path.unlink()
        return None

    def remember(self, note: Note) -> None:
        """Write the note atomically."""
        new = self._note.with_suffix(".new")
        new.write_text(json.dumps(asdict(note)), encoding="utf-8")
        new.replace(self._note)

    @property
    def _note(self) -> Path:
        place = self.place.replace("/", "-")
        return self.folder / self.git("rev-parse", "--git-path", f"update-{place}note").strip()

    def forget(self) -> None:
        """Delete the note."""
        self._note.unlink()

    def restore(self, paths: Sequence[str]) -> None:
        """Restore these files from the last commit."""
        if paths:
            self.git("--literal-pathspecs", "checkout", "HEAD", "--", *paths)

    @contextmanager
    def copied(self) -> Iterator["Project"]:
        """Yield a temporary clone with exactly the bytes of the last commit."""
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
        """Yield the project if it is ready for an update, else a copy with everything committed."""
        try:
            self.require_ready()
        except Refusal:
            with TemporaryDirectory() as place:
                yield self._snapshot(Path(place).resolve() / "project")
        else:
            yield self

    def _snapshot(self, folder: Path) -> "Project":
        """Commit all tracked and addable files in a new repository in that folder."""
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
