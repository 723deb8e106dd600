"""The sets of answers that the tests render."""

from itertools import cycle, product

Answer = str | bool
Answers = dict[str, Answer]

DATABASES = ("sqlite", "postgresql")
MODES = ("async", "sync")
EXAMPLES = (True, False)
CI = ("github", "gitlab", "none")

VARIANTS: list[Answers] = [
    {"database": database, "mode": mode} for database, mode in product(DATABASES, MODES)
]
BARE_VARIANTS: list[Answers] = [
    {"database": "sqlite", "mode": "async", "example": False},
    {"database": "postgresql", "mode": "sync", "example": False},
]
# Few, and every value of every question.
MANY_VALUES: list[Answers] = [
    {**answers, "ci": ci}
    for answers, ci in zip([*VARIANTS, *BARE_VARIANTS], cycle(CI), strict=False)
]
COMBINATIONS: list[Answers] = [
    {"database": database, "mode": mode, "example": example, "ci": ci}
    for database, mode, example, ci in product(DATABASES, MODES, EXAMPLES, CI)
]


def name(answers: Answers) -> str:
    """The set of answers in a test's name: `sqlite-async-bare-gitlab`."""
    example = {True: "example", False: "bare"}
    return "-".join(
        example[answer] if isinstance(answer, bool) else answer for answer in answers.values()
    )
