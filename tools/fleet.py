# /// script
# requires-python = ">=3.11"
# dependencies = ["copier>=9.18,<10", "packaging>=24", "pyyaml>=6", "rich>=14"]
# ///
"""Says for many projects how far each is behind the template and whether an update would conflict.

Every update is made in a temporary clone. With --update, one that went well becomes the branch
`template-update` of its project, whose working tree is not touched. The status is 0 where nobody
has to do anything, 1 where a project needs somebody, and 2 where the command line is wrong.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from packaging.version import InvalidVersion, Version
from rich.console import Console
from rich.progress import track
from rich.table import Column, Table

ANSWERS = ".copier-answers.yml"
BRANCH = "template-update"
HOSTS = {"gh:": "https://github.com/", "gl:": "https://gitlab.com/"}
UPDATE = (sys.executable, "-m", "copier", "update", "--defaults", "--skip-answered", "--quiet")
# Instead of the machine's settings of git, which Copier obeys to the loss of a team's lines.
NEUTRAL = {
    "GIT_CONFIG_COUNT": "4",
    **{"GIT_CONFIG_KEY_0": "apply.whitespace", "GIT_CONFIG_VALUE_0": "nowarn"},
    **{"GIT_CONFIG_KEY_1": "core.excludesFile", "GIT_CONFIG_VALUE_1": os.devnull},
    **{"GIT_CONFIG_KEY_2": "core.hooksPath", "GIT_CONFIG_VALUE_2": os.devnull},
    **{"GIT_CONFIG_KEY_3": "status.showUntrackedFiles", "GIT_CONFIG_VALUE_3": "normal"},
}
GOOD = ("current", "clean", "updated")


class ProjectError(Exception):
    """Why a project was not looked at any further, in one sentence."""


@dataclass(frozen=True)
class Finding:
    """What is known about a project: a row of the table."""

    project: str
    status: str = "current"
    version: str = ""
    newest: str = ""
    behind: int = 0
    changed: int = 0
    conflicts: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    reason: str = ""


def main() -> int:
    """Look at every project, and print the table."""
    options = parse()
    with TemporaryDirectory(prefix="fleet-") as folder, ThreadPoolExecutor(options.workers) as pool:
        looks = pool.map(partial(look, Path(folder), options.update), options.projects)
        console = Console(stderr=True)
        shown = track(looks, "Looking …", len(options.projects), console=console, transient=True)
        findings = list(shown)
    if options.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        show(findings)
    return 0 if all(finding.status in GOOD for finding in findings) else 1


def parse() -> argparse.Namespace:
    """The command line, in which a file stands for the folders that it lists."""
    parser = argparse.ArgumentParser(prog="fleet", description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="FOLDER", help="a project, or a file with one a line"
    )
    parser.add_argument("--update", action="store_true", help=f"make the branch {BRANCH} in each")
    parser.add_argument("--json", action="store_true", help="print a list of objects")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="at once")
    options = parser.parse_args()
    if options.workers < 1:
        parser.error(f"--workers must be at least 1, got {options.workers}")
    options.projects = [project for path in options.paths for project in projects(path)]
    return options


def projects(path: Path) -> list[Path]:
    """The folder, or those that the file lists, relative to where it is."""
    if not path.is_file():
        return [path]
    lines = map(str.strip, path.read_text(encoding="utf-8").splitlines())
    return [path.parent / line for line in lines if line and not line.startswith("#")]


def look(scratch: Path, update: bool, project: Path) -> Finding:
    """What there is to say about one project."""
    finding = Finding(str(project))
    try:
        answers = read_answers(project)
        known = versions(answers["_src_path"])
        finding = compare(finding, str(answers["_commit"]), known)
        return attempt(scratch, update, project, finding) if finding.behind else finding
    except ProjectError as reason:
        return replace(finding, status="failed", reason=str(reason))


def read_answers(project: Path) -> dict[str, str]:
    """What Copier remembers of the project, as committed."""
    if not (project / ANSWERS).is_file():
        raise ProjectError(f"not a project of the template: it has no {ANSWERS}")
    text = git("show", f"HEAD:./{ANSWERS}", folder=project)
    with suppress(yaml.YAMLError):
        answers = yaml.safe_load(text)
        if isinstance(answers, dict) and {"_commit", "_src_path"} <= answers.keys():
            return answers
    raise ProjectError(f"{ANSWERS} does not say which version of what the project follows")


@cache
def versions(template: str) -> list[Version]:
    """The template's releases, oldest first. Raises ProjectError where it cannot be reached."""
    url = re.sub("^(gh:|gl:)", lambda host: HOSTS[host[1]], template).removeprefix("git+")
    tags = re.findall("refs/tags/(.+)", git("ls-remote", "--tags", "--refs", "--", url))
    found = [each for each in map(parse_version, tags) if each and not each.is_prerelease]
    if not found:
        raise ProjectError(f"{template} has no released version")
    return sorted(found)


