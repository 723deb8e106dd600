# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "copier>=9.18,<10",
#     "jinja2>=3.1",
#     "packaging>=24",
#     "pathspec>=1",
#     "plumbum>=1.8",
#     "pyyaml>=6",
#     "rich>=14",
# ]
# ///
"""Bring in what is new in the template, and say what came of it.

It runs in an environment of its own, so that the project does not depend on Copier. The exit code
is 0 if all is well, 1 if something is left to do, 2 if it was refused, and 3 if it was stopped.
"""

import json
import os
import signal
import sys
import traceback
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any, TypeVar

from plumbum import local
from rich.console import Console
from rich.markdown import Markdown

from checks import needs_migration, run_checks
from merge import Merge
from origin import Say, followed, prepare, settle
from project import ANSWERS, HOOKS, Answers, Note, Project, Refusal
from report import Report
from template import Rendering, Template, Version, asked
from transfer import abandon, bring

YES = {"y", "yes", "t", "true", "on", "1"}
NO = {"n", "no", "f", "false", "off", "0"}
# The types of questions that Copier casts an answer to, whatever it is.
TYPES: dict[str, type] = {"bool": bool, "str": str}


def main() -> int:
    """Do what the command line says."""
    return attempt(run, parsed())


def attempt(run: Callable[[Namespace, Console], int], wish: Namespace) -> int:
    """The status that it ends with; what stops it is said in a sentence."""
    console = Console(quiet=wish.json, highlight=False, markup=False, soft_wrap=True)
    signal.signal(signal.SIGTERM, _interrupt)
    for name in HOOKS:
        os.environ.pop(name, None)
        local.env.pop(name, "")  # Copier's git has an environment of its own
    try:
        return run(wish, console)
    except Refusal as refusal:
        return failed("refused", str(refusal), wish)
    except KeyboardInterrupt as stop:
        return failed("stopped", f"{str(stop) or 'by you'}; {way_out(wish)}", wish)
    except CalledProcessError as error:
        reason = f"{' '.join(map(str, error.cmd[:3]))} fails: {str(error.stderr).strip()}"
        return failed("stopped", f"{reason}; {way_out(wish)}", wish)
    except Exception as error:
        if wish.debug:
            traceback.print_exc()
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        advice = "this is a mistake in the tool, report it with what --debug shows"
        return failed("stopped", f"{reason}; {advice}; {way_out(wish)}", wish)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt("by a signal")


def failed(status: str, reason: str, wish: Namespace) -> int:
    """Say why it ends, to people and to programs; the exit code is none that a result has."""
    if wish.json:
        print(json.dumps({"status": status, "reason": reason}))
    for line in reason.splitlines():
        print(f"{status}: {line}", file=sys.stderr)
    return {"refused": 2, "stopped": 3}[status]


def way_out(wish: Namespace) -> str:
    """What to do after an update that did not reach its end."""
    project = Project(wish.project.resolve())
    with suppress(Exception):
        if project.note() and not project.is_clean:
            return "just update-abandon gives back the tree as it was"
    return "nothing was changed"


