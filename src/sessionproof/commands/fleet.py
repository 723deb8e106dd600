"""List how far many projects are behind the template, and whether an update would conflict.

Every project is updated in a temporary clone. With --update, a clean update becomes the branch
`template-update` of the project; its working tree does not change. The exit code is 0 if no project
needs your attention, 1 if one does, and 2 if the command line is wrong.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Column, Table

ANSWERS = ".copier-answers.yml"
BRANCH = "template-update"
UPDATE = (*(sys.executable, "-m", "sessionproof", "update"), "--json", "--defaults", "--no-checks")
# Replaces settings in the machine's git configuration that would make Copier lose a team's lines.
NEUTRAL = {
    "GIT_CONFIG_COUNT": "4",
    **{"GIT_CONFIG_KEY_0": "apply.whitespace", "GIT_CONFIG_VALUE_0": "nowarn"},
    **{"GIT_CONFIG_KEY_1": "core.excludesFile", "GIT_CONFIG_VALUE_1": os.devnull},
    **{"GIT_CONFIG_KEY_2": "core.hooksPath", "GIT_CONFIG_VALUE_2": os.devnull},
    **{"GIT_CONFIG_KEY_3": "status.showUntrackedFiles", "GIT_CONFIG_VALUE_3": "normal"},
}
GOOD = ("current", "clean", "updated")
STATUS = {"current": "current", "updated": "clean", "conflicts": "conflicts"}


class ProjectError(Exception):
    """The reason why a project cannot be checked or updated, in one sentence."""


@dataclass(frozen=True)
class Finding:
    """One project's result: a row of the table."""

    project: str
    status: str = "current"
    version: str = ""
    newest: str = ""
    behind: int = 0
    changed: int = 0
    conflicts: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    reason: str = ""


def main(arguments: Sequence[str]) -> int:
    """Check every project, print the table, and return the exit code."""
    options = parse(arguments)
    for name in git("rev-parse", "--local-env-vars").split():  # set if a git hook runs this
        if not name.startswith("GIT_CONFIG"):
            os.environ.pop(name, None)
    with TemporaryDirectory(prefix="fleet-") as folder, ThreadPoolExecutor(options.workers) as pool:
        looks = pool.map(partial(look, Path(folder), options.update), options.projects)
        console = Console(stderr=True)
        shown = track(looks, "Checking …", len(options.projects), console=console, transient=True)
        findings = list(shown)
    if options.json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        show(findings)
    return 0 if all(finding.status in GOOD for finding in findings) else 1


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse the command line, and replace each file with the folders that it lists."""
    parser = argparse.ArgumentParser(prog="fleet", description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "paths", nargs="+", type=Path, metavar="FOLDER", help="a project, or a file that lists some"
    )
    parser.add_argument("--update", action="store_true", help=f"create the branch {BRANCH} in each")
    parser.add_argument("--json", action="store_true", help="print a JSON list of objects")
    parser.add_argument(
        "--workers",
        type=int,
        default=os.cpu_count() or 1,
        help="how many to check at the same time",
    )
    options = parser.parse_args(arguments)
    if options.workers < 1:
        parser.error(f"--workers must be at least 1, got {options.workers}")
    options.projects = [project for path in options.paths for project in projects(path)]
    return options


def projects(path: Path) -> list[Path]:
    """Return the folder, or the folders that the file lists (relative to the file)."""
    if not path.is_file():
        return [path]
    lines = map(str.strip, path.read_text(encoding="utf-8").splitlines())
    return [path.parent / line for line in lines if line and not line.startswith("#")]


def look(scratch: Path, update: bool, project: Path) -> Finding:
    """Check one project."""
    finding = Finding(str(project))
    try:
        if not (project / ANSWERS).is_file():
            raise ProjectError(f"it was not generated from the template: it has no {ANSWERS}")
        return attempt(scratch, update, project, finding)
    except ProjectError as reason:
        return replace(finding, status="failed", reason=str(reason))


def attempt(scratch: Path, update: bool, project: Path, finding: Finding) -> Finding:
    """Update a clone of the last commit, and keep the result if `update` is true."""
    if update and git("branch", "--list", BRANCH, folder=project):
        raise ProjectError(f"it already has a branch {BRANCH}; merge or delete that first")
    top = git("rev-parse", "--show-toplevel", folder=project).strip()
    place = git("rev-parse", "--show-prefix", folder=project).strip()
    dirty = git("status", "--porcelain", folder=project)
    mirrors = scratch / threading.current_thread().name  # concurrent updates would corrupt one
    with TemporaryDirectory(dir=scratch) as folder:
        clone = Path(folder, "clone of the project")
        git("clone", "--quiet", "--local", "--no-tags", "--", top, str(clone))
        told = run_update(project, clone / place, COPIER_CACHE_DIR=str(mirrors), **NEUTRAL)
        finding = judge(told, finding)
        if dirty and finding.status != "current":
            return replace(finding, status="dirty", reason="it has uncommitted changes")
        if finding.status != "clean" or not update:
            return finding
        keep(project, clone, f"Update from the template, {finding.version} to {finding.newest}")
    return replace(finding, status="updated")


def run_update(project: Path, clone: Path, **environment: str) -> dict[str, Any]:
    """Return the update's report. A relative path of the template is relative to the project."""
    command = (*UPDATE, "--near", str(project.resolve()))
    done = execute(*command, folder=clone, **environment)
    try:
        told = json.loads(done.stdout)
    except ValueError:
        raise failure("the update", done) from None
    if not isinstance(told, dict) or told.get("status") not in STATUS:
        raise ProjectError(str(told.get("reason") or failure("the update", done)))
    return told


