"""Follow the tutorial from top to bottom: each command runs, and each output is what it prints.

The rules for blocks are those of `test_guides.py`, and three more:

- A block after `<!-- fails -->` is a command that must fail.
- Each line of a text block is printed by the commands before it. An ellipsis stands for any text.
- The last lines of a Python file may be replaced by a block that names no file.
"""

import re
import shlex
import sys
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from .support.project import Project
from .support.repository import ROOT, git
from .support.shell import SESSIONPROOF, run
from .test_guides import FILE, path_to, write

PAGE = ROOT / "docs/tutorial.md"
UVX = "uvx --from git+https://git.example.com/your-team/sessionproof sessionproof new"
DESCRIPTION = "library.yml"
# The dependencies are there, and other tests run every check of a project.
SKIPPED = ("uv sync", "cd library", "uv run just")


@pytest.mark.slow
def test_the_tutorial_can_be_followed(template: Path, tmp_path: Path) -> None:
    git("clone", "--quiet", str(template), "template", folder=tmp_path)
    project = Project(tmp_path / "library")
    printed, file, before = "", "", ""

    for token in MarkdownIt().parse(PAGE.read_text(encoding="utf-8")):
        if token.type == "fence" and not before.startswith("<!-- not run: "):
            if token.info == "console":
                fails = before.startswith("<!-- fails -->")
                printed = "".join(
                    type_in(project, line, fails=fails) for line in token.content.splitlines()
                )
            elif token.info == "text":
                if "curl" not in before:
                    require_printed(token.content, printed)
            elif token.info == "yaml":
                (tmp_path / DESCRIPTION).write_text(token.content, encoding="utf-8")
            elif found := FILE.match(token.content):
                file, is_added = found.groups()
                code = token.content[found.end() :] if is_added else token.content
                write(project, file, code, add=bool(is_added))
            else:
                replace_end(project.path / file, token.content)
        before = token.content

    assert project.changes() == []


def type_in(project: Project, line: str, *, fails: bool) -> str:
    """Run a command in the project, with the programs of this environment; return its output."""
    if line in SKIPPED:
        return ""
    if line.startswith(UVX):
        words = [*SESSIONPROOF, "new", *shlex.split(line.removeprefix(UVX))]
        words += ["--source", str(project.path.parent / "template")]
        return run(*words, folder=project.path.parent).stdout
    command = re.sub(r"^uv run just (entity|update)", f"{shlex.join(SESSIONPROOF)} \\1", line)
    done = run(
        *("bash", "-c", command),
        folder=project.path,
        status=None,
        PYTHONPATH=project.path / "src",
        UV_PROJECT_ENVIRONMENT=sys.prefix,
        UV_NO_SYNC="1",
        PATH=path_to("library", project),
    )
    assert bool(done.returncode) == fails, f"{line}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def require_printed(expected: str, printed: str) -> None:
    """Every line was printed; the numbers of tasks and of the release may be others."""
    for line in expected.splitlines():
        pattern = ".*".join(re.escape(part) for part in line.split("…"))
        pattern = re.sub(r"Task\\-\d+", r"Task-\\d+", pattern)
        pattern = re.sub(r"v\d+\\\.\d+\\\.\d+", r"v[\\d.]+", pattern)
        assert re.search(pattern, printed), f"not printed: {line}\n\n{printed}"


def replace_end(file: Path, code: str) -> None:
    """Replace as many lines at the end of the file as the code has."""
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    new = code.splitlines(keepends=True)
    file.write_text("".join([*lines[: -len(new)], *new]), encoding="utf-8")