def parsed() -> Namespace:
    """What the command line asks for."""
    parser = ArgumentParser(prog="just update", description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("-r", "--vcs-ref", metavar="VERSION", help="this version, not the newest release")
    add("-s", "--source", metavar="TEMPLATE", help="follow the template at this URL or path")
    add("-d", "--data", metavar="NAME=VALUE", action="append", default=[], help="another answer")
    add("-l", "--defaults", action="store_true", help="take the default of every new question")
    add("-y", "--yes", action="store_true", help="do not ask whether to go on")
    add("--dry-run", action="store_true", help="change nothing, only say what would come")
    add("--no-checks", action="store_true", help="do not run the project's checks afterwards")
    add("--json", action="store_true", help="print one document; asks nothing")
    add("--project", type=Path, default=Path(), metavar="FOLDER", help="another folder than this")
    add("--debug", action="store_true", help="show where an unexpected error comes from")
    add("--abandon", action="store_true", help="undo an update that is not committed yet")
    return parser.parse_args()


def run(wish: Namespace, console: Console) -> int:
    """Abandon, rehearse or update."""
    project = Project(wish.project.resolve())
    if wish.abandon:
        console.print(abandon(project))
        return 0
    return carry_out(update, checked, project, wish, console)


R = TypeVar("R", bound=Report)


def carry_out(
    change: Callable[[Project, Namespace, Console, Say], R],
    check: Callable[[R, Project, Console], R],
    project: Project,
    wish: Namespace,
    console: Console,
) -> int:
    """Change the project, or only a copy of it; check it where all is merged; say what came of it."""
    project.require_answers()
    notes: list[str] = []

    def say(note: str) -> None:
        console.print(note)
        notes.append(note)

    if wish.dry_run:
        with project.rehearsed() as rehearsed:
            report = replace(change(rehearsed, wish, console, say), dry_run=True)
    else:
        project.require_ready()
        report = change(project, wish, console, say)
    report = replace(report, notes=notes)
    report.show_changes(console)
    if report.status == "updated" and not (wish.dry_run or wish.no_checks):
        report = check(report, project, console)
    report.show_outcome(console)
    if wish.json:
        print(report.as_json())
    return 0 if report.is_good else 1


def update(project: Project, wish: Namespace, console: Console, say: Say) -> Report:
    """Bring the project to the version and the answers that are asked for."""
    answers, given = project.answers(), split(wish.data)
    near = wish.project.resolve()
    with followed(project, answers, say, near=near, source=wish.source) as (template, old):
        new = wanted(template, old, wish.vcs_ref)
        require_possible(template, old, new, answers, given)
        is_same = old == new and template.is_remembered(answers)
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
        return merged(project, template, before, after, old, new, dry_run=wish.dry_run)


def wanted(template: Template, old: Version, name: str | None) -> Version:
    """The version to go to: the newest release, unless the project is ahead of it."""
    if name == ":current:":
        return old
    if name:
        return template.version(name)
    newest = template.newest()
    return old if template.is_older(newest, than=old) else newest


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
    require_types(template, old, answers)
    require_answers(template.settings(new), answers, given)


def require_answers(settings: dict[str, Any], answers: Answers, given: Answers) -> None:
    """Raises Refusal for a given answer that is wrong, or that this project cannot have."""
    questions = asked(settings)
    for name, answer in given.items():
        if name not in questions:
            raise Refusal(
                f"{name} is not a question of the template; it asks {', '.join(questions)}"
            )
        possible = choices(questions[name])
        if possible and answer not in possible:
            raise Refusal(f"{name} must be one of {', '.join(possible)}, got {answer}")
        if questions[name]["type"] == "bool":
            given[name] = is_on(name, str(answer))
    if given.get("package", answers.get("package")) != answers.get("package"):
        raise Refusal(
            f"the package is {answers['package']} for life: its folder would move without your "
            "changes; rename it by hand if you must, and follow the template no longer"
        )
    if given.get("example") and not answers.get("example"):
        raise Refusal("example must stay false: only copier copy writes the worked example")
    if given.get("worker") and not given.get("example", answers.get("example")):
        raise Refusal("worker must be false without the example, whose tasks it does")
    if "ours" in given:
        raise Refusal("ours is changed with: just owned --take FILE, just owned --give-back FILE")


def is_on(name: str, answer: str) -> bool:
    """What a word says. Raises Refusal for one that says neither: Copier takes it for true."""
    word = answer.strip().lower()
    if word not in YES | NO:
        raise Refusal(f"{name} must be true or false, got {answer}")
    return word in YES


def require_types(template: Template, version: Version, answers: Answers) -> None:
    """Raises Refusal if a recorded answer is none that its question can have."""
    for name, question in asked(template.settings(version)).items():
        kind, possible = str(question["type"]), choices(question)
        is_right = isinstance(answers.get(name), TYPES.get(kind, object))
        if name in answers and not (is_right and (not possible or answers[name] in possible)):
            expected = f"one of {', '.join(possible)}" if possible else f"a {kind}"
            raise Refusal(
                f"{ANSWERS} must have {expected} as {name}, got {answers[name]!r}; "
                f"bring its last good state back: git log -p {ANSWERS}"
            )


def choices(question: dict[str, Any]) -> list[str]:
    """What may be answered; nothing if anything may."""
    known = question.get("choices") or []
    return list(known.values() if isinstance(known, dict) else known)


def show_what_comes(changes: str, old: Version, new: Version, console: Console) -> None:
    """The versions, and what the changelog says about those between them."""
    console.print(f"From {old.name} to {new.name}.\n")
    console.print(Markdown(changes) if console.is_terminal else changes)


def require_consent(console: Console) -> None:
    """Raises Refusal unless whoever sits there says yes."""
    if console.input("\nUpdate? [Y/n] ", markup=False).strip().lower() not in {"", "y", "yes"}:
        raise Refusal("nothing was changed, as you said")


def merged(
    project: Project,
    template: Template,
    before: Rendering,
    after: Rendering,
    old: Version,
    new: Version,
    *,
    dry_run: bool,
) -> Report:
    """Update a copy of the project, see what has become of it, and bring that over."""
    note = Note(project.head, new.name)
    with project.copied() as copy:
        prepare(copy, template, before)
        merge = Merge(project, copy, before, after)
        kept = merge.run(new.commit, only_answers=old == new)
        settle(copy, template)
        conflicts = copy.conflicts()
        report = Report(
            old=old.name,
            new=new.name,
            dry_run=dry_run,
            conflicts=conflicts,
            kept=kept,
            deleted=copy.changes("D"),
            not_followed=merge.not_followed(),
            taken=merge.taken_over(),
            added=sorted({*copy.untracked()} - {*conflicts}),
            changed=sorted({*copy.changes("MT")} - {*conflicts}),
        )
        if not dry_run:
            bring(copy, project, note)
    return report


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
