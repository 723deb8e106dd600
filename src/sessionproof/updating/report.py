"""The result of an update, for people and for programs."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from rich.console import Console


@dataclass(frozen=True)
class Check:
    """The outcome of one of the project's checks, with its output."""

    name: str
    passed: bool
    output: str = ""


@dataclass(frozen=True)
class Report:
    """The result of an update. Paths are relative to the project."""

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
        """Whether you only need to review and commit."""
        return self.status in {"updated", "current"}

    def as_json(self) -> str:
        """Return one JSON document."""
        return json.dumps({"status": self.status, **asdict(self)}, indent=2)

    def show_changes(self, console: Console) -> None:
        """Print the changed files, as text that also suits a log or a pull request."""
        for heading, paths in self._lists():
            if paths:
                console.print(f"\n{heading}:\n", style="bold")
                console.print("\n".join(f"- {path}" for path in paths))

    def show_outcome(self, console: Console) -> None:
        """Print failed checks and what to do next."""
        for check in self.checks:
            if not check.passed:
                console.print(f"\n{check.name} failed:\n", style="bold")
                console.print(f"```\n{check.output}\n```")
        for line in self._what_next():
            console.print(f"\n{line}")

    def _lists(self) -> Iterator[tuple[str, Sequence[str]]]:
        yield "Conflicts: the file has both versions, yours first", self.conflicts
        yield "Not updated, because lines of yours would have been lost", self.kept
        yield (
            "No longer in the template, but edited by you: move your edits, then delete the file",
            self.left,
        )
        yield "Moved by the template: your edits were merged into the new file", self.moved
        yield "Deleted, because the template has deleted them", self.deleted
        yield "Changed in the template, but deleted or renamed by you", self.not_followed
        yield "Changed in the template, but not here: you have taken them over", self.taken
        yield "Deleted, because they are no longer needed and have no edits", self.tidied
        yield (
            "Old names in your code, to be replaced with just update --rename",
            self.outdated,
        )
        yield "Renamed in your code", self.renamed
        yield "Added", self.added
        yield "Changed", self.changed

    def _what_next(self) -> Iterator[str]:
        if self.status == "current":
            yield f"The project is up to date with {self.new}."
            return
        if self.migration_needed:
            yield 'The models need a migration: just migrate, then just revision "follow the template".'
        if self.dry_run:
            yield "This was a dry run: nothing was changed."
            return
        if self.conflicts:
            yield "Resolve the conflicts, git add each file, then run just."
        yield "Review it and commit it; just update-abandon restores the files as they were."


@dataclass(frozen=True)
class EntityReport(Report):
    """The result of a change of the entities. `happened` is the message of the revision."""

    happened: str = ""
    removed: Sequence[str] = ()
    not_filled: Sequence[str] = ()
    retyped: Mapping[str, str] = field(default_factory=dict)
    tests: Sequence[str] = ()
    revision: str = ""

    def _what_next(self) -> Iterator[str]:
        if self.status == "current":
            yield "The entities have not changed."
            return
        if self.removed:
            yield f"Rows of {', '.join(self.removed)} stay until a revision drops the tables."
        if self.not_filled:
            yield (
                f"Existing rows have no value for {', '.join(self.not_filled)}: make the field "
                "optional with ?, give it a default with =, or fill it in the revision."
            )
        if self.retyped:
            changes = ", ".join(f"{place} ({types})" for place, types in self.retyped.items())
            yield (
                f"The type of {changes} changes: just migrate converts the rows, and refuses if it "
                "would lose a value. Change such rows first."
            )
        if self.dry_run:
            yield "This was a dry run: nothing was changed."
            return
        yield from self._of_the_revision()
        yield "Review it and commit it; just update-abandon restores the files as they were."

    def _of_the_revision(self) -> Iterator[str]:
        by_hand = f'just migrate, then just revision "{self.happened}"'
        if self.conflicts:
            yield "Because of the conflicts, no revision was written and no test was run."
            yield f"Resolve the conflicts, git add each file; then {by_hand}."
        elif self.revision:
            yield f"The revision is {self.revision}: read it, then run it with just migrate."
        elif self.checks and self.checks[0].passed:
            yield "The tables do not change, so there is no revision."
        else:
            yield f"There is no revision yet: {by_hand}."
