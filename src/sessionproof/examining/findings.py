"""The result of an examination."""

from collections.abc import Iterable
from dataclasses import dataclass

LEVELS = ("error", "warning", "info")


@dataclass(frozen=True)
class Finding:
    """A place in the code and the rule that it breaks. Lines and columns count from 1."""

    rule: str
    level: str
    incident: int | None
    also: tuple[int, ...]
    message: str
    note: str
    file: str
    line: int
    column: int
    code: str

    @property
    def title(self) -> str:
        """The rule's name, and the other incidents that it comes from."""
        if not self.also:
            return self.rule
        others = " and ".join(map(str, self.also))
        return f"{self.rule}, also incident{'s' if len(self.also) > 1 else ''} {others}"


@dataclass(frozen=True)
class Examination:
    """The findings, the number of files, and the reason for each file that could not be read."""

    files: int
    seconds: float
    unread: dict[str, str]
    findings: tuple[Finding, ...]

    def at_least(self, level: str) -> list[Finding]:
        """Return the findings of this level or a worse one."""
        levels = LEVELS[: LEVELS.index(level) + 1]
        return [finding for finding in self.findings if finding.level in levels]

    def __str__(self) -> str:
        return ", ".join([amount(self.files, "file"), *count(self.findings).values()])


Incidents = dict[int | None, dict[str, list[Finding]]]


def by_incident(findings: Iterable[Finding]) -> Incidents:
    """Group the findings by incident and rule, in their order."""
    incidents: Incidents = {}
    for finding in findings:
        incidents.setdefault(finding.incident, {}).setdefault(finding.rule, []).append(finding)
    return incidents


def count(findings: Iterable[Finding]) -> dict[str, str]:
    """Return how many findings each level has, in words."""
    levels = [finding.level for finding in findings]
    errors, warnings, others = map(levels.count, LEVELS)
    words = amount(errors, "error"), amount(warnings, "warning"), f"{others} to look at"
    return dict(zip(LEVELS, words, strict=True))


def amount(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"
