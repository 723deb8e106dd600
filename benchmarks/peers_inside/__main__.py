"""Read from JSON what to measure; print the figures as JSON, by case and way.

`python -m peers_inside '{"url": …, "rounds": …, "cases": […], "ways": {name: "module:class", …}}'`
"""

import asyncio
import json
import sys
from importlib import import_module
from typing import Any

from sqlalchemy import URL, make_url

from .cases import CASES
from .measuring import Figures, measure
from .store import Store


async def main(url: str, rounds: int, cases: list[str], ways: dict[str, str]) -> dict[str, Figures]:
    store = Store(make_url(url))
    made = {name: make(place, make_url(url)) for name, place in ways.items()}
    for way in made.values():
        await way.open()
    try:
        return {case: await measure(store, made, CASES[case], rounds) for case in cases}
    finally:
        for way in made.values():
            await way.close()


def make(place: str, url: URL) -> Any:
    """Create the way that `module:class` names."""
    module, _, name = place.partition(":")
    return getattr(import_module(f"{__package__}.{module}"), name)(url)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(**json.loads(sys.argv[1])))))
