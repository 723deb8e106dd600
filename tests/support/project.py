"""A rendered project that a test may change."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import copier

from sessionproof.updating.compiling import compile_once

from .repository import QUESTIONS, git, listed_files
from .variants import Answer, Answers

compile_once()  # hundreds of renderings are alike; test_update compares with plain Copier


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
        """Update to a version, by default the newest. Returns the files with conflicts."""
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
        """The output of `git status`: uncommitted changes."""
        return git("status", "--short", folder=self.path).splitlines()

    def files(self) -> dict[str, bytes]:
        """Every file that git does not ignore."""
        return {name: (self.path / name).read_bytes() for name in listed_files(self.path)}


def copy(
    template: Path,
    folder: Path,
    answers: Answers,
    *,
    version: str | None = None,
    without: Sequence[str] = (),
) -> Path:
    """Render with exactly these answers. Fails for an unknown one, which Copier would ignore."""
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
    """Every file in the folder, as relative paths, without Python's caches."""
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    )


def contents(project: Project) -> dict[str, bytes]:
    """Every file of the project, including ignored ones."""
    return {
        path: (project.path / path).read_bytes()
        for path in tree(project.path)
        if not path.startswith(".git/")
    }


def edit(project: Project, path: str, old: str, new: str) -> None:
    """Replace a text in a file of the template."""
    file = project.path / path
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def append(project: Project, path: str, text: bytes) -> None:
    """Append to a file of the template, or write a new file."""
    with (project.path / path).open("ab") as file:
        file.write(text)
