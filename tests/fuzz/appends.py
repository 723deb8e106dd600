"""Check under faults that no acknowledged append is lost and that every history is serializable.

`python -m tests.fuzz.appends --each 20` runs 20 histories of 20 seconds in each variant. Clients in
several processes append to lists, while connections are cut, the server crashes, processes are
killed and fork, units are interrupted, and databases are closed under them. With the faults
`switchover` and `failover`, for PostgreSQL only, a standby becomes the primary every few seconds.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from ..support.shell import run_there
from ..support.variants import VARIANTS, Answers, name
from .campaign import Counts, command_line, count_all
from .history import UNKNOWN, Append, Lists, Read, Transaction, anomalies, is_saved
from .inside import project_with

FAULTS = ["close", "dispose", "fork", "elsewhere", "interrupt", "kill", "cut", "crash"]
OF_CLUSTERS = ["switchover", "failover"]


@dataclass
class Tally(Counts):
    """Counters of histories and transactions."""

    histories: int = 0
    transactions: int = 0
    committed: int = 0
    unknown: int = 0
    unknown_but_committed: int = 0

    def add(self, transactions: list[Transaction], final: Lists) -> None:
        """Count one more history."""
        self.histories += 1
        self.transactions += len(transactions)
        self.committed += sum(is_saved(each, final) for each in transactions)
        unknown = [each for each in transactions if each.outcome == UNKNOWN]
        self.unknown += len(unknown)
        self.unknown_but_committed += sum(is_saved(each, final) for each in unknown)


def follow(
    answers: Answers, *, count: int, start: int = 0, seconds: float = 20, faults: list[str] = FAULTS
) -> Tally:
    """Run that many histories in one variant; fail at the first anomaly."""
    tally = Tally()
    with TemporaryDirectory() as folder, project_with("appends.py", folder, answers) as project:
        for seed in range(start, start + count):
            history = Path(folder) / str(seed)
            history.mkdir()
            run_there(
                *(sys.executable, "-m", "tests.persistence.appends", "run"),
                *(str(history), str(seconds), str(seed), *faults),
                project=project,
                patience=seconds + 300,
            )
            transactions, final = [*read(history)], read_lists(history)
            found = anomalies(transactions, final)
            assert not found, f"seed {seed}: {'; '.join(found[:5])}"
            assert transactions, f"seed {seed}: nothing was done"
            tally.add(transactions, final)
    return tally


def read(history: Path) -> Iterator[Transaction]:
    """Read the clients' files. A plan without an end belongs to a client that was killed."""
    for file in sorted(history.glob("*.jsonl")):
        lines = [json.loads(line) for line in file.read_text().splitlines() if line.endswith("}")]
        ends = {line["name"]: line for line in lines if "outcome" in line}
        for line in lines:
            if "planned" in line:
                yield transaction(line, ends.get(line["name"]))


def transaction(plan: dict[str, object], end: dict[str, object] | None) -> Transaction:
    """Parse one transaction of a client's file."""
    if end is None:
        planned = plan["planned"]
        assert isinstance(planned, list)
        appends = [Append(key, value) for key, value in planned if value]
        return Transaction(str(plan["name"]), appends, UNKNOWN)
    steps = end["steps"]
    assert isinstance(steps, list)
    return Transaction(
        str(plan["name"]),
        [(Append if what == "append" else Read)(key, given) for what, key, given in steps],
        str(end["outcome"]),
        acknowledged=not end["error"],
    )


def read_lists(history: Path) -> Lists:
    """The final contents of the lists."""
    lists = json.loads((history / "lists.json").read_text())
    return {int(key): values for key, values in lists.items()}


def main() -> None:
    """Run histories in every variant."""
    parser = command_line("tests.fuzz.appends", __doc__, each=20)
    parser.add_argument("--seconds", type=float, default=20, help="of one history (%(default)s)")
    faults = [*FAULTS, *OF_CLUSTERS]
    parser.add_argument("--faults", nargs="*", choices=faults, default=FAULTS, metavar="FAULT")
    parser.add_argument("--only", nargs="+", choices=[*map(name, VARIANTS)], metavar="VARIANT")
    options = parser.parse_args()
    sets = {
        name(answers): partial(
            follow,
            answers,
            count=options.each,
            start=options.start,
            seconds=options.seconds,
            faults=options.faults,
        )
        for answers in VARIANTS
        if not options.only or name(answers) in options.only
    }
    sys.exit(not count_all(Tally, sets, options.jobs))


if __name__ == "__main__":
    main()
