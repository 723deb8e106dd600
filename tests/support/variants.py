"""The sets of answers that the tests render."""

from itertools import cycle, product
from typing import Any

from .entities import ENTITIES

Answer = str | bool | dict[str, Any]
Answers = dict[str, Answer]

DATABASES = ("sqlite", "postgresql")
MODES = ("async", "sync")
EXAMPLES = (True, False)
CI = ("github", "gitlab", "none")

# The driver of a variant, as in copier.yml.
DRIVERS = {
    ("sqlite", "async"): "aiosqlite",
    ("sqlite", "sync"): "pysqlite",
    ("postgresql", "async"): "asyncpg",
    ("postgresql", "sync"): "psycopg",
}

VARIANTS: list[Answers] = [
    {"database": database, "mode": mode} for database, mode in product(DATABASES, MODES)
]
BARE_VARIANTS: list[Answers] = [
    {"database": "sqlite", "mode": "async", "example": False},
    {"database": "postgresql", "mode": "sync", "example": False},
]
SOME_ENTITIES = {name: ENTITIES[name] for name in ("customer", "invoice")}
EVERY_WAY_IN: Answers = {"http": True, "worker": True}
WAYS_IN: list[Answers] = [
    *(
        {**answers, "example": True, **EVERY_WAY_IN, "image": True, "ci": "none"}
        for answers in VARIANTS
    ),
    *(
        {**answers, "http": True, "authentication": "openid", "ci": "none"}
        for answers in BARE_VARIANTS
    ),
]
_MORE: list[Answers] = [
    {},
    {**EVERY_WAY_IN, "authentication": "openid", "image": True},
    {**EVERY_WAY_IN, "authentication": "own"},
    {},
    {"entities": SOME_ENTITIES, "http": True},
    {"entities": SOME_ENTITIES},
]
# A few sets that contain every value of every question.
MANY_VALUES: list[Answers] = [
    {**answers, "ci": ci, **more}
    for answers, ci, more in zip([*VARIANTS, *BARE_VARIANTS], cycle(CI), _MORE, strict=False)
]
COMBINATIONS: list[Answers] = [
    {"database": database, "mode": mode, "example": example, "ci": ci}
    for database, mode, example, ci in product(DATABASES, MODES, EXAMPLES, CI)
]
WITH_ENTITIES: list[Answers] = [
    {**answers, "example": example, "http": http, "ci": "none", "entities": ENTITIES}
    for answers, example, http in zip(
        VARIANTS, (True, False, True, False), (True, False, False, True), strict=True
    )
]


def name(answers: Answers) -> str:
    """The name of a set of answers in test ids, such as `sqlite-async-bare-gitlab`."""
    return "-".join(_name(question, answer) for question, answer in answers.items())


def _name(question: str, answer: Answer) -> str:
    if isinstance(answer, dict):
        return "-".join(answer)
    if isinstance(answer, str):
        return answer
    return question if answer else "bare" if question == "example" else f"no-{question}"


def driver(answers: Answers) -> str:
    """The name of the driver that a variant uses."""
    return DRIVERS[str(answers["database"]), str(answers["mode"])]
