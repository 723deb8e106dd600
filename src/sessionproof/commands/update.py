"""Merge the template's changes into the project, and report them.

The exit code is 0 if all went well, 1 if you have something to do, 2 if the command refused to run,
and 3 if it was stopped.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown

from ..updating.answers import split
from ..updating.checks import needs_migration, run_checks
from ..updating.leftovers import leftovers
from ..updating.origin import Say, followed
from ..updating.project import Project, Refusal
from ..updating.renames import Use, outdated
from ..updating.report import Report
from ..updating.template import Version
from ..updating.transfer import abandon
from ..updating.update import merged, require_possible, wanted
from ._attempt import attempt, carry_out, may_ask


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    return attempt(run, parsed(arguments))


def parsed(arguments: Sequence[str]) -> Namespace:
    """Parse the command line."""
    parser = ArgumentParser(prog="just update", description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("-r", "--vcs-ref", metavar="VERSION", help="a version (default: the newest release)")
    add("-s", "--source", metavar="TEMPLATE", help="the template's new URL or path")
    add("-d", "--data", metavar="NAME=VALUE", action="append", default=[], help="change an answer")
    add("-l", "--defaults", action="store_true", help="use the defaults of all new questions")
    add("-y", "--yes", action="store_true", help="update without asking for confirmation")
    add("--rename", action="store_true", help="apply the kernel's renames to your code")
    add("--dry-run", action="store_true", help="print what would change, and change nothing")
    add("--no-checks", action="store_true", help="do not run the project's checks afterwards")
    add("--json", action="store_true", help="print one JSON document, and ask nothing")
    add("--project", type=Path, default=Path(), metavar="FOLDER", help="the project (default: .)")
    add("--near", type=Path, metavar="FOLDER", help="resolve a relative template path from here")
    add("--debug", action="store_true", help="print the traceback of an unexpected error")
    add("--abandon", action="store_true", help="undo an update that is not committed yet")
    return parser.parse_args(arguments)


def run(wish: Namespace, console: Console) -> int:
    """Update the project, or abandon an update."""
    project = Project(wish.project.resolve())
    if wish.abandon:
        console.print(abandon(project))
        return 0
    return carry_out(update, checked, project, wish, console)


def update(project: Project, wish: Namespace, console: Console, say: Say) -> Report:
    """Update the project to the version and the answers of the command line."""
    answers, given = project.answers(), split(wish.data)
    near = (wish.near or wish.project).resolve()
    with followed(project, answers, say, near=near, source=wish.source) as (template, old):
        new = wanted(template, old, wish.vcs_ref)
        require_possible(template, old, new, answers, given)
        is_same = (
            old == new
            and template.is_remembered(answers)
            and not leftovers(project, template, new)
            and not outdated(project, template, new)
        )
        if is_same and not given:
            return Report(old.name, new.name)
        before = template.render(old, answers)
        asks = may_ask(wish)
        if old != new:
            show_what_comes(template.changes(old, new), old, new, console)
        if asks and not wish.yes and not wish.dry_run:
            require_consent(console)
        after = template.render(new, answers | given, ask=asks and not wish.defaults)
        if is_same and before.answers == after.answers:
            return Report(old.name, new.name)

        def may_rename(uses: Sequence[Use]) -> bool:
            return wish.rename or (asks and wants_new_names(uses, console))

        return merged(
            *(project, template, before, after, old, new),
            dry_run=wish.dry_run,
            may_rename=may_rename,
        )


def show_what_comes(changes: str, old: Version, new: Version, console: Console) -> None:
    """Print both versions, and the changelog between them."""
    console.print(f"From {old.name} to {new.name}.\n")
    console.print(Markdown(changes) if console.is_terminal else changes)


def wants_new_names(uses: Sequence[Use], console: Console) -> bool:
    """Ask whether to rename the old names in the team's code."""
    console.print("\nYour code uses names that the kernel has renamed:\n", style="bold")
    console.print("\n".join(f"- {use}" for use in uses))
    return is_yes(console.input("\nRename them? [Y/n] ", markup=False))


def is_yes(answer: str) -> bool:
    """Return whether the answer means yes. An empty answer does."""
    return answer.strip().lower() in {"", "y", "yes"}


def require_consent(console: Console) -> None:
    """Raises Refusal unless the user agrees to the update."""
    if not is_yes(console.input("\nUpdate? [Y/n] ", markup=False)):
        raise Refusal("you said no; nothing was changed")


def checked(report: Report, project: Project, console: Console) -> Report:
    """Run the project's checks, and add their outcome to the report."""
    checks = list(run_checks(project.folder, console))
    return replace(report, checks=checks, migration_needed=needs_migration(checks))
