"""The cases: the operation of a way, its arguments, the rows before it, and its expected result."""

from collections.abc import Callable
from typing import Any, NamedTuple

from .model import Values, keyed, values

MANY = [values(number) for number in range(10_000)]
ROWS = 100_000
PAGE = 100
DEEP = 90_000
KEYS = 1000
UPSERTS = 2


class Case(NamedTuple):
    """One operation that every way does."""

    title: str
    does: str  # the name of the way's method
    argument: Callable[[int], Any]  # the argument of the method, by the number of the unit
    answer: Callable[[Any], int | None]  # the expected result of the method, by its argument
    rows: int  # in the table at the beginning
    adds: tuple[int, int]  # by one unit: rows, and the sum of their quantities
    units: int = 1  # of one way in a turn
    rounds: float = 1  # as a part of the requested rounds; 0 for a single one
    concurrent: bool = False  # run the units concurrently
    measures: str = "time"  # or "memory" or "import"


def nothing(_: object) -> None:
    """Return None, the result of a way that writes."""


def key(number: int) -> int:
    return number % KEYS + 1


def page(start: int) -> int:
    """Return the sum of the keys of a page."""
    return sum(range(start + 1, start + PAGE + 1))


def half_new(number: int) -> list[Values]:
    """Return a thousand rows. Half of them exist; no other unit of the turn has the same keys."""
    first = number % UPSERTS * 500 + 1
    keys = [*range(first, first + 500), *range(ROWS + first, ROWS + first + 500)]
    return [keyed(key) | {"quantity": 2} for key in keys]


insert = Case("insert one row", "insert", values, nothing, 0, (1, 1), units=100)
get = Case("get one row by its key", "get", key, int, KEYS, (0, 0), units=100)
change = Case("read, modify, write one row", "change", key, nothing, KEYS, (0, 1), units=100)
bulk = Case(
    "insert 10,000 rows", "bulk", lambda _: MANY, nothing, 0, (len(MANY), len(MANY)), rounds=0.6
)
upsert = Case(
    "upsert 1,000 rows, half of them new",
    "upsert",
    half_new,
    nothing,
    UPSERTS * 500,
    (500, 1500),
    units=UPSERTS,
)
stream = Case(
    "stream 100,000 models", "stream", lambda _: 1000, lambda _: ROWS, ROWS, (0, 0), rounds=0.6
)

CASES = {
    "insert": insert,
    "get": get,
    "change": change,
    "concurrent": insert._replace(
        title="100 concurrent inserts", does="insert_concurrently", concurrent=True
    ),
    "bulk": bulk,
    "upsert": upsert,
    "page-front": Case("the first page of 100", "page", lambda _: 0, page, ROWS, (0, 0), units=20),
    "page-deep": Case(
        "page of 100 at row 90,000", "page", lambda _: DEEP, page, ROWS, (0, 0), units=20
    ),
    "stream": stream,
    "stream-rows": stream._replace(title="stream 100,000 plain rows", does="stream_rows"),
    "insert-far": insert._replace(title="insert one row, server 1 ms away", units=20),
    "get-far": get._replace(title="get one row by its key, server 1 ms away", units=20),
    "change-far": change._replace(title="read, modify, write one row, server 1 ms away", units=20),
    "bulk-memory": bulk._replace(
        title="peak memory: insert 10,000 rows", measures="memory", rounds=0
    ),
    "stream-memory": stream._replace(
        title="peak memory: stream 100,000 models", measures="memory", rounds=0
    ),
    "import": Case("import time", "", nothing, nothing, 0, (0, 0), measures="import"),
}
