"""A table of the source and the same table here: read, counted, compared."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Result, Row, Table
from sqlalchemy.orm import Session

from .checksum import Tally
from .errors import CopyRefused
from .layout import UNCACHED, Layout
from .source import Source

Rows = Sequence[Row[Any]]
Report = Callable[[str, int, int], None]  # a table's name, how many steps are done, and of how many


@dataclass(frozen=True, slots=True)
class CopiedTable:
    """A table that holds what the source's holds."""

    table: str
    rows: int
    checksum: str
    was_there: bool


class Comparison:
    """The rows of a table in the source, to be compared with those of the same table here."""

    def __init__(self, session: Session, source: Source, table: Table, report: Report) -> None:
        self.layout = Layout(table)
        self._session = session
        self._source = source
        self._wanted = Tally()
        self._steps = 2 * source.count(self.layout)  # each row is read there, then here
        self._done = 0
        self._report = report
        self._go_on(0)

    def read_source(self, insert: Callable[[Rows], None] | None = None) -> None:
        """Count the source's rows, and have them inserted, some at a time."""
        with self._source.rows(self.layout) as result:
            for rows in result.partitions():
                if insert:
                    insert(rows)
                self._wanted.add(rows)
                self._go_on(len(rows))

    def conclude(self, *, was_there: bool) -> CopiedTable:
        """Read the table here. Raises CopyRefused if it differs."""
        found = Tally()
        with self._rows_here() as result:
            for rows in result.partitions():
                found.add(rows)
                self._go_on(len(rows))
        if found != self._wanted:
            raise CopyRefused(self._complaint(found, was_there=was_there))
        return CopiedTable(self.layout.name, found.rows, found.checksum, was_there)

    def _rows_here(self) -> Result[Any]:
        return self._session.execute(self.layout.rows(), execution_options=UNCACHED)

    def _go_on(self, steps: int) -> None:
        self._done += steps
        self._report(self.layout.name, self._done, self._steps)

    def _complaint(self, found: Tally, *, was_there: bool) -> str:
        counts = f"{found.rows} rows here, {self._wanted.rows} in {self._source.name}"
        columns = ", ".join(self._differing_columns()) or "how values are combined"
        if was_there:
            return (
                f"{self.layout.name} holds other rows already: {counts}, different in {columns}; "
                "empty it, or copy into an empty database"
            )
        return (
            f"{self.layout.name} would not hold the same: {counts}, different in {columns}; "
            "nothing of it was saved"
        )

    def _differing_columns(self) -> Sequence[str]:
        there = self._by_column(self._source.rows(self.layout))
        here = self._by_column(self._rows_here())
        names = self.layout.names
        return [name for name, a, b in zip(names, there, here, strict=True) if a != b]

    def _by_column(self, all_rows: Result[Any]) -> Sequence[Tally]:
        tallies = [Tally() for _ in self.layout.names]
        with all_rows as result:
            for rows in result.partitions():
                for tally, values in zip(tallies, zip(*rows, strict=True), strict=False):
                    tally.add(zip(values, strict=True))
        return tallies
