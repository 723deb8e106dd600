"""Shared by `update`, `entity` and `new`: run a change of a project, and report why it failed."""

import json
import os
import signal
import sys
import traceback
from argparse import Namespace
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from subprocess import CalledProcessError
from typing import TypeVar

from plumbum import local
from rich.console import Console

from ..updating.compiling import compile_once
from ..updating.origin import Say
from ..updating.project import HOOKS, Project, Refusal
from ..updating.report import Report

R = TypeVar("R", bound=Report)


def attempt(run: Callable[[Namespace, Console], int], wish: Namespace) -> int:
    """Call `run` and return the exit code. Print a refusal or an error as one sentence."""
    console = Console(quiet=wish.json, highlight=False, markup=False, soft_wrap=True)
    signal.signal(signal.SIGTERM, _interrupt)
    compile_once()
    for name in HOOKS:
        os.environ.pop(name, None)
        local.env.pop(name, "")  # Copier runs git with plumbum's environment
    try:
        return run(wish, console)
    except Refusal as refusal:
        return failed("refused", str(refusal), wish)
    except KeyboardInterrupt as stop:
        return failed("stopped", f"{str(stop) or 'you interrupted it'}; {way_out(wish)}", wish)
    except CalledProcessError as error:
        reason = f"{' '.join(map(str, error.cmd[:3]))} failed: {str(error.stderr).strip()}"
        return failed("stopped", f"{reason}; {way_out(wish)}", wish)
    except Exception as error:
        if wish.debug:
            traceback.print_exc()
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        advice = "this is a bug in sessionproof, please report it with the output of --debug"
        return failed("stopped", f"{reason}; {advice}; {way_out(wish)}", wish)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt("a signal interrupted it")


def failed(status: str, reason: str, wish: Namespace) -> int:
    """Print the reason for people or programs. Return an exit code that no result has."""
    if wish.json:
        print(json.dumps({"status": status, "reason": reason}))
    for line in reason.splitlines():
        print(f"{status}: {line}", file=sys.stderr)
    return {"refused": 2, "stopped": 3}[status]


def way_out(wish: Namespace) -> str:
    """Return what to do after an update that did not finish."""
    project = Project(wish.project.resolve())
    with suppress(Exception):
        if project.note() and not project.is_clean:
            return "just update-abandon restores the files as they were"
    return "nothing was changed"


def carry_out(
    change: Callable[[Project, Namespace, Console, Say], R],
    check: Callable[[R, Project, Console], R],
    project: Project,
    wish: Namespace,
    console: Console,
) -> int:
    """Change the project or (dry run) a copy of it, check the result, and print a report."""
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


def may_ask(wish: Namespace) -> bool:
    """Return whether a person can answer questions: standard input and output are a terminal."""
    return not wish.json and sys.stdin.isatty() and sys.stdout.isatty()
