"""The findings as text, for a terminal or a pipe; nothing breaks a path or a line of code."""

from collections.abc import Iterator
from textwrap import TextWrapper, fill

from rich.console import Console
from rich.text import Text

from .findings import LEVELS, Examination, Finding, by_incident
from .incidents import TITLES

STYLES = dict(zip(LEVELS, ("bold red", "bold yellow", "bold blue"), strict=True))
WIDTH = 100


def show(examination: Examination, found: list[Finding], places: int | None) -> None:
    """Print these findings, with so many places of each rule."""
    console = Console(highlight=False, markup=False, soft_wrap=True)
    width = min(console.width, WIDTH)
    if found:
        console.print("What follows is written as it was where it went wrong for other teams.\n")
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
    """A rule: what will happen, what to do, and where."""
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
    """The text, indented; its lines are broken, but for those of a snippet."""
    wrapper = TextWrapper(width, "  ", "  ", break_long_words=False)
    for line in text.splitlines():
        yield f"  {line}" if line.startswith("    ") else wrapper.fill(line)


def next_step(examination: Examination, found: list[Finding]) -> Iterator[str]:
    """What to do with this."""
    if len(found) < len(examination.findings):
        yield f"Not listed: {len(examination.findings) - len(found)}. --min info lists everything."
    if found:
        first = found[0]
        yield (
            f"Next: begin with {first.file}:{first.line}. Where a place is right as it is, say why in"
            f" the line before: # ast-grep-ignore: {first.rule} - the reason"
        )
