"""The place that this command was installed from."""

import json
from importlib import metadata
from typing import Any


def origin() -> dict[str, Any]:
    """Return the installer's `direct_url.json` (PEP 610), or `{}` if it came from an index."""
    told = metadata.distribution("sessionproof").read_text("direct_url.json")
    origin: dict[str, Any] = json.loads(told or "{}")
    return origin
