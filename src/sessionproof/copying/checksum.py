"""A checksum of rows that depends neither on their order nor on the database."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import blake2b

_BYTES = 16
_PLAIN = {bool, bytes, float, int, str, type(None)}  # types whose `repr` tells all values apart


@dataclass
class Tally:
    """The number of rows, and the sum of their hashes: repeated rows count, their order does not."""

    rows: int = 0
    total: int = 0

    def add(self, rows: Iterable[Sequence[object]]) -> None:
        """Add these rows."""
        for row in rows:
            text = repr([value if type(value) in _PLAIN else _canonical(value) for value in row])
            digest = blake2b(text.encode(errors="surrogatepass"), digest_size=_BYTES).digest()
            self.rows += 1
            self.total += int.from_bytes(digest)

    @property
    def checksum(self) -> str:
        """The sum as a hexadecimal text of fixed length."""
        return f"{self.total % (1 << 8 * _BYTES):0{2 * _BYTES}x}"


def _canonical(value: object) -> object:
    """Return one form for equal values: 1.50 and 1.5, a timestamp in two zones, keys in any order."""
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
