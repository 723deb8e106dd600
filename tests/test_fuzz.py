"""The programs of `tests/fuzz` find the errors that they look for. Each runs briefly."""

from collections.abc import Sequence

import pytest

from .fuzz import appends, causes
from .fuzz.history import (
    COMMITTED,
    ROLLED_BACK,
    UNKNOWN,
    Append,
    Lists,
    Read,
    Transaction,
    anomalies,
)
from .support.variants import VARIANTS, Answers, name

every_variant = pytest.mark.parametrize("answers", VARIANTS, ids=name)


def done(name: str, *steps: Read | Append, outcome: str = COMMITTED) -> Transaction:
    return Transaction(name, steps, outcome, acknowledged=outcome == COMMITTED)


READS_NOTHING = (Read(1, []), Append(2, 21))


@pytest.mark.parametrize(
    ("history", "final", "anomaly"),
    [
        pytest.param([done("a", Append(1, 11))], {1: []}, "lost", id="a lost append"),
        pytest.param(
            [done("a", Append(1, 11), outcome=ROLLED_BACK)], {1: [11]}, "saved", id="a false end"
        ),
        pytest.param(
            [done("a", Append(1, 11), Append(2, 21), outcome=UNKNOWN)],
            {1: [11], 2: []},
            "in part",
            id="half of a transaction",
        ),
        pytest.param([done("a", Append(1, 11))], {1: [11, 11]}, "twice", id="a repeated append"),
        pytest.param(
            [done("a", Append(1, 11), outcome=ROLLED_BACK), done("b", Read(1, [11]))],
            {1: []},
            "read",
            id="an aborted read",
        ),
        pytest.param(
            [done("a", Append(1, 11)), done("b", Append(1, 12)), done("c", Read(1, [12]))],
            {1: [11, 12]},
            "read",
            id="a read that no order explains",
        ),
        pytest.param(
            [done("a", *READS_NOTHING), done("b", Read(2, []), Append(1, 11))],
            {1: [11], 2: [21]},
            "a cycle",
            id="write skew",
        ),
        pytest.param(
            [Transaction("a", [Append(1, 11)], UNKNOWN, acknowledged=True)],
            {1: [11]},
            "without an error",
            id="an end that nobody was told",
        ),
    ],
)
def test_an_anomaly_is_found(history: Sequence[Transaction], final: Lists, anomaly: str) -> None:
    found = anomalies(history, final)

    assert any(anomaly in each for each in found), found


def test_a_serializable_history_has_no_anomaly() -> None:
    history = [
        done("a", Read(1, []), Append(1, 11)),
        done("b", Append(1, 12), Read(1, [11, 12])),
        done("c", Append(1, 13), outcome=ROLLED_BACK),
        done("d", Read(1, [11]), Append(2, 21), outcome=UNKNOWN),
        done("e", Read(2, [])),
    ]

    assert anomalies(history, {1: [11, 12], 2: []}) == []


@pytest.mark.slow
@every_variant
def test_nothing_that_was_acknowledged_is_lost_under_faults(answers: Answers) -> None:
    tally = appends.follow(answers, count=1, seconds=10)

    assert tally.committed > 0


@pytest.mark.slow
@every_variant
def test_a_unit_that_loses_its_connection_reports_its_true_outcome(answers: Answers) -> None:
    tally = causes.strike(answers, at_most=3, python=None, eager=False)

    assert tally.strikes > 50
