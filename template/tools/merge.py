"""Copier's merge, held to its promise: nothing that the team has written is lost.

Copier deletes files that the template no longer has, edited or not. It writes over files that git
ignores, and brings back what the team deleted of its own. It drops bytes that are not UTF-8, and
whole edits where the machine's git ignores the file.
"""

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import copier
from plumbum import local

from project import Project, Refusal
from template import Rendering

# The machine's settings of git that Copier would obey, to the loss of a team's lines.
GIT = {
    "apply.whitespace": "nowarn",
    "core.hooksPath": os.devnull,
    "status.showUntrackedFiles": "normal",
}


class Stopped(Exception):
    """The update ended half-way."""


@dataclass(frozen=True)
class Merge:
    """A project, and what the template rendered for it then and renders for it now."""

    project: Project
    old: Rendering
    new: Rendering

    def run(self, commit: str, *, only_answers: bool = False) -> list[str]:
        """Update to that commit of the template; returns the files that are kept from it.

        Where it is the commit that the project has, what the answers leave as it was is left out.
        """
        tracked = self.project.tracked()
        known = tracked & (self.old.files.keys() | self.new.files.keys())
        had = {path: self.project.read(path) for path in known}
        in_the_way = {
            obstacle
            for path in self.new.files.keys() - tracked
            for obstacle in self._obstacles(path)
        }
        given_up = [path for path in self.old.files.keys() - tracked if self.new.is_yours(path)]
        same = self.new.files.items() & self.old.files.items() if only_answers else ()
        self._run_copier(commit, without=[*in_the_way, *given_up, *(path for path, _ in same)])
        lost = [path for path, text in had.items() if self._loses(path, text)]
        self.project.restore(lost)
        return sorted([*in_the_way, *lost])

    def not_followed(self) -> list[str]:
        """What the template has changed in files that are no longer where it wrote them."""
        return [
            path
            for path, text in self.new.files.items()
            if self.old.files.get(path, text) != text
            and not self.project.has(path)
            and not self.new.is_yours(path)
        ]

    def _obstacles(self, path: str) -> list[str]:
        """What is there instead: something ignored, a folder, or a file in place of a folder."""
        here = [path] if os.path.lexists(self.project.folder / path) else []
        folders = [parent.as_posix() for parent in PurePosixPath(path).parents]
        return here + [folder for folder in folders if self.project.has(folder)]

    def _run_copier(self, commit: str, without: Sequence[str]) -> None:
        try:
            with local.env(**_git_environment()):
                copier.run_update(
                    self.project.folder,
                    self.new.answers,
                    vcs_ref=commit,
                    exclude=[f"/{path}" for path in without],
                    skip_answered=True,
                    defaults=True,
                    overwrite=True,
                    quiet=True,
                )
        except Exception as error:
            if self.project.is_clean:
                raise Refusal(f"Copier does not begin: {error}") from error
            raise Stopped(f"Copier failed: {error}") from error

    def _loses(self, path: str, text: bytes) -> bool:
        """Whether something that the team added or removed there is undone."""
        old, new = _lines(self.old.files.get(path)), _lines(self.new.files.get(path))
        had, has = _lines(text), _lines(self.project.read(path))
        if not self.project.has(path):
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
