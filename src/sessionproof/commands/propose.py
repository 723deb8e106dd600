"""Push an uncommitted update to the branch `template-update`; a scheduled CI job runs this.

Nothing is pushed if the branch already has the same files, or if it has a commit of another author,
which the push would overwrite.
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
    """Push the update, print the result, and return the exit code."""
    parser = ArgumentParser(prog="sessionproof propose", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("remote", help="the remote to push to")
    parser.add_argument("report", type=Path, help="a file with the update's output, for the commit")
    parser.add_argument(
        "--push-option",
        "-o",
        action="append",
        default=[],
        help="for git push; %%s is the commit's title",
    )
    wish = parser.parse_args(arguments)
    for name in HOOKS:
        os.environ.pop(name, None)
    try:
        print(propose(Project(Path.cwd()), wish.remote, wish.report, wish.push_option))
    except CalledProcessError as error:
        print(f"git {error.cmd[1]} failed: {error.stderr.strip()}", file=sys.stderr)
        return 2
    return 0


def propose(project: Project, remote: str, report: Path, push_options: Sequence[str]) -> str:
    """Push the update, and return a sentence about the result. Raises CalledProcessError."""
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
            return f"{BRANCH} has commits of other authors; merge or delete it, then run this again"
        if project.git("write-tree") == project.git("rev-parse", "FETCH_HEAD^{tree}"):
            return f"{BRANCH} already has this update"
    message = f"{title}\n\n{report.read_text(encoding='utf-8')}"
    commit = ("commit", "--quiet", "--no-verify", "--file=-")
    project.feed(*commit, given=message.encode(), environment=AUTHOR)
    options = [f"--push-option={option.replace('%s', title)}" for option in push_options]
    lease = f"--force-with-lease={BRANCH}:{before}"
    project.git("push", "--quiet", lease, *options, remote, f"HEAD:{BRANCH}")
    return f"pushed to {BRANCH}"
