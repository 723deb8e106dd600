"""The cost of a unit of work, in Python instructions instead of seconds, must not grow.

The limits are ratios: a repository's instructions to those of the same statements in plain SQLAlchemy,
on equivalent engines. They are a few hundredths above the last measurements.
"""

import json
import sys

import pytest

from .support.repository import ROOT
from .support.shell import run

CASES = ("insert", "get", "get_autocommit", "change", "page", "add_many", "stream")
BOUNDS = {
    "sqlite-async": (0.75, 0.65, 0.51, 0.74, 0.96, 0.09, 0.89),
    "sqlite-sync": (0.99, 0.88, 0.86, 0.95, 1.06, 0.08, 1.07),
    "postgresql-async": (0.92, 0.86, 0.60, 0.90, 1.01, 0.10, 0.90),
    "postgresql-sync": (1.03, 0.97, 0.81, 0.99, 1.07, 0.16, 1.07),
}


@pytest.mark.slow
@pytest.mark.parametrize("variant", BOUNDS)
def test_no_operation_takes_more_instructions_than_it_did(variant: str) -> None:
    units = "benchmarks/units.py", "--instructions", "--json", "--only", variant
    counted = json.loads(run(sys.executable, *units, folder=ROOT).stdout)

    ratios = {case: ways["repository"] / ways["plain"] for case, ways in counted[variant].items()}
    bounds = dict(zip(CASES, BOUNDS[variant], strict=True))
    assert {case: ratio for case, ratio in ratios.items() if ratio > bounds[case]} == {}
