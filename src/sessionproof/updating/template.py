"""The template of a project: its versions, its changelog, and its rendered files."""

import re
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import copier
import yaml
from copier.errors import CopierError
from packaging import version as pep440
from pathspec import PathSpec

from .project import ANSWERS, Answers, Refusal, git, taken_over

SHORTCUTS = {"gh:": "https://github.com", "gl:": "https://gitlab.com"}
WHEN_YOU_UPDATE = "### When you update"
REASON = re.compile(r"^(?:fatal|error|ERROR|ssh): *(.*?)[.;]?$", re.MULTILINE)
HEADING = re.compile(r"\+## (\d+\.\d+\.\d+)\b")
RENDERS = ("copier.yml", "macros", "template")


class Unknown(Refusal):
    """The template has no version with this name."""


@dataclass(frozen=True)
class Version:
    """A commit of the template, with the name that Copier gives it."""

    name: str
    commit: str


@dataclass(frozen=True)
class Template:
    """A clone of the template, the place that it was cloned from, and the place that is recorded."""

    folder: Path
    place: str
    remembered: str
    _settings: dict[str, dict[str, Any]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def git(self, *arguments: str) -> str:
        """Run git in the clone and return its output. Raises CalledProcessError."""
        return git(self.folder, *arguments)

    def version(self, name: str) -> Version:
        """Return the version for a tag, release, branch, hash or output of `git describe`."""
        for reference in (name, f"refs/remotes/origin/{name}", self._released(name)):
            commit = self._commit(reference)
            if commit:
                return Version(self._described(commit), commit)
        known = ", ".join(self.releases) or "no release"
        raise Unknown(f"the template has no version {name}; it has {known} and its commits")

    def is_remembered(self, answers: Answers) -> bool:
        """Return whether these answers record this place and a version that exists."""
        try:
            self.version(str(answers["_commit"]))
        except Unknown:
            return False
        return answers["_src_path"] == self.remembered

    def newest(self) -> Version:
        """Return the newest release, or the last commit if there is no release."""
        return self.version(next(reversed(self.releases), "HEAD"))

    @cached_property
    def releases(self) -> dict[str, str]:
        """Each release and its commit, oldest first: from tags, or from the changelog's headings."""
        tags = [tag for tag in self.git("tag", "--list").split() if _is_release(tag)]
        tagged = {pep440.parse(tag) for tag in tags}
        found = {tag: f"refs/tags/{tag}" for tag in tags}
        for version, commit in self._headings().items():
            if pep440.parse(version) not in tagged:
                found[f"v{version}"] = commit
        return {name: found[name] for name in sorted(found, key=pep440.parse)}

    def gained(self, old: Version, new: Version) -> list[str]:
        """Return the releases that `new` contains and `old` does not."""
        return [
            name
            for name, commit in self.releases.items()
            if self._has(new.commit, commit) and not self._has(old.commit, commit)
        ]

    @property
    def is_shallow(self) -> bool:
        """Whether the repository that was cloned is shallow."""
        return self.git("rev-parse", "--is-shallow-repository").strip() == "true"

    def is_older(self, version: Version, than: Version) -> bool:
        """Return whether `version` is an ancestor of `than`."""
        return version != than and self._has(than.commit, version.commit)

    def blobs(self) -> Mapping[str, Set[str]]:
        """Return the hashes of all files of each commit, newest first."""
        commits = self.git("rev-list", "--all", "--date-order").split()
        return {
            commit: {line.split()[2] for line in self.git("ls-tree", "-r", commit).splitlines()}
            for commit in commits
        }

    def different(self, commits: Sequence[str]) -> list[str]:
        """Return the first commit of each group of commits that render the same files."""
        first: dict[str, str] = {}
        for commit in commits:
            first.setdefault(self.git("ls-tree", commit, *RENDERS), commit)
        return list(first.values())

    def _commit(self, reference: str) -> str:
        """Return the hash of the commit with this name, or an empty text."""
        if not reference:
            return ""
        try:
            name = ("rev-parse", "--quiet", "--verify", "--end-of-options", f"{reference}^0")
            return self.git(*name).strip()
        except subprocess.CalledProcessError:
            return ""

    def _released(self, name: str) -> str:
        """Return the commit of a release; its name may begin with a v or not."""
        same = [release for release in self.releases if release.lstrip("v") == name.lstrip("v")]
        return self.releases[same[0]] if same else ""

    def _described(self, commit: str) -> str:
        """Return what `git describe` would print, even if the releases have no tags."""
        short = self.git("rev-parse", "--short", commit).strip()
        for name, release in reversed(self.releases.items()):
            if self._has(commit, release):
                since = self.git("rev-list", "--count", f"{release}..{commit}").strip()
                return name if since == "0" else f"{name}-{since}-g{short}"
        return short

    def _has(self, commit: str, ancestor: str) -> bool:
        try:
            self.git("merge-base", "--is-ancestor", ancestor, commit)
        except subprocess.CalledProcessError:
            return False
        return True

    def _headings(self) -> Mapping[str, str]:
        """Return each version in the changelog with the first commit that has its heading."""
        log = self.git(
            *("log", "--reverse", "--topo-order", "--format=commit %H", "--patch", "--unified=0"),
            *("--no-color", "--no-ext-diff", "--no-textconv", "--", "CHANGELOG.md"),
        )
        cut = self.folder / ".git/shallow"  # the parents of these commits are missing
        beginnings = cut.read_text(encoding="utf-8").split() if cut.exists() else []
        found: dict[str, str] = {}
        commit = ""
        for line in log.splitlines():
            if line.startswith("commit "):
                commit = line.removeprefix("commit ")
            elif (heading := HEADING.match(line)) and commit not in beginnings:
                found.setdefault(heading[1], commit)
        return found

    def settings(self, version: Version) -> dict[str, Any]:
        """Return the version's copier.yml. It is cached, so do not change it."""
        if version.commit not in self._settings:
            self._settings[version.commit] = yaml.safe_load(self._read("copier.yml", version))
        return self._settings[version.commit]

    def questions(self, version: Version) -> list[str]:
        """Return the names of the questions that are asked, without computed ones."""
        return list(asked(self.settings(version)))

    def changes(self, old: Version, new: Version) -> str:
        """Return the new sections of the changelog. Each begins with *When you update*."""
        known = _sections(self._read("CHANGELOG.md", old))
        sections = _sections(self._read("CHANGELOG.md", new))
        gained = [text for heading, text in sections.items() if heading not in known]
        return "\n".join(map(_when_you_update_first, gained)).strip()

    def _read(self, path: str, version: Version) -> str:
        try:
            return self.git("show", f"{version.commit}:{path}")
        except subprocess.CalledProcessError:
            return ""

    def render(self, version: Version, answers: Answers, *, ask: bool = False) -> "Rendering":
        """Render a version with these answers. With `ask`, ask for missing answers."""
        settings = self.settings(version)
        sample = settings.get("sample", {}).get("default", [])
        # The folder's name tells copier.yml that the answers are recorded ones, not a new project's.
        with TemporaryDirectory(suffix="_copy.") as folder:
            # Files that the team has taken over are rendered too, to report their changes.
            taken = [f"!/{path}" for path in taken_over(answers)]
            self._copy(version, answers, Path(folder), without=[*taken, *sample], ask=ask)
            return Rendering.of(Path(folder), settings.get("_skip_if_exists", []))

    def require_valid(self, version: Version, answers: Answers) -> None:
        """Raises Refusal with one line for each mistake in the answers."""
        with TemporaryDirectory() as folder:
            self._copy(version, answers, Path(folder), without=["*"])

    def _copy(
        self,
        version: Version,
        answers: Answers,
        folder: Path,
        *,
        without: Sequence[str],
        ask: bool = False,
    ) -> None:
        questions = self.questions(version)
        try:
            copier.run_copy(
                str(self.folder),
                folder,
                {name: answers[name] for name in questions if name in answers},
                vcs_ref=version.commit,
                exclude=without,
                defaults=not ask,
                quiet=True,
            )
        except (CopierError, ValueError) as error:
            invalid, _, mistakes = str(error).partition("': ")
            if invalid.startswith("Validation error for question '"):
                raise Refusal(mistakes) from error
            reason = str(error).removeprefix("'None' has no attribute ")
            raise Refusal(f"{version.name} cannot be rendered: {reason}") from error


@dataclass(frozen=True)
class Rendering:
    """The files that a version renders with certain answers, without the worked example."""

    files: Mapping[str, bytes]
    answers_file: bytes
    is_yours: Callable[[str], bool]

    @classmethod
    def of(cls, folder: Path, yours: Sequence[str]) -> "Rendering":
        """Read every file in the folder."""
        files = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        answers = files.pop(ANSWERS)
        return cls(files, answers, PathSpec.from_lines("gitignore", yours).match_file)

    @cached_property
    def answers(self) -> Answers:
        """The answers that it was rendered with."""
        return without_private(yaml.safe_load(self.answers_file))

    def text(self, path: str) -> bytes:
        """Return the file's text, or `b""` if there is no such file."""
        return self.answers_file if path == ANSWERS else self.files.get(path, b"")


@contextmanager
def cloned(place: str, *, remembered: str) -> Iterator[Template]:
    """Yield a temporary clone of the template, with its history."""
    with TemporaryDirectory() as parent:
        folder = Path(parent).resolve() / "template"
        # With --local, the clone would have commits that the template no longer has.
        command = ("git", "clone", "--quiet", "--no-checkout", "--no-local", "--")
        result = subprocess.run(
            [*command, expanded(place), str(folder)],
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        if result.returncode:
            said = [*REASON.findall(result.stderr), "git gave no reason"]
            raise Refusal(
                f"the template at {place} cannot be cloned: {said[0]}; check the network and your "
                "permissions; if it has moved: just update --source <its URL or path>"
            )
        yield Template(folder, place, remembered)


def is_url(source: str) -> bool:
    """Return whether this is a URL, a shortcut like `gh:`, or `user@host:path`, not a path."""
    return re.match(r"[^/]+:", source) is not None


def expanded(place: str) -> str:
    """Expand Copier's shortcuts into a URL that git understands."""
    for shortcut, host in SHORTCUTS.items():
        if place.startswith(shortcut):
            return f"{host}/{place.removeprefix(shortcut).strip('/').removesuffix('.git')}.git"
    return place.removeprefix("git+")


def asked(settings: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the questions that are asked, without computed ones."""
    return {
        name: question
        for name, question in settings.items()
        if not name.startswith("_")
        and isinstance(question, dict)
        and question.get("when") is not False
    }


def without_private(answers: Answers) -> Answers:
    """Return the answers without the private ones that Copier adds, such as `_commit`."""
    return {name: answer for name, answer in answers.items() if not name.startswith("_")}


def _is_release(tag: str) -> bool:
    try:
        return not pep440.parse(tag).is_prerelease
    except pep440.InvalidVersion:
        return False


def _sections(changelog: str) -> dict[str, str]:
    """Return the text of each release by its heading."""
    parts = re.split(r"^(?=## )", changelog, flags=re.MULTILINE)[1:]
    return {part.splitlines()[0]: part for part in parts}


def _when_you_update_first(section: str) -> str:
    heading, *parts = re.split(r"^(?=### )", section, flags=re.MULTILINE)
    parts.sort(key=lambda part: not part.startswith(WHEN_YOU_UPDATE))
    return "".join([heading, *(f"{part.strip()}\n\n" for part in parts)])
