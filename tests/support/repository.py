"""The template's repository: its questions, its lists, and git."""

import re
import subprocess
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment
from pathspec import PathSpec

ROOT = Path(__file__).parents[2]
COPIER: dict[str, Any] = yaml.safe_load((ROOT / "copier.yml").read_text(encoding="utf-8"))
OWNERS = ("sample", "yours", "shared", "kernel")


def asked(config: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The questions of a copier.yml, without computed ones."""
    return {
        key: details
        for key, details in config.items()
        if not key.startswith("_") and details.get("when") is not False
    }


QUESTIONS = list(asked(COPIER))


def jinja(template: Path, config: Mapping[str, Any]) -> Environment:
    """A Jinja environment like Copier's, for the template in that folder."""
    return SandboxedEnvironment(
        loader=FileSystemLoader(template),
        extensions=["jinja2_ansible_filters.AnsibleCoreFiltersExtension"],
        **{**config["_envops"], "undefined": StrictUndefined},
    )


def macros(name: str) -> Any:
    """The macros and variables of a file."""
    return jinja(ROOT, COPIER).get_template(f"macros/{name}.jinja").module


# Ignores the machine's git settings: identity, hooks, signatures and ignored files.
_GIT = [
    "git",
    *("-c", "user.name=The tests"),
    *("-c", "user.email=tests@example.org"),
    *("-c", "commit.gpgsign=false"),
    *("-c", "tag.gpgsign=false"),
    *("-c", "core.hooksPath=/dev/null"),
    *("-c", "core.excludesFile=/dev/null"),
    *("-c", "init.defaultBranch=main"),
    *("-c", "advice.detachedHead=false"),
]


def git(*arguments: str, folder: Path) -> str:
    """Run git, and return its output."""
    result = subprocess.run(
        [*_GIT, *arguments], cwd=folder, capture_output=True, encoding="utf-8", check=False
    )
    assert result.returncode == 0, f"git {' '.join(arguments)}\n{result.stderr}"
    return result.stdout


def listed_files(folder: Path) -> list[str]:
    """Every file that git tracks or would add, without ignored ones."""
    names = git("ls-files", "-z", "--cached", "--others", "--exclude-standard", folder=folder)
    return sorted({name for name in names.split("\0") if name and (folder / name).is_file()})


def patterns(owner: str) -> list[str]:
    """One of the ownership lists in copier.yml."""
    lines: list[str] = COPIER[owner]["default"]
    return lines


def entity_patterns(plural: str) -> list[str]:
    """The patterns of an entity's files, which are all shared."""
    lines: list[str] = COPIER["shared_by_entity"]["default"]
    return [line.replace("PLURAL", plural) for line in lines]


def matcher(lines: Iterable[str]) -> Callable[[str], bool]:
    """Whether one of the lines matches a path; Copier reads them like a .gitignore."""
    return PathSpec.from_lines("gitignore", lines).match_file


is_old = matcher(COPIER["kept"]["default"].split())  # files of older versions that Copier keeps

_NAMED_BY = {owner: matcher(patterns(owner)) for owner in OWNERS}


FOR_UPDATES = {"tools/ast-grep/new"}  # no copy has it; a release with new rules adds it


def moved_to(path: str) -> str:
    """The new place of a module of an older kernel, or an empty text if it has been split."""
    folder, _, module = path.rpartition("/")
    place = COPIER["moved"]["default"].get(module) if folder.endswith("/persistence") else None
    return f"{folder}/{place}" if place else ""


@cache
def owner(path: str) -> str:
    """The owner of a rendered path: the list that matches it, or the kernel by default."""
    owners = owners_of(path)
    assert len(owners) <= 1, f"{path} is named by {owners}"
    return owners[0] if owners else "kernel"


def owners_of(path: str) -> list[str]:
    """Every owner whose list matches the path."""
    return [owner for owner in OWNERS if _NAMED_BY[owner](path)]


_HEADING = re.compile(r"\+## (\d+\.\d+\.\d+)\b")


def releases(repository: Path) -> dict[str, str]:
    """Each released version, oldest first, and its commit.

    The first commit whose CHANGELOG.md has a heading for a version releases it. So releases are known
    from history alone, even in a clone without tags.
    """
    found: dict[str, str] = {}
    commit = ""
    log = git(
        *("log", "--reverse", "--topo-order", "--format=commit %H"),
        *("--patch", "--unified=0", "--no-color", "--no-ext-diff", "--", "CHANGELOG.md"),
        folder=repository,
    )
    for line in log.splitlines():
        heading = _HEADING.match(line)
        if line.startswith("commit "):
            commit = line.removeprefix("commit ")
        elif heading:
            found.setdefault(heading[1], commit)
    return found


def is_shallow(repository: Path) -> bool:
    """Whether the clone was made with `--depth`, so that older commits are missing."""
    return git("rev-parse", "--is-shallow-repository", folder=repository).strip() == "true"
