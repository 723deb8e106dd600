"""Print the findings as text, for a terminal or a pipe. Paths and lines of code are never wrapped."""

import re
from collections.abc import Iterator
from textwrap import TextWrapper, fill

from rich.console import Console
from rich.text import Text

from .findings import LEVELS, Examination, Finding, by_incident
from .incidents import TITLES

STYLES = dict(zip(LEVELS, ("bold red", "bold yellow", "bold blue"), strict=True))
WIDTH = 100
HEADING = (
    "This code resembles code that went wrong for other teams. In the suggestions, a unit of work is a"
    " block that opens a session, commits or rolls back, and closes it."
)


def show(examination: Examination, found: list[Finding], places: int | None) -> None:
    """Print these findings, with at most `places` places for each rule."""
    console = Console(highlight=False, markup=False, soft_wrap=True)
    width = min(console.width, WIDTH)
    if found:
        console.print(f"{fill(HEADING, width)}\n")
    for incident, rules in by_incident(found).items():
        number = f" (incident {incident})" if incident else ""
        console.print(f"{fill(f'{TITLES[incident]}{number}', width)}\n", style="bold")
        for findings in rules.values():
            console.print(*explain(findings, places, width), "", sep="\n")
    for file, reason in examination.unread.items():
        console.print(f"not read: {file} ({reason})")
    console.print(str(examination), style="bold")
    for line in next_step(examination, found):
        console.print(line)


def explain(findings: list[Finding], places: int | None, width: int) -> Iterator[Text | str]:
    """Yield the lines of one rule: what will happen, what to do, and where."""
    first, shown = findings[0], findings[:places]
    yield Text.assemble("  ", (first.level, STYLES[first.level]), f": {first.title}")
    yield from lines(f"{first.message}.", width)
    yield ""
    yield from lines(first.note, width)
    yield ""
    for each in shown:
        yield Text.assemble("  ", (f"{each.file}:{each.line}", "cyan"), f": {each.code}")
    if len(shown) < len(findings):
        yield f"  and {len(findings) - len(shown)} more (--all lists them)"


def lines(text: str, width: int) -> Iterator[str]:
    """Yield the text indented and wrapped; lines of code are not wrapped."""
    wrapper = TextWrapper(width, "  ", "  ", break_long_words=False)
    for line in re.sub(r"(?<=\S)\n(?=\S)", " ", text).splitlines():
        yield f"  {line}" if line.startswith("    ") else wrapper.fill(line)


def next_step(examination: Examination, found: list[Finding]) -> Iterator[str]:
    """Yield what to do next."""
    if len(found) < len(examination.findings):
        yield f"{len(examination.findings) - len(found)} more are not listed; --min info lists all."
    if found:
        first = found[0]
        yield (
            f"Next: begin with {first.file}:{first.line}. If a place is right, give the reason in a comment"
            f" on the line before it: # ast-grep-ignore: {first.rule} - the reason"
        )