def parse_version(tag: str) -> Version | None:
    """The version of a tag, or of `git describe`: v1.2.0-3-gabcdef is the third commit after it."""
    try:
        return Version(re.sub(r"-\d+-g[0-9a-f]+$", "", tag))
    except InvalidVersion:
        return None


def compare(finding: Finding, commit: str, known: list[Version]) -> Finding:
    """How many releases there were since the project's version."""
    version = parse_version(commit)
    if version is None:
        raise ProjectError(f"{commit} is not a released version of the template")
    behind = sum(version < each for each in known)
    status = "clean" if behind else "current"
    return replace(finding, version=commit, newest=f"v{known[-1]}", behind=behind, status=status)


def attempt(scratch: Path, update: bool, project: Path, finding: Finding) -> Finding:
    """Update a clone of what is committed, and keep the result where that is asked for."""
    if update and git("branch", "--list", BRANCH, folder=project):
        raise ProjectError(f"it has a branch {BRANCH} already; merge or delete that first")
    top = git("rev-parse", "--show-toplevel", folder=project).strip()
    place = git("rev-parse", "--show-prefix", folder=project).strip()
    dirty = git("status", "--porcelain", folder=project)
    mirrors = scratch / threading.current_thread().name  # two updates at once would break one
    with TemporaryDirectory(dir=scratch) as folder:
        clone = Path(folder)
        git("clone", "--quiet", "--local", "--no-tags", "--", top, folder)
        run(*UPDATE, folder=clone / place, COPIER_CACHE_DIR=str(mirrors), **NEUTRAL)
        finding = judge(clone, finding)
        if dirty:
            return replace(finding, status="dirty", reason="something is not committed")
        if finding.status != "clean" or not update:
            return finding
        keep(project, clone, f"Update from the template, {finding.version} to {finding.newest}")
    return replace(finding, status="updated")


def judge(clone: Path, finding: Finding) -> Finding:
    """What the update has done to the clone."""
    conflicts = names("diff", "--diff-filter=U", folder=clone)
    git("-c", f"core.excludesFile={os.devnull}", "add", "--all", folder=clone)
    changed = names("diff", "--cached", "--no-renames", folder=clone)
    deleted = names("diff", "--cached", "--no-renames", "--diff-filter=D", folder=clone)
    return replace(
        finding,
        status="conflicts" if conflicts else "deletions" if deleted else finding.status,
        changed=len(changed),
        conflicts=conflicts,
        deleted=deleted,
        reason="; ".join(
            f"{what} {', '.join(paths)}"
            for what, paths in (("conflicts in", conflicts), ("would delete", deleted))
            if paths
        ),
    )


def keep(project: Path, clone: Path, message: str) -> None:
    """Make the update a commit, and the commit a branch of the project."""
    name, email = git("var", "GIT_COMMITTER_IDENT", folder=project).split(">")[0].split(" <")
    author = ("-c", f"user.name={name}", "-c", f"user.email={email}")
    git(*author, "commit", "--quiet", "--no-verify", "--message", message, folder=clone)
    git("fetch", "--quiet", "--no-tags", str(clone), f"HEAD:refs/heads/{BRANCH}", folder=project)


def names(*arguments: str, folder: Path) -> tuple[str, ...]:
    """The paths that git prints."""
    return tuple(git(*arguments, "--name-only", "-z", folder=folder).split("\0")[:-1])


def git(*arguments: str, folder: Path = Path()) -> str:
    """What git prints; it asks for no password, and writes nothing only to be faster."""
    return run("git", *arguments, folder=folder, GIT_TERMINAL_PROMPT="0", GIT_OPTIONAL_LOCKS="0")


def run(*command: str, folder: Path, **environment: str) -> str:
    """What the command prints. Raises ProjectError with its own reason where it fails."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        reason = re.search("fatal: (.+)", done.stderr) or re.search(r"(.+)\s*\Z", done.stderr)
        raise ProjectError(reason[1] if reason else f"{command[0]} failed")
    return done.stdout


def show(findings: list[Finding]) -> None:
    """The table, and below it who has to be looked at and why."""
    name = Column("project", overflow="fold")
    table = Table(name, "version", "behind", "changed", "deleted", "conflicts", "status")
    for each in findings:
        numbers = (each.behind, each.changed, len(each.deleted), len(each.conflicts))
        table.add_row(each.project, each.version, *map(str, numbers), each.status)
    Console(markup=False).print(table)
    for each in findings:
        if each.reason:
            print(f"{each.project}: {each.reason}")


if __name__ == "__main__":
    sys.exit(main())