def judge(told: dict[str, Any], finding: Finding) -> Finding:
    """Turn the update's report into a row of the table."""
    conflicts, deleted, kept = (tuple(told[list_]) for list_ in ("conflicts", "deleted", "kept"))
    is_new = told["status"] != "current"
    lists = {"conflicts in": conflicts, "would delete": deleted, "would not update": kept}
    return replace(
        finding,
        status="deletions" if deleted and not conflicts else STATUS[told["status"]],
        version=told["old"],
        newest=told["new"],
        behind=len(told["releases"]) or int(is_new),
        changed=sum(
            len(told[list_]) for list_ in ("added", "changed", "deleted", "tidied", "conflicts")
        ),
        conflicts=conflicts,
        deleted=deleted,
        kept=kept,
        reason="; ".join(f"{what} {', '.join(paths)}" for what, paths in lists.items() if paths),
    )


def keep(project: Path, clone: Path, message: str) -> None:
    """Commit the update, and fetch the commit into the project as a branch."""
    name, email = git("var", "GIT_COMMITTER_IDENT", folder=project).split(">")[0].split(" <")
    author = ("-c", f"user.name={name}", "-c", f"user.email={email}")
    git("-c", f"core.excludesFile={os.devnull}", "add", "--all", folder=clone)
    git(*author, "commit", "--quiet", "--no-verify", "--message", message, folder=clone)
    git("fetch", "--quiet", "--no-tags", str(clone), f"HEAD:refs/heads/{BRANCH}", folder=project)


def git(*arguments: str, folder: Path = Path()) -> str:
    """Return git's output. Git asks for no password and takes no optional locks."""
    return run("git", *arguments, folder=folder, GIT_TERMINAL_PROMPT="0", GIT_OPTIONAL_LOCKS="0")


def run(*command: str, folder: Path, **environment: str) -> str:
    """Return the command's output. Raises ProjectError with its error message if it fails."""
    done = execute(*command, folder=folder, **environment)
    if done.returncode:
        raise failure(command[0], done)
    return done.stdout


def execute(*command: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command and capture its output."""
    return subprocess.run(
        command,
        cwd=folder,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )


def failure(program: str, done: subprocess.CompletedProcess[str]) -> ProjectError:
    """Make an error from the last or most important line of the program's error output."""
    reason = re.search("fatal: (.+)", done.stderr) or re.search(r"(.+)\s*\Z", done.stderr)
    return ProjectError(reason[1] if reason else f"{program} failed")


def show(findings: list[Finding]) -> None:
    """Print the table, and below it a reason for each project that needs attention."""
    name = Column("project", overflow="fold")
    table = Table(name, "version", "behind", "changed", "deleted", "conflicts", "status")
    for each in findings:
        numbers = (each.behind, each.changed, len(each.deleted), len(each.conflicts))
        table.add_row(each.project, each.version, *map(str, numbers), each.status)
    Console(markup=False).print(table)
    for each in findings:
        if each.reason:
            print(f"{each.project}: {each.reason}")
