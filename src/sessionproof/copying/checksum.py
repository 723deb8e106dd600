"""Rows in a number: the same for the same rows, in whatever order and from whichever database."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import blake2b

_BYTES = 16
_PLAIN = {bool, bytes, float, int, str, type(None)}  # of which `repr` says all there is


@dataclass
class Tally:
    """How many rows there were, and the sum of their hashes: no order, but every repetition."""

    rows: int = 0
    total: int = 0

    def add(self, rows: Iterable[Sequence[object]]) -> None:
        """Count these rows too."""
        for row in rows:
            text = repr([value if type(value) in _PLAIN else _canonical(value) for value in row])
            digest = blake2b(text.encode(errors="surrogatepass"), digest_size=_BYTES).digest()
            self.rows += 1
            self.total += int.from_bytes(digest)

    @property
    def checksum(self) -> str:
        """The sum, as text of one length."""
        return f"{self.total % (1 << 8 * _BYTES):0{2 * _BYTES}x}"


def _canonical(value: object) -> object:
    """One form for what is equal: 1.50 and 1.5, a moment in two zones, an object's keys in any order."""
    match value:
        case Decimal():
            text = f"{value:f}"
            return text.rstrip("0").rstrip(".") if "." in text else text
        case datetime(tzinfo=zone) if zone:
            return value.astimezone(UTC)
        case dict() | list():
            return json.dumps(value, sort_keys=True, default=repr)
        case _:
            return value
