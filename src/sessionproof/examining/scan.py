"""Run ast-grep with the template's rules, and read what it finds."""

import json
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

from .findings import LEVELS, Examination, Finding
from .incidents import TITLES

CONFIG = Path(__file__).parent / "ast-grep/sgconfig.yml"
AST_GREP = Path(sys.executable).with_name("ast-grep")  # of this environment
FOREIGN = ("site-packages", "node_modules", ".venv")
UNREAD = {"invalidUtf8": "not UTF-8", "fileTooLarge": "too large", "ioError": "cannot be opened"}
PROVIDER = "second-provider"
OWN = ("--error=no-suppress-all", "--off=unused-suppression")  # ast-grep's own rules


class ScanError(Exception):
    """The reason why nothing was examined, in one sentence."""


def examine(folder: Path) -> Examination:
    """Scan the folder's Python files. Raises ScanError if there are none."""
    began = perf_counter()
    if not folder.is_dir():
        raise ScanError(f"{folder} is not a folder; name the folder of a Python project")
    done = ast_grep(folder, "--json=stream", "--include-metadata", "--inspect=entity")
    files = dict(re.findall(r"^sg: entity\|file\|(.+): \w+=(\w+)", done.stderr, re.MULTILINE))
    if not files:
        raise ScanError(f"{folder} has no Python file, or git ignores all of them")
    unread = {file: UNREAD[state] for file, state in sorted(files.items()) if state in UNREAD}
    findings = but_one_provider(map(parse, done.stdout.splitlines()))
    seconds = round(perf_counter() - began, 2)
    return Examination(len(files) - len(unread), seconds, unread, tuple(sorted(findings, key=rank)))


def ast_grep(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Scan the folder; paths are relative to it. Raises ScanError if ast-grep fails."""
    globs = [f"--globs=!{name}" for name in FOREIGN]
    try:
        done = subprocess.run(
            [AST_GREP, "scan", f"--config={CONFIG}", *OWN, *globs, *options],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except FileNotFoundError:
        raise ScanError(
            "ast-grep is not installed in this environment; run the command with uv run or uvx"
        ) from None
    if done.returncode not in {0, 1}:  # 1: there are errors in the code
        reasons = re.findall(r"^(?:Error: |╰▻ )(.+)", done.stderr, re.MULTILINE)
        raise ScanError(f"ast-grep failed: {': '.join(reasons[:2]) or done.returncode}")
    return done


def parse(line: str) -> Finding:
    """Return the finding in one line of ast-grep's output."""
    match: dict[str, Any] = json.loads(line)
    start = match["range"]["start"]
    incident = match.get("metadata", {}).get("incident")
    first, *also = incident or [None] if isinstance(incident, list) else [incident]
    return Finding(
        rule=match["ruleId"],
        level=match["severity"],
        incident=first,
        also=tuple(also),
        message=match["message"].rstrip("."),
        note=(match["note"] or "").strip(),
        file=match["file"],
        line=start["line"] + 1,
        column=start["column"] + 1,
        code=match["lines"].splitlines()[0].strip(),
    )


def but_one_provider(findings: Iterable[Finding]) -> list[Finding]:
    """Drop the rule about providers if only one file has one; else say how many files have."""
    found = list(findings)
    places = len({finding.file for finding in found if finding.rule == PROVIDER})
    if places == 1:
        return [finding for finding in found if finding.rule != PROVIDER]
    return [
        replace(each, message=f"{places} files create engines or sessions. {each.message}")
        if each.rule == PROVIDER
        else each
        for each in found
    ]


def rank(finding: Finding) -> tuple[int, int, str, str, int, int]:
    """Sort by level, incident and rule, the worst first."""
    level = LEVELS.index(finding.level)
    place = finding.file, finding.line, finding.column
    return level, finding.incident or len(TITLES), finding.rule, *place
