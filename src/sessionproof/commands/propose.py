"""Push an update that is not committed yet to the branch `template-update`, for a scheduled job.

Nothing is pushed if the branch has the same already, or somebody else's commit, which would be lost.
"""

import os
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from subprocess import CalledProcessError

from ..updating.project import HOOKS, Project

BRANCH = "refs/heads/template-update"
EMAIL = "template-update@noreply.invalid"
AUTHOR = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Template update"), ("EMAIL", EMAIL))
}


def main(arguments: Sequence[str]) -> int:
    """Propose it, and say what came of it."""
    parser = ArgumentParser(prog="sessionproof propose", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("remote", help="where to push")
    parser.add_argument("report", type=Path, help="the text of the commit: what the update said")
    parser.add_argument(
        "--push-option", "-o", action="append", default=[], help="for git push; %%s is the title"
    )
    wish = parser.parse_args(arguments)
    for name in HOOKS:
        os.environ.pop(name, None)
    try:
        print(propose(Project(Path.cwd()), wish.remote, wish.report, wish.push_option))
    except CalledProcessError as error:
        print(f"git {error.cmd[1]} fails: {error.stderr.strip()}", file=sys.stderr)
        return 2
    return 0


def propose(project: Project, remote: str, report: Path, push_options: Sequence[str]) -> str:
    """What came of it, in a sentence. Raises CalledProcessError."""
    title = "Update from the template"
    if project.unmerged():
        title = "Conflicts, do not merge: update from the template"
    project.git("add", "--all")
    if project.says("diff", "--cached", "--quiet"):
        return "there is nothing new"
    before = project.git("ls-remote", remote, BRANCH).partition("\t")[0]
    if before:
        project.git("fetch", "--quiet", remote, BRANCH)
        if {*project.git("log", "--format=%ae", "HEAD..FETCH_HEAD").split()} - {EMAIL}:
            return f"somebody has committed to {BRANCH}: merge or delete it, and this job goes on"
        if project.git("write-tree") == project.git("rev-parse", "FETCH_HEAD^{tree}"):
            return f"{BRANCH} has it already"
    message = f"{title}\n\n{report.read_text(encoding='utf-8')}"
    commit = ("commit", "--quiet", "--no-verify", "--file=-")
    project.feed(*commit, given=message.encode(), environment=AUTHOR)
    options = [f"--push-option={option.replace('%s', title)}" for option in push_options]
    lease = f"--force-with-lease={BRANCH}:{before}"
    project.git("push", "--quiet", lease, *options, remote, f"HEAD:{BRANCH}")
    return f"{BRANCH} has it now"
