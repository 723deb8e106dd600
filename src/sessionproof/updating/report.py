"""What an update came to, for people and for programs."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from rich.console import Console


@dataclass(frozen=True)
class Check:
    """One of the project's own checks, and what it said last where it failed."""

    name: str
    passed: bool
    output: str = ""


@dataclass(frozen=True)
class Report:
    """What an update brought, kept and left; paths are relative to the project."""

    old: str
    new: str
    releases: Sequence[str] = ()
    dry_run: bool = False
    conflicts: Sequence[str] = ()
    kept: Sequence[str] = ()
    left: Sequence[str] = ()
    moved: Sequence[str] = ()
    tidied: Sequence[str] = ()
    renamed: Sequence[str] = ()
    outdated: Sequence[str] = ()
    deleted: Sequence[str] = ()
    not_followed: Sequence[str] = ()
    taken: Sequence[str] = ()
    added: Sequence[str] = ()
    changed: Sequence[str] = ()
    checks: Sequence[Check] = ()
    migration_needed: bool | None = None
    notes: Sequence[str] = ()

    @property
    def status(self) -> str:
        """One word for programs: `current`, `updated`, `conflicts` or `failed`."""
        if self.conflicts:
            return "conflicts"
        if not all(check.passed for check in self.checks):
            return "failed"
        is_new = self.added or self.deleted or self.changed or self.tidied
        return "updated" if is_new or self.outdated else "current"

    @property
    def is_good(self) -> bool:
        """Whether nothing is left to do but to review and commit."""
        return self.status in {"updated", "current"}

    def as_json(self) -> str:
        """One document, for programs."""
        return json.dumps({"status": self.status, **asdict(self)}, indent=2)

    def show_changes(self, console: Console) -> None:
        """What came, in lines for a terminal, for a log, and for the text of a pull request."""
        for heading, paths in self._lists():
            if paths:
                console.print(f"\n{heading}:\n", style="bold")
                console.print("\n".join(f"- {path}" for path in paths))

    def show_outcome(self, console: Console) -> None:
        """What failed, and what is left to do."""
        for check in self.checks:
            if not check.passed:
                console.print(f"\n{check.name} failed:\n", style="bold")
                console.print(f"```\n{check.output}\n```")
        for line in self._what_next():
            console.print(f"\n{line}")

    def _lists(self) -> Iterator[tuple[str, Sequence[str]]]:
        yield "Conflicts, with both sides in the file, yours first", self.conflicts
        yield "Kept as they were, because the update would have lost lines of yours", self.kept
        yield (
            "No longer the template's, and edited here: move your edits, then delete it",
            self.left,
        )
        yield "Moved by the template: your edits are in the new file, which is changed", self.moved
        yield "Deleted, because the template no longer has them", self.deleted
        yield "Changed in the template, but deleted or renamed here", self.not_followed
        yield "Changed in the template, but left alone: you have taken them over", self.taken
        yield "Deleted, because nothing needs them any more and nobody has edited them", self.tidied
        yield (
            "Names that have changed, and your code still has: just update --rename",
            self.outdated,
        )
        yield "Renamed in your code", self.renamed
        yield "Added", self.added
        yield "Changed", self.changed

    def _what_next(self) -> Iterator[str]:
        if self.status == "current":
            yield f"The project is at {self.new}; there is nothing new."
            return
        if self.migration_needed:
            yield 'The models need a migration: just migrate, then just revision "follow the template".'
        if self.dry_run:
            yield "Nothing was changed: this was a rehearsal."
            return
        if self.conflicts:
            yield "Keep what is right, delete the marks, git add each file, then run just."
        yield "Review it and commit it; just update-abandon gives back the tree as it was."


@dataclass(frozen=True)
class EntityReport(Report):
    """What a change of the entities came to: `happened` names it, as the revision does."""

    happened: str = ""
    removed: Sequence[str] = ()
    not_filled: Sequence[str] = ()
    retyped: Mapping[str, str] = field(default_factory=dict)
    tests: Sequence[str] = ()
    revision: str = ""

    def _what_next(self) -> Iterator[str]:
        if self.status == "current":
            yield "Nothing is described otherwise than before."
            return
        if self.removed:
            yield f"Rows stay until a revision has dropped their tables: {', '.join(self.removed)}."
        if self.not_filled:
            yield (
                f"Rows that are there already have no value for {', '.join(self.not_filled)}: make "
                "it optional with ?, give it a default with =, or let the revision fill it."
            )
        if self.retyped:
            changes = ", ".join(f"{place} ({types})" for place, types in self.retyped.items())
            yield (
                f"The type of {changes} changes: just migrate converts the rows, and refuses if a "
                "value would be lost. Change such rows first."
            )
        if self.dry_run:
            yield "Nothing was changed: this was a rehearsal."
            return
        yield from self._of_the_revision()
        yield "Review it and commit it; just update-abandon gives back the tree as it was."

    def _of_the_revision(self) -> Iterator[str]:
        by_hand = f'just migrate, then just revision "{self.happened}"'
        if self.conflicts:
            yield "No revision was written and no test run, because of the conflicts."
            yield f"Keep what is right, delete the marks, git add each file; then {by_hand}."
        elif self.revision:
            yield f"The revision is {self.revision}: read it; just migrate runs it."
        elif self.checks and self.checks[0].passed:
            yield "The tables do not change, so there is no revision."
        else:
            yield f"There is no revision yet: {by_hand}."
