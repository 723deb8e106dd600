"""A rendered project that a test may change."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import copier

from sessionproof.updating.compiling import compile_once

from .repository import QUESTIONS, git, listed_files
from .variants import Answer, Answers

compile_once()  # hundreds of renderings here are alike; test_update compares with Copier alone


@dataclass(frozen=True)
class Project:
    """A team's project: a git repository with everything committed."""

    path: Path

    def commit(self) -> None:
        """Commit every change, made by hand or by an update."""
        if not (self.path / ".git").exists():
            git("init", "--quiet", folder=self.path)
        git("add", "--all", folder=self.path)
        git("commit", "--quiet", "--allow-empty", "--message", "work", folder=self.path)

    def update(self, version: str | None = None, /, **answers: Answer) -> list[str]:
        """Update to a version, or to the newest one; returns the files with conflicts."""
        copier.run_update(
            self.path,
            dict(answers),
            vcs_ref=version,
            defaults=True,
            overwrite=True,
            quiet=True,
            settings=copier.Settings(),
        )
        return git("diff", "--name-only", "--diff-filter=U", folder=self.path).split()

    def changes(self) -> list[str]:
        """What git sees as not committed."""
        return git("status", "--short", folder=self.path).splitlines()

    def files(self) -> dict[str, bytes]:
        """Every file but the ignored ones."""
        return {name: (self.path / name).read_bytes() for name in listed_files(self.path)}


def copy(
    template: Path,
    folder: Path,
    answers: Answers,
    *,
    version: str | None = None,
    without: Sequence[str] = (),
) -> Path:
    """Render with exactly these answers: Copier would ignore one that it does not know."""
    unknown = answers.keys() - set(QUESTIONS)
    assert not unknown, f"not a question in copier.yml: {unknown}"
    copier.run_copy(
        str(template),
        folder,
        dict(answers),
        vcs_ref=version,
        exclude=without,
        defaults=True,
        quiet=True,
        settings=copier.Settings(),
    )
    return folder


def tree(folder: Path) -> list[str]:
    """Every file under the folder, as paths relative to it, without what Python leaves there."""
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    )


def contents(project: Project) -> dict[str, bytes]:
    """Every file of the project, also what git ignores."""
    return {
        path: (project.path / path).read_bytes()
        for path in tree(project.path)
        if not path.startswith(".git/")
    }


def edit(project: Project, path: str, old: str, new: str) -> None:
    """Write something else into a file of the template's."""
    file = project.path / path
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def append(project: Project, path: str, text: bytes) -> None:
    """Write below the line of a file of the template's, or into a new one."""
    with (project.path / path).open("ab") as file:
        file.write(text)
