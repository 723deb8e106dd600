"""Read a table in the source and in the target, and compare the rows."""

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
Report = Callable[[str, int, int], None]  # a table's name, its steps done so far, its steps in all


@dataclass(frozen=True, slots=True)
class CopiedTable:
    """A table whose rows equal those of the source."""

    table: str
    rows: int
    checksum: str
    was_there: bool


class Comparison:
    """Compares a table's rows in the source with its rows in the target."""

    def __init__(self, session: Session, source: Source, table: Table, report: Report) -> None:
        self.layout = Layout(table)
        self._session = session
        self._source = source
        self._wanted = Tally()
        self._steps = 2 * source.count(self.layout)  # each row is read in both databases
        self._done = 0
        self._report = report
        self._go_on(0)

    def read_source(self, insert: Callable[[Rows], None] | None = None) -> None:
        """Add the source's rows to the checksum, and pass each batch to `insert`."""
        with self._source.rows(self.layout) as result:
            for rows in result.partitions():
                if insert:
                    insert(rows)
                self._wanted.add(rows)
                self._go_on(len(rows))

    def conclude(self, *, was_there: bool) -> CopiedTable:
        """Read the target's rows. Raises CopyRefused if they differ from the source's."""
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
        counts = f"it has {found.rows} rows, {self._source.name} has {self._wanted.rows}"
        columns = ", ".join(self._differing_columns()) or "the combination of values"
        if was_there:
            return (
                f"{self.layout.name} already holds other rows: {counts}; these differ: {columns}; "
                "empty the table, or copy into an empty database"
            )
        return (
            f"{self.layout.name} would hold other rows than the source: {counts}; these differ: "
            f"{columns}; the transaction was rolled back"
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
