"""The template that the project follows: its versions, what changed between them, its files."""

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
    """The template has no such version."""


@dataclass(frozen=True)
class Version:
    """A commit of the template, and what Copier calls it."""

    name: str
    commit: str


@dataclass(frozen=True)
class Template:
    """A clone of the template, where it was cloned from, and as what the project remembers that."""

    folder: Path
    place: str
    remembered: str
    _settings: dict[str, dict[str, Any]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def git(self, *arguments: str) -> str:
        """What git prints, in the clone. Raises CalledProcessError."""
        return git(self.folder, *arguments)

    def version(self, name: str) -> Version:
        """The version of a tag, a release, a branch or a hash, or of what `git describe` said."""
        for reference in (name, f"refs/remotes/origin/{name}", self._released(name)):
            commit = self._commit(reference)
            if commit:
                return Version(self._described(commit), commit)
        known = ", ".join(self.releases) or "no release"
        raise Unknown(f"the template has no version {name}; it has {known}, and its commits")

    def is_remembered(self, answers: Answers) -> bool:
        """Whether a project with these answers names its place, and a version that it has."""
        try:
            self.version(str(answers["_commit"]))
        except Unknown:
            return False
        return answers["_src_path"] == self.remembered

    def newest(self) -> Version:
        """The newest release; if there is none, the last commit."""
        return self.version(next(reversed(self.releases), "HEAD"))

    @cached_property
    def releases(self) -> dict[str, str]:
        """Each release and its commit, oldest first: tags, and else headings of the changelog."""
        tags = [tag for tag in self.git("tag", "--list").split() if _is_release(tag)]
        tagged = {pep440.parse(tag) for tag in tags}
        found = {tag: f"refs/tags/{tag}" for tag in tags}
        for version, commit in self._headings().items():
            if pep440.parse(version) not in tagged:
                found[f"v{version}"] = commit
        return {name: found[name] for name in sorted(found, key=pep440.parse)}

    def gained(self, old: Version, new: Version) -> list[str]:
        """The releases that the one version has not, and the other has."""
        return [
            name
            for name, commit in self.releases.items()
            if self._has(new.commit, commit) and not self._has(old.commit, commit)
        ]

    @property
    def is_shallow(self) -> bool:
        """Whether the clone that it was cloned from lacks the older commits."""
        return self.git("rev-parse", "--is-shallow-repository").strip() == "true"

    def is_older(self, version: Version, than: Version) -> bool:
        """Whether the one is an ancestor of the other."""
        return version != than and self._has(than.commit, version.commit)

    def blobs(self) -> Mapping[str, Set[str]]:
        """The hash of each file in each commit, newest first."""
        commits = self.git("rev-list", "--all", "--date-order").split()
        return {
            commit: {line.split()[2] for line in self.git("ls-tree", "-r", commit).splitlines()}
            for commit in commits
        }

    def different(self, commits: Sequence[str]) -> list[str]:
        """The first of those commits that render the same."""
        first: dict[str, str] = {}
        for commit in commits:
            first.setdefault(self.git("ls-tree", commit, *RENDERS), commit)
        return list(first.values())

    def _commit(self, reference: str) -> str:
        """The hash of the commit; nothing if there is none of that name."""
        if not reference:
            return ""
        try:
            name = ("rev-parse", "--quiet", "--verify", "--end-of-options", f"{reference}^0")
            return self.git(*name).strip()
        except subprocess.CalledProcessError:
            return ""

    def _released(self, name: str) -> str:
        """The commit of a release, whether its name is spelled with a v or without."""
        same = [release for release in self.releases if release.lstrip("v") == name.lstrip("v")]
        return self.releases[same[0]] if same else ""

    def _described(self, commit: str) -> str:
        """As `git describe` says it, also if the releases have no tags."""
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
        """Each version in the changelog, and the first commit that has a heading for it."""
        log = self.git(
            *("log", "--reverse", "--topo-order", "--format=commit %H", "--patch", "--unified=0"),
            *("--no-color", "--no-ext-diff", "--no-textconv", "--", "CHANGELOG.md"),
        )
        cut = self.folder / ".git/shallow"  # what these commits began with is not known
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
        """Its copier.yml: questions, and who owns what. It is read once, and not to be changed."""
        if version.commit not in self._settings:
            self._settings[version.commit] = yaml.safe_load(self._read("copier.yml", version))
        return self._settings[version.commit]

    def questions(self, version: Version) -> list[str]:
        """Those that are asked; the others are computed."""
        return list(asked(self.settings(version)))

    def changes(self, old: Version, new: Version) -> str:
        """The releases that the changelog has gained, what they ask for first in each."""
        known = _sections(self._read("CHANGELOG.md", old))
        sections = _sections(self._read("CHANGELOG.md", new))
        gained = [text for heading, text in sections.items() if heading not in known]
        return "\n".join(map(_what_it_asks_for_first, gained)).strip()

    def _read(self, path: str, version: Version) -> str:
        try:
            return self.git("show", f"{version.commit}:{path}")
        except subprocess.CalledProcessError:
            return ""

    def render(self, version: Version, answers: Answers, *, ask: bool = False) -> "Rendering":
        """The files of a version with these answers; may ask for those that are missing."""
        settings = self.settings(version)
        sample = settings.get("sample", {}).get("default", [])
        # By the folder's name, copier.yml knows that the answers are stored and not a new project's.
        with TemporaryDirectory(suffix="_copy.") as folder:
            # What a team has taken over is rendered too, to say what it no longer gets.
            taken = [f"!/{path}" for path in taken_over(answers)]
            self._copy(version, answers, Path(folder), without=[*taken, *sample], ask=ask)
            return Rendering.of(Path(folder), settings.get("_skip_if_exists", []))

    def require_valid(self, version: Version, answers: Answers) -> None:
        """Raises Refusal with a sentence, in a line of its own, for each mistake in the answers."""
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
    """What a version renders with certain answers, but for the sample."""

    files: Mapping[str, bytes]
    answers_file: bytes
    is_yours: Callable[[str], bool]

    @classmethod
    def of(cls, folder: Path, yours: Sequence[str]) -> "Rendering":
        """Every file in the folder."""
        files = {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }
        answers = files.pop(ANSWERS)
        return cls(files, answers, PathSpec.from_lines("gitignore", yours).match_file)

    @cached_property
    def answers(self) -> Answers:
        """What it was rendered with."""
        return without_private(yaml.safe_load(self.answers_file))

    def text(self, path: str) -> bytes:
        """What is written there; nothing where there is no such file."""
        return self.answers_file if path == ANSWERS else self.files.get(path, b"")


@contextmanager
def cloned(place: str, *, remembered: str) -> Iterator[Template]:
    """The template with its history, for as long as the block lasts."""
    with TemporaryDirectory() as parent:
        folder = Path(parent).resolve() / "template"
        # Not local, or commits would be there that the template has no more.
        command = ("git", "clone", "--quiet", "--no-checkout", "--no-local", "--")
        result = subprocess.run(
            [*command, expanded(place), str(folder)],
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        if result.returncode:
            said = [*REASON.findall(result.stderr), "git gives no reason"]
            raise Refusal(
                f"the template cannot be reached at {place}: {said[0]}; is it there, may you read "
                "it, is there a network? If it has moved: just update --source <its URL or path>"
            )
        yield Template(folder, place, remembered)


def is_url(source: str) -> bool:
    """Whether it means the same in every folder, unlike a path."""
    return re.match(r"[^/]+:", source) is not None


def expanded(place: str) -> str:
    """The place as git understands it; Copier has shortcuts of its own."""
    for shortcut, host in SHORTCUTS.items():
        if place.startswith(shortcut):
            return f"{host}/{place.removeprefix(shortcut).strip('/').removesuffix('.git')}.git"
    return place.removeprefix("git+")


def asked(settings: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The questions that are asked; the others are computed."""
    return {
        name: question
        for name, question in settings.items()
        if not name.startswith("_")
        and isinstance(question, dict)
        and question.get("when") is not False
    }


def without_private(answers: Answers) -> Answers:
    """The answers to questions, without what Copier records beside them."""
    return {name: answer for name, answer in answers.items() if not name.startswith("_")}


def _is_release(tag: str) -> bool:
    try:
        return not pep440.parse(tag).is_prerelease
    except pep440.InvalidVersion:
        return False


def _sections(changelog: str) -> dict[str, str]:
    """The text of each release, by its heading."""
    parts = re.split(r"^(?=## )", changelog, flags=re.MULTILINE)[1:]
    return {part.splitlines()[0]: part for part in parts}


def _what_it_asks_for_first(section: str) -> str:
    heading, *parts = re.split(r"^(?=### )", section, flags=re.MULTILINE)
    parts.sort(key=lambda part: not part.startswith(WHEN_YOU_UPDATE))
    return "".join([heading, *(f"{part.strip()}\n\n" for part in parts)])
