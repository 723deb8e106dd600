"""Copier's merge, held to its promise: nothing that the team has written is lost.

Copier deletes files that the template no longer has, edited or not. It writes over files that git
ignores, and brings back what the team deleted of its own. It drops bytes that are not UTF-8, and
whole edits if the machine's git ignores the file. So it works in a copy of the project, and what it
loses there is restored before anything reaches the project.
"""

import os
from collections import Counter
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from functools import cached_property

import copier
from pathspec import PathSpec
from plumbum import local

from .project import Project, Refusal, taken_over
from .template import Rendering

# The machine's settings of git that Copier would obey, to the loss of a team's lines.
GIT = {
    "apply.whitespace": "nowarn",
    "core.attributesFile": os.devnull,
    "core.autocrlf": "false",
    "core.excludesFile": os.devnull,
    "core.hooksPath": os.devnull,
    "status.showUntrackedFiles": "normal",
}


@dataclass(frozen=True)
class Merge:
    """A project, the copy in which it is updated, and what the template renders: then, and now."""

    project: Project
    copy: Project
    old: Rendering
    new: Rendering

    def run(self, commit: str, *, only_answers: bool = False) -> list[str]:
        """Update to that commit of the template; returns the files that are kept from it.

        Where it is the commit that the project has, what the answers leave as it was is left out.
        """
        tracked = self.copy.tracked()
        known = tracked & self._rendered()
        had = {path: self.copy.read(path) for path in known}
        in_the_way = self._in_the_way(tracked)
        given_up = [path for path in self.old.files.keys() - tracked if self.new.is_yours(path)]
        same = self.new.files.items() & self.old.files.items() if only_answers else ()
        taken = taken_over(self.new.answers)
        without = [*in_the_way.values(), *given_up, *taken, *(path for path, _ in same)]
        self._run_copier(commit, without)
        lost = [path for path, text in had.items() if self._loses(path, text)]
        self.copy.restore(lost)
        followed = {path for path in in_the_way if self._is_news(path)}
        return sorted({*(in_the_way[path] for path in followed), *lost})

    def not_followed(self) -> list[str]:
        """What the template has changed in files that are no longer where it wrote them."""
        return [
            path
            for path, text in self.new.files.items()
            if self.old.files.get(path, text) != text
            and not self.copy.has(path)
            and not self.new.is_yours(path)
            and not self._is_taken(path)
        ]

    def taken_over(self) -> list[str]:
        """What the template has changed in files that the team has taken over."""
        return sorted(filter(self._is_taken, filter(self._is_news, self.new.files)))

    @cached_property
    def _is_taken(self) -> Callable[[str], bool]:
        patterns = [f"/{place}" for place in taken_over(self.new.answers)]
        return PathSpec.from_lines("gitignore", patterns).match_file

    def _rendered(self) -> set[str]:
        return {path for path in (*self.old.files, *self.new.files) if not self._is_taken(path)}

    def _is_news(self, path: str) -> bool:
        """Whether the template writes something there that it did not write before."""
        return path in self.new.files and self.new.files[path] != self.old.files.get(path)

    def _in_the_way(self, tracked: Set[str]) -> dict[str, str]:
        """What is in the project instead of a rendered file, such as something ignored."""
        found = {
            path: self.project.obstacle(path, is_new=path not in tracked)
            for path in self._rendered()
        }
        return {path: obstacle for path, obstacle in found.items() if obstacle}

    def _run_copier(self, commit: str, without: Sequence[str]) -> None:
        try:
            with local.env(**_git_environment()):
                copier.run_update(
                    self.copy.folder,
                    self.new.answers,
                    vcs_ref=commit,
                    exclude=[f"/{path.removesuffix('/')}" for path in without],
                    skip_answered=True,
                    defaults=True,
                    overwrite=True,
                    quiet=True,
                )
        except Exception as error:
            raise Refusal(f"Copier fails: {error}") from error

    def _loses(self, path: str, text: bytes) -> bool:
        """Whether something that the team added or removed there is undone."""
        old, new = _lines(self.old.files.get(path)), _lines(self.new.files.get(path))
        had, has = _lines(text), _lines(self.copy.read(path))
        if not self.copy.has(path):
            return had != old
        removed_by_the_team_alone = (old - had) - (old - new)
        return bool(had - old - has) or (has == new and bool(removed_by_the_team_alone))


def _lines(text: bytes | None) -> Counter[bytes]:
    """Each line, however it ends, and how often it is there."""
    return Counter(line.rstrip(b"\r") for line in (text or b"").split(b"\n"))


def _git_environment() -> dict[str, str]:
    """The settings as git takes them from the environment, after those that it takes already."""
    first = int(os.environ.get("GIT_CONFIG_COUNT", 0))
    environment = {"GIT_CONFIG_COUNT": str(first + len(GIT))}
    for number, (key, value) in enumerate(GIT.items(), first):
        environment |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return environment
