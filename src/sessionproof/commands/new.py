"""Start a project: ask Copier's questions, write the files, lock the dependencies, commit.

The project records the template's URL or absolute path, so that later updates find it.
The exit code is 0 if all went well, 2 if the command refused to run, and 3 if it was stopped.
"""

import json
import shlex
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
from ..updating.project import AUTHOR, UV, Answers, Project, Refusal, own_environment
from ..updating.template import cloned
from ._attempt import attempt, may_ask

FIRST = "Start from the template"


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    return attempt(run, parsed(arguments))


def parsed(arguments: Sequence[str]) -> Namespace:
    """Parse the command line."""
    parser = ArgumentParser(prog="sessionproof new", description=(__doc__ or "").split("\n")[0])
    add = parser.add_argument
    add(
        "project", type=Path, metavar="FOLDER", help="the project's folder; it must be empty or new"
    )
    add("-s", "--source", metavar="TEMPLATE", help="the template's URL or path")
    add("-r", "--vcs-ref", metavar="VERSION", help="a version (default: the newest release)")
    add("-d", "--data", metavar="NAME=VALUE", action="append", default=[], help="answer a question")
    add("-l", "--defaults", action="store_true", help="use the defaults of all other questions")
    add("--json", action="store_true", help="print one JSON document, and ask nothing")
    add("--debug", action="store_true", help="print the traceback of an unexpected error")
    return parser.parse_args(arguments)


def run(wish: Namespace, console: Console) -> int:
    """Write the project, lock its dependencies, and commit it."""
    folder = wish.project.resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Refusal(f"{wish.project} is not empty; name a new or an empty folder")
    source = named(wish.source) if wish.source else installed_from()
    is_new = not folder.exists()
    try:
        write(source, folder, wish)
        with console.status("Locking the dependencies …"):
            lock(folder)
        commit(Project(folder))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)  # leave no incomplete project behind
        if not is_new:
            folder.mkdir()
        raise
    show_next_steps(Project(folder).answers(), wish.project, console)
    if wish.json:
        print(json.dumps({"status": "started", "project": str(folder), "source": source}))
    return 0


def show_next_steps(answers: Answers, folder: Path, console: Console) -> None:
    """Print the commands that set the project up and check it."""
    steps = [f"cd {shlex.quote(str(folder))}"]
    if answers.get("entities"):
        server = ["uv run just db"] if answers.get("database") == "postgresql" else []
        revision = 'uv run just revision "add entities"'
        steps += [*server, "uv run just migrate", revision, "uv run just migrate"]
    console.print(f"{answers['project_name']} is written and committed. Next:\n", style="bold")
    console.print("\n".join(f"    {step}" for step in [*steps, "uv run just"]))


def installed_from() -> str:
    """Return the place this command was installed from. Raises Refusal if it is not a template."""
    told = origin()
    url = str(told.get("url", ""))
    if "dir_info" in told:
        return unquote(url.removeprefix("file://"))
    if "vcs_info" in told:
        return url if url.endswith(".git") else f"git+{url}"  # so Copier knows it is a repository
    raise Refusal("name the template: sessionproof new FOLDER --source <its URL or path>")


def write(source: str, folder: Path, wish: Namespace) -> None:
    """Let Copier ask for missing answers and write the files."""
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
            quiet=True,  # its last message asks for the commit that `new` makes
        )
    except KeyboardInterrupt:
        raise KeyboardInterrupt from None  # Copier raises a subclass that is also a CopierError
    except (CopierError, ValueError) as error:
        raise Refusal(str(error).partition("': ")[2] or str(error)) from error


def lock(folder: Path) -> None:
    """Write uv.lock, so the whole team gets the same versions. Raises CalledProcessError."""
    subprocess.run(
        [UV, "lock", "--quiet"],
        cwd=folder,
        env=own_environment(),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )


def commit(project: Project) -> None:
    """Make the first commit, in a new repository unless the folder is already in one."""
    if not project.says("rev-parse", "--git-dir"):
        project.git("init", "--quiet")
    project.git("add", "--all", "--", ".")
    author = {} if project.says("var", "GIT_COMMITTER_IDENT") else AUTHOR
    project.git("commit", "--quiet", "--no-verify", "--message", FIRST, "--", ".", **author)
