# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "copier>=9.18,<10",
#     "packaging>=24",
#     "pathspec>=1",
#     "plumbum>=1.8",
#     "pyyaml>=6",
#     "rich>=14",
# ]
# ///
"""Bring in what is new in the template, and say what came of it.

It runs in an environment of its own, so that the project does not depend on Copier. The status is
0 where all is well, 1 where something is left to do, and 2 where it did not begin.
"""

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CalledProcessError
from typing import TypeVar

from rich.console import Console
from rich.markdown import Markdown

from checks import needs_migration, run_checks
from merge import Merge, Stopped
from project import Answers, Note, Project, Refusal
from report import Report
from template import Template, Version, cloned


def main() -> int:
    """Do what the command line says."""
    return attempt(run, parsed())


def attempt(run: Callable[[Namespace, Console], int], wish: Namespace) -> int:
    """The status that it ends with; what stops it is said, and no more."""
    console = Console(quiet=wish.json, highlight=False, markup=False, soft_wrap=True)
    try:
        return run(wish, console)
    except Refusal as refusal:
        if wish.json:
            print(json.dumps({"status": "refused", "reason": str(refusal)}))
        for reason in str(refusal).splitlines():
            print(f"refused: {reason}", file=sys.stderr)
        return 2
    except CalledProcessError as error:
        print(f"stopped: git {error.cmd[1]} says: {error.stderr.strip()}", file=sys.stderr)
        return 1
    except (Stopped, KeyboardInterrupt) as stop:
        print(f"stopped: {str(stop) or 'by you'}; just update-abandon undoes it", file=sys.stderr)
        return 1


def parsed() -> Namespace:
    """What the command line asks for."""
    parser = ArgumentParser(prog="just update", description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("-r", "--vcs-ref", metavar="VERSION", help="this version, not the newest")
    add("-d", "--data", metavar="NAME=VALUE", action="append", default=[], help="another answer")
    add("-l", "--defaults", action="store_true", help="take the default of every new question")
    add("-y", "--yes", action="store_true", help="do not ask whether to go on")
    add("--dry-run", action="store_true", help="change nothing, only say what would come")
    add("--no-checks", action="store_true", help="do not run the project's checks afterwards")
    add("--json", action="store_true", help="print one document; asks nothing")
    add("--project", type=Path, default=Path(), metavar="FOLDER", help="another folder than this")
    add("--abandon", action="store_true", help="undo an update that is not committed yet")
    return parser.parse_args()


def run(wish: Namespace, console: Console) -> int:
    """Abandon, rehearse or update."""
    project = Project(wish.project.resolve())
    if wish.abandon:
        console.print(project.abandon())
        return 0
    return carry_out(update, checked, project, wish, console)


R = TypeVar("R", bound=Report)


def carry_out(
    change: Callable[[Project, Namespace, Console], R],
    check: Callable[[R, Project, Console], R],
    project: Project,
    wish: Namespace,
    console: Console,
) -> int:
    """Change the project, or only a copy of it; check it where all is merged; say what came of it."""
    project.require_ready()
    if wish.dry_run:
        with project.copied() as copy:
            report = replace(change(copy, wish, console), dry_run=True)
    else:
        report = change(project, wish, console)
    report.show_changes(console)
    if report.status == "updated" and not (wish.dry_run or wish.no_checks):
        report = check(report, project, console)
    report.show_outcome(console)
    if wish.json:
        print(report.as_json())
    return 0 if report.is_good else 1


def update(project: Project, wish: Namespace, console: Console) -> Report:
    """Bring the project to the version and the answers that are asked for."""
    answers, given = project.answers(), split(wish.data)
    with cloned(str(answers["_src_path"])) as template:
        old = template.version(str(answers["_commit"]))
        new = old if wish.vcs_ref == ":current:" else template.version(wish.vcs_ref)
        require_possible(template, old, new, answers, given)
        if old == new and not given:
            return Report(old.name, new.name)
        before = template.render(old, answers)
        asks = may_ask(wish)
        if old != new:
            show_what_comes(template.changes(old, new), old, new, console)
        if asks and not wish.yes and not wish.dry_run:
            require_consent(console)
        after = template.render(new, answers | given, ask=asks and not wish.defaults)
    if old == new and before.answers == after.answers:
        return Report(old.name, new.name)
    return merged(Merge(project, before, after), old, new)


def may_ask(wish: Namespace) -> bool:
    """Whether somebody sits there."""
    return not wish.json and sys.stdin.isatty() and sys.stdout.isatty()


def require_possible(
    template: Template, old: Version, new: Version, answers: Answers, given: Answers
) -> None:
    """Raises Refusal for what Copier would do wrong, or leave out without a word."""
    if template.is_older(new, old):
        raise Refusal(
            f"{new.name} is older than {old.name}, which the project has; there is no way back"
        )
    questions = template.questions(new)
    for unknown in given.keys() - set(questions):
        raise Refusal(
            f"{unknown} is not a question of the template; it asks {', '.join(questions)}"
        )
    if given.get("package", answers.get("package")) != answers.get("package"):
        raise Refusal(
            f"the package is {answers['package']} for life: its folder would move without your "
            "changes; rename it by hand if you must, and follow the template no longer"
        )


def show_what_comes(changes: str, old: Version, new: Version, console: Console) -> None:
    """The versions, and what the changelog says about those between them."""
    console.print(f"From {old.name} to {new.name}.\n")
    console.print(Markdown(changes) if console.is_terminal else changes)


def require_consent(console: Console) -> None:
    """Raises Refusal unless whoever sits there says yes."""
    if console.input("\nUpdate? [Y/n] ", markup=False).strip().lower() not in {"", "y", "yes"}:
        raise Refusal("nothing was changed, as you said")


def merged(merge: Merge, old: Version, new: Version) -> Report:
    """Update the tree, and see what has become of it."""
    project, note = merge.project, Note(merge.project.head, new.name)
    project.remember(note)
    kept = merge.run(new.commit, only_answers=old == new)
    project.remember(replace(note, finished=True))
    conflicts = project.conflicts()
    return Report(
        old=old.name,
        new=new.name,
        conflicts=conflicts,
        kept=kept,
        deleted=project.changes("D"),
        not_followed=merge.not_followed(),
        added=sorted({*project.new_files()} - {*conflicts}),
        changed=sorted({*project.changes("MT")} - {*conflicts}),
    )


def checked(report: Report, project: Project, console: Console) -> Report:
    """The same, with the outcome of the project's own checks."""
    checks = list(run_checks(project.folder, console))
    return replace(report, checks=checks, migration_needed=needs_migration(checks))


def split(data: list[str]) -> Answers:
    """`name=value`, as many as there are."""
    pairs = [pair.partition("=") for pair in data]
    for name, sign, _ in pairs:
        if not sign:
            raise Refusal(f"an answer is given as name=value, got {name}")
    return {name: value for name, _, value in pairs}


if __name__ == "__main__":
    sys.exit(main())
