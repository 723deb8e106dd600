"""Four rules that a release must keep, so that projects of earlier releases can update."""

import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml

from .project import copy, tree
from .repository import FOR_UPDATES, ROOT, asked, git, is_shallow, jinja, matcher, releases
from .variants import Answers, name

RELEASES = [] if is_shallow(ROOT) else [f"v{version}" for version in releases(ROOT)]
every_release = pytest.mark.parametrize(
    "version",
    RELEASES or [pytest.param("", marks=pytest.mark.skip("no release is in this clone's history"))],
)

Known = Mapping[str, Any]
RENDERS = ("copier.yml", "macros", "template")
UPDATE = {"answers_file": ".copier-answers.yml", "overwrite": True, "dst_path": "", "data": {}}
LOOP = re.compile(r"{% yield (\w+) from (\w+) %}(.*?){% endyield %}")


def in_id(value: str | Answers) -> str:
    """The name of a release or of a set of answers, for the ids of tests."""
    return value if isinstance(value, str) else name(value)


class Template:
    """The template at some commit, read like Copier reads it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config: dict[str, Any] = yaml.safe_load((folder / "copier.yml").read_text("utf-8"))
        self.questions = asked(self.config)

    @cached_property
    def compiled(self) -> Callable[[str], jinja2.Template]:
        """Compile a text with Jinja."""
        return cache(jinja(self.folder, self.config).from_string)

    def render(self, text: str, known: Known) -> str:
        """Render the text with only these answers."""
        return self.compiled(text).render(known)

    def completed(self, answers: Known) -> dict[str, Any]:
        """The answers, with the defaults of all other questions and lists."""
        known = {"_copier_conf": UPDATE, **answers}
        for key, details in self.config.items():
            if not key.startswith("_") and key not in known:
                known[key] = self._default(details, known)
        return known

    def _default(self, details: dict[str, Any], known: Known) -> Any:
        value = details["default"]
        if not isinstance(value, str):
            return value
        rendered = self.render(value, known)
        return rendered if details["type"] == "str" else yaml.safe_load(rendered)

    def excluded(self, lines: Iterable[str], answers: Answers) -> list[str]:
        """The patterns of paths that an update with these answers excludes."""
        known = self.completed(answers) | {"_copier_operation": "update"}
        return [pattern for line in lines for pattern in self.render(line, known).splitlines()]

    def updated_paths(self, answers: Answers) -> set[str]:
        """Every path that an update with these answers renders."""
        known = self.completed(answers)
        is_excluded = matcher(self.excluded(self.config["_exclude"], answers))
        paths = tree(self.folder / self.config["_subdirectory"])
        rendered = {each for path in paths for each in self._rendered(path, known)}
        return {path for path in rendered if not is_excluded(path)}

    def _rendered(self, path: str, known: Known) -> Iterator[str]:
        """The path, or one path for each item if it contains a loop."""
        loop = LOOP.search(path)
        plain = LOOP.sub(r"\3", path.removesuffix(".jinja"))
        if loop is None:
            yield self.render(plain, known)
        else:
            for item in known[loop[2]]:
                yield self.render(plain, {**known, loop[1]: item})

    def refusal(self, question: str, answer: str, known: Known) -> str:
        """The message of the question's validator, or an empty text if the answer is valid."""
        validator = self.questions[question].get("validator", "")
        return self.render(validator, {**known, question: answer}).strip()


def export(repository: Path, commit: str, folder: Path) -> None:
    """Write the template's files at that commit into this folder."""
    folder.mkdir(exist_ok=True)
    archive = folder.with_name(f"{folder.name}.tar")
    git("archive", f"--output={archive}", commit, *RENDERS, folder=repository)
    shutil.unpack_archive(archive, folder)
    archive.unlink()


def commits_with_new_questions(since: str, repository: Path) -> Iterator[tuple[str, str]]:
    """Each commit that adds a question, and its parent."""
    commits = git("log", "--format=%H %P", f"{since}..", "--", "copier.yml", folder=repository)
    for commit, parent, *_ in map(str.split, commits.splitlines()):
        if questions(repository, commit) > questions(repository, parent):
            yield commit, parent


@cache
def questions(repository: Path, commit: str) -> Set[str]:
    """The questions of the template at that commit."""
    return asked(yaml.safe_load(git("show", f"{commit}:copier.yml", folder=repository))).keys()


def changes_by_default(
    old: Template, new: Template, sets: Iterable[Answers], folder: Path
) -> Iterator[str]:
    """The default of a new question renders the same files as before the question."""
    added = " and ".join(sorted(new.questions.keys() - old.questions.keys()))
    for answers in sets:
        known = {key: answer for key, answer in answers.items() if key in old.questions}
        # A folder with such a name tells the template that the project is not new.
        before = _rendered(old, folder / name(answers) / "before_copy.", known)
        after = _rendered(new, folder / name(answers) / "after_copy.", known)
        for path in sorted(before.keys() | after.keys()):
            if before.get(path) != after.get(path):
                yield f"the default of {added} changes {path} of {name(answers)}"


def _rendered(template: Template, folder: Path, answers: Answers) -> dict[str, bytes]:
    """Every file except the answers file."""
    copy(template.folder, folder, answers, without=["/.copier-answers.yml"])
    return {path: (folder / path).read_bytes() for path in tree(folder)}


def removed_paths(old: Template, new: Template, answers: Answers) -> Iterator[str]:
    """A path that a release rendered is still rendered for the same answers, or listed in `kept`.

    A line of `_exclude` alone is not enough: the file would stay without a decision. Updates do not
    touch files of the sample.
    """
    is_kept = matcher(old.excluded([new.config["kept"]["default"]], answers))
    for path in sorted(old.updated_paths(answers) - new.updated_paths(answers) - FOR_UPDATES):
        if not is_kept(path):
            yield f"{path} is no longer rendered for {name(answers)}, and not kept"


def removed_answers(old: Template, new: Template) -> Iterator[str]:
    """A question stays what it is, and so does each of its choices."""
    for question, before in old.questions.items():
        after = new.questions.get(question)
        if after is None:
            yield f"{question} is no longer a question"
        elif after["type"] != before["type"]:
            yield f"{question} was of type {before['type']}, and is of type {after['type']}"
        else:
            for value in sorted(_choices(before) - _choices(after)):
                yield f"{question} can no longer be {value}"


def _choices(details: dict[str, Any]) -> set[str]:
    return set(details.get("choices", {"anything": "anything"}).values())


def refused_answers(
    old: Template, new: Template, question: str, answers: Iterable[str]
) -> Iterator[str]:
    """An update accepts every recorded answer that a release accepted for a new project."""
    completed = old.completed({})
    stored = {key: completed[key] for key in old.questions}
    for answer in answers:
        complaint = new.refusal(question, answer, stored)
        if complaint and not old.refusal(question, answer, {}):
            yield f"{question} can no longer be {answer!r}: {complaint}"
