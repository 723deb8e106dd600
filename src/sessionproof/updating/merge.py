"""Run Copier's update without losing anything that the team has written.

Copier deletes files that the template no longer has, even if they were edited. It overwrites files
that git ignores, and recreates files of the team's that were deleted. It drops bytes that are not
UTF-8, and all edits of a file that the machine's git ignores. So Copier updates a copy of the project.
Lost edits are restored there, before anything is written into the project.
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

# Replaces settings in the machine's git configuration that would make Copier lose a team's lines.
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
    """The update of a copy of a project, from the old rendering of the template to the new one."""

    project: Project
    copy: Project
    old: Rendering
    new: Rendering

    def run(self, commit: str, *, only_answers: bool = False) -> list[str]:
        """Update to that commit of the template. Returns the files that were kept as they are.

        With `only_answers` (the commit stays the same), files that the new answers do not change
        are excluded.
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
        """Return files that the template has changed and the team has deleted or moved."""
        return [
            path
            for path, text in self.new.files.items()
            if self.old.files.get(path, text) != text
            and not self.copy.has(path)
            and not self.new.is_yours(path)
            and not self._is_taken(path)
        ]

    def taken_over(self) -> list[str]:
        """Return files that the template has changed and the team has taken over."""
        return sorted(filter(self._is_taken, filter(self._is_news, self.new.files)))

    @cached_property
    def _is_taken(self) -> Callable[[str], bool]:
        patterns = [f"/{place}" for place in taken_over(self.new.answers)]
        return PathSpec.from_lines("gitignore", patterns).match_file

    def _rendered(self) -> set[str]:
        return {path for path in (*self.old.files, *self.new.files) if not self._is_taken(path)}

    def _is_news(self, path: str) -> bool:
        """Return whether the template's text for this path is new or changed."""
        return path in self.new.files and self.new.files[path] != self.old.files.get(path)

    def _in_the_way(self, tracked: Set[str]) -> dict[str, str]:
        """Return what blocks rendered files, by their paths: ignored files, links, folders."""
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
            raise Refusal(f"Copier failed: {error}") from error

    def _loses(self, path: str, text: bytes) -> bool:
        """Return whether the update has undone a line that the team added or removed."""
        old, new = _lines(self.old.files.get(path)), _lines(self.new.files.get(path))
        had, has = _lines(text), _lines(self.copy.read(path))
        if not self.copy.has(path):
            return had != old
        removed_by_the_team_alone = (old - had) - (old - new)
        return bool(had - old - has) or (has == new and bool(removed_by_the_team_alone))


def _lines(text: bytes | None) -> Counter[bytes]:
    """Count each line, without its line ending."""
    return Counter(line.rstrip(b"\r") for line in (text or b"").split(b"\n"))


def _git_environment() -> dict[str, str]:
    """Return environment variables that add GIT to the settings that git already gets from there."""
    first = int(os.environ.get("GIT_CONFIG_COUNT", 0))
    environment = {"GIT_CONFIG_COUNT": str(first + len(GIT))}
    for number, (key, value) in enumerate(GIT.items(), first):
        environment |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return environment
