"""The order in which tables are filled: a table comes after those that it refers to."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import MetaData, Table


def groups(metadata: MetaData) -> Sequence[Sequence[Table]]:
    """Return all tables in the order of their foreign keys, grouped if they refer to each other."""
    members = defaultdict[frozenset[Table], list[Table]](list)
    for _, table in sorted(metadata.tables.items()):
        members[_needed_for(table)].append(table)
    # A table needs more tables than each table that it refers to, so it comes later.
    return [members[needed] for needed in sorted(members, key=len)]


def refers_back(group: Sequence[Table]) -> bool:
    """Return whether a row of the group may refer to a row that is inserted after it."""
    return any(key.column.table in group for table in group for key in table.foreign_keys)


def _needed_for(table: Table) -> frozenset[Table]:
    """Return the table and all tables that it refers to, directly or not."""
    needed = {table}
    new = [table]
    while new:
        found = {key.column.table for key in new.pop().foreign_keys} - needed
        needed |= found
        new += found
    return frozenset(needed)
