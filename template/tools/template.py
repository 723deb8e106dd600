"""The template that the project follows: its versions, what changed between them, its files."""

import re
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import copier
import yaml
from copier.errors import CopierError
from packaging import version as pep440
from pathspec import PathSpec

from project import ANSWERS, Answers, Refusal, git, taken_over

SHORTCUTS = {"gh:": "https://github.com", "gl:": "https://gitlab.com"}
WHEN_YOU_UPDATE = "### When you update"


@dataclass(frozen=True)
class Version:
    """A commit of the template, and what Copier calls it."""

    name: str
    commit: str


@dataclass(frozen=True)
class Template:
    """A clone of the template."""

    folder: Path

    def git(self, *arguments: str) -> str:
        """What git prints, in the clone. Raises CalledProcessError."""
        return git(self.folder, *arguments)

    def version(self, name: str | None = None) -> Version:
        """The version of a tag, a branch or a hash, or of what `git describe` said; or the newest."""
        name = name or max(self._releases(), key=pep440.parse, default="HEAD")
        for reference in (name, f"refs/remotes/origin/{name}"):
            try:
                commit = self.git("rev-parse", "--verify", f"{reference}^0").strip()
            except subprocess.CalledProcessError:
                continue
            return Version(self.git("describe", "--tags", "--always", commit).strip(), commit)
        known = ", ".join(sorted(self._releases(), key=pep440.parse)) or "no release"
        raise Refusal(f"the template has no version {name}; it has {known}")

    def is_older(self, version: Version, than: Version) -> bool:
        """Whether the one is an ancestor of the other."""
        history = self.git("rev-list", than.commit).split()
        return version != than and version.commit in history

    def _releases(self) -> list[str]:
        return [tag for tag in self.git("tag", "--list").split() if _is_release(tag)]

    def settings(self, version: Version) -> dict[str, Any]:
        """Its copier.yml: questions, and who owns what."""
        settings: dict[str, Any] = yaml.safe_load(self._read("copier.yml", version))
        return settings

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
        with TemporaryDirectory() as folder:
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

    @property
    def answers(self) -> Answers:
        """What it was rendered with."""
        return _without_private(yaml.safe_load(self.answers_file))

    def text(self, path: str) -> bytes:
        """What is written there; nothing where there is no such file."""
        return self.answers_file if path == ANSWERS else self.files.get(path, b"")


@contextmanager
def cloned(url: str) -> Iterator[Template]:
    """The template with its history, for as long as the block lasts."""
    with TemporaryDirectory() as place:
        folder = Path(place).resolve() / "template"
        command = ["git", "clone", "--quiet", "--no-checkout", "--", expanded(url), str(folder)]
        result = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
        if result.returncode:
            reason = (result.stderr.strip().splitlines() or ["git gives no reason"])[-1]
            raise Refusal(
                f"the template cannot be reached at {url}: {reason}; is it there, may you read it?"
            )
        yield Template(folder)


def expanded(url: str) -> str:
    """The place as git understands it; Copier has shortcuts of its own."""
    for shortcut, host in SHORTCUTS.items():
        if url.startswith(shortcut):
            return f"{host}/{url.removeprefix(shortcut).strip('/').removesuffix('.git')}.git"
    place = url.removeprefix("git+")
    if re.match(r"[^/]+:", place):
        return place
    path = Path(place).expanduser()
    if not path.is_absolute():
        raise Refusal(
            f"the template is remembered as {url}, relative to a folder that nobody knows any "
            f"more; write its URL or absolute path as _src_path into {ANSWERS}, commit that, "
            "and update again"
        )
    return str(path)


def asked(settings: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The questions that are asked; the others are computed."""
    return {
        name: question
        for name, question in settings.items()
        if not name.startswith("_")
        and isinstance(question, dict)
        and question.get("when") is not False
    }


def _without_private(answers: Answers) -> Answers:
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
