"""Start a project: ask Copier's questions, write the files, lock the dependencies, commit.

The project remembers a place of the template that will be found tomorrow: a URL or a whole path.
The exit code is 0 if all is well, 2 if it was refused, and 3 if it was stopped.
"""

import json
import shutil
import subprocess
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote

import copier
from copier.errors import CopierError
from rich.console import Console

from ..installation import origin
from ..updating.answers import require_answers, split
from ..updating.origin import named
from ..updating.project import AUTHOR, UV, Project, Refusal, own_environment
from ..updating.template import cloned
from ._attempt import attempt, may_ask

FIRST = "Start from the template"


def main(arguments: Sequence[str]) -> int:
    """Do what the command line says."""
    return attempt(run, parsed(arguments))


def parsed(arguments: Sequence[str]) -> Namespace:
    """What the command line asks for."""
    parser = ArgumentParser(prog="sessionproof new", description=(__doc__ or "").split("\n")[0])
    add = parser.add_argument
    add("project", type=Path, metavar="FOLDER", help="where to write it; must be empty or new")
    add("-s", "--source", metavar="TEMPLATE", help="the template at this URL or path")
    add("-r", "--vcs-ref", metavar="VERSION", help="this version, not the newest release")
    add("-d", "--data", metavar="NAME=VALUE", action="append", default=[], help="an answer")
    add("-l", "--defaults", action="store_true", help="take the default of every other question")
    add("--json", action="store_true", help="print one document; asks nothing")
    add("--debug", action="store_true", help="show where an unexpected error comes from")
    return parser.parse_args(arguments)


def run(wish: Namespace, console: Console) -> int:
    """Write the project, lock it, commit it, and say how to go on."""
    folder = wish.project.resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Refusal(f"{wish.project} must be an empty folder or a new one; name another")
    source = named(wish.source) if wish.source else installed_from()
    is_new = not folder.exists()
    try:
        write(source, folder, wish)
        with console.status("Locking the dependencies …"):
            lock(folder)
        commit(Project(folder))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)  # nothing half-done
        if not is_new:
            folder.mkdir()
        raise
    if wish.json:
        print(json.dumps({"status": "started", "project": str(folder), "source": source}))
    return 0


def installed_from() -> str:
    """Where this command comes from. Raises Refusal if that is no template."""
    told = origin()
    url = str(told.get("url", ""))
    if "dir_info" in told:
        return unquote(url.removeprefix("file://"))
    if "vcs_info" in told:
        return url if url.endswith(".git") else f"git+{url}"  # as Copier knows a repository
    raise Refusal("say where the template is: sessionproof new FOLDER --source <its URL or path>")


def write(source: str, folder: Path, wish: Namespace) -> None:
    """What Copier makes of the answers, asking for those that are missing."""
    given = split(wish.data)
    with cloned(source, remembered=source) as template:
        version = template.version(wish.vcs_ref) if wish.vcs_ref else template.newest()
        new = {"package": given.get("package"), "example": True}
        require_answers(template.settings(version), new, given)
    try:
        copier.run_copy(
            source,
            folder,
            given,
            vcs_ref=version.commit,
            defaults=wish.defaults or not may_ask(wish),
            quiet=wish.json,
        )
    except KeyboardInterrupt:
        raise KeyboardInterrupt from None  # Copier's own, which is an error of its kind too
    except (CopierError, ValueError) as error:
        raise Refusal(str(error).partition("': ")[2] or str(error)) from error


def lock(folder: Path) -> None:
    """The versions that everybody of the team gets. Raises CalledProcessError."""
    subprocess.run(
        [UV, "lock", "--quiet"],
        cwd=folder,
        env=own_environment(),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )


def commit(project: Project) -> None:
    """The first commit, in a repository of its own unless it is in one already."""
    if not project.says("rev-parse", "--git-dir"):
        project.git("init", "--quiet")
    project.git("add", "--all", "--", ".")
    author = {} if project.says("var", "GIT_COMMITTER_IDENT") else AUTHOR
    project.git("commit", "--quiet", "--no-verify", "--message", FIRST, "--", ".", **author)
