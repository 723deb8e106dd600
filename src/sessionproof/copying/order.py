"""In which order tables are filled: what is referred to comes before what refers to it."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import MetaData, Table


def groups(metadata: MetaData) -> Sequence[Sequence[Table]]:
    """Every table, in the order of foreign keys; those that refer to each other are together."""
    members = defaultdict[frozenset[Table], list[Table]](list)
    for _, table in sorted(metadata.tables.items()):
        members[_needed_for(table)].append(table)
    # Who needs more comes later: what a table needs, all that need the table need as well.
    return [members[needed] for needed in sorted(members, key=len)]


def refers_back(group: Sequence[Table]) -> bool:
    """Whether a row of the group may refer to one that is not there before it."""
    return any(key.column.table in group for table in group for key in table.foreign_keys)


def _needed_for(table: Table) -> frozenset[Table]:
    """The table, and all that it refers to, directly or not."""
    needed = {table}
    new = [table]
    while new:
        found = {key.column.table for key in new.pop().foreign_keys} - needed
        needed |= found
        new += found
    return frozenset(needed)
