"""Check that a history of transactions is serializable, and that its reported outcomes are true.

Every transaction reads lists and appends numbers to them, each number once. The final lists show the
order of the appends, and a list that was read shows which of them its reader saw. The method and the
names of the anomalies are those of Elle (Kingsbury and Alvaro, 2020).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import NamedTuple

Lists = Mapping[int, Sequence[int]]

COMMITTED, ROLLED_BACK, UNKNOWN = "committed", "rolled back", "unknown"


class Read(NamedTuple):
    """A list as a transaction saw it, including its own appends."""

    key: int
    values: Sequence[int]


class Append(NamedTuple):
    """A number that a transaction appended to a list."""

    key: int
    value: int


class Transaction(NamedTuple):
    """The operations of a client's transaction, in order, and its reported outcome."""

    name: str
    steps: Sequence[Read | Append]
    outcome: str  # committed, rolled back or unknown
    acknowledged: bool = False  # its block ended without an error

    @property
    def appends(self) -> list[Append]:
        """The appends of the transaction."""
        return [step for step in self.steps if isinstance(step, Append)]

    @property
    def reads(self) -> list[Read]:
        """The transaction's reads, without the numbers that it appended itself."""
        own = {append.value for append in self.appends}
        seen = (step for step in self.steps if isinstance(step, Read))
        return [Read(read.key, [each for each in read.values if each not in own]) for read in seen]


def anomalies(transactions: Iterable[Transaction], final: Lists) -> list[str]:
    """The anomalies of this history, one sentence each."""
    history = list(transactions)
    wrong = [*_duplicates(final)]
    for transaction in history:
        wrong += _lies(transaction, final)
        wrong += _impossible_reads(transaction, final)
    return wrong or [*_cycles([each for each in history if is_saved(each, final)], final)]


def is_saved(transaction: Transaction, final: Lists) -> bool:
    """Whether it committed. For an unknown outcome, the final lists tell."""
    if transaction.outcome == UNKNOWN:
        return any(value in final[key] for key, value in transaction.appends)
    return transaction.outcome == COMMITTED


def _duplicates(final: Lists) -> Iterator[str]:
    for key, values in final.items():
        if len(values) != len(set(values)):
            yield f"list {key} holds a number twice"


def _lies(transaction: Transaction, final: Lists) -> Iterator[str]:
    saved = {value in final[key] for key, value in transaction.appends}
    if len(saved) > 1:
        yield f"{transaction.name} was saved in part"
    if transaction.acknowledged and transaction.outcome != COMMITTED:
        yield f"{transaction.name} was left without an error, but is {transaction.outcome}"
    if transaction.outcome == COMMITTED and False in saved:
        yield f"{transaction.name} is {COMMITTED}, but its appends are lost"
    if transaction.outcome == ROLLED_BACK and True in saved:
        yield f"{transaction.name} is {ROLLED_BACK}, but its appends are saved"


def _impossible_reads(transaction: Transaction, final: Lists) -> Iterator[str]:
    """Reads of rolled-back appends (G1a), and reads that no order of the appends explains."""
    for key, values in transaction.reads:
        if list(values) != list(final[key][: len(values)]):
            yield f"{transaction.name} read {values} in list {key}, which it never was"


def _cycles(history: Sequence[Transaction], final: Lists) -> Iterator[str]:
    """Cycles: transactions that must have come before themselves (G0, G1c, G2)."""
    writers = {append.value: each.name for each in history for append in each.appends}
    earlier: dict[str, set[str]] = defaultdict(set)
    for values in final.values():
        for first, second in pairwise(values):  # write after write
            earlier[writers[second]].add(writers[first])
    for transaction in history:
        for key, values in transaction.reads:
            if values:  # it read that transaction's append
                earlier[transaction.name].add(writers[values[-1]])
            if rest := final[key][len(values) :]:  # it read or wrote before this one wrote
                earlier[writers[rest[0]]].add(transaction.name)
    for name, others in earlier.items():
        others.discard(name)
    try:
        TopologicalSorter(earlier).prepare()
    except CycleError as error:
        yield f"a cycle: {' before '.join(error.args[1])}"
