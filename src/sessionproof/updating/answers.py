"""Answers that are given to an update, held against the template's questions."""

from typing import Any

from .project import ANSWERS, Answers, Refusal
from .template import Template, Version, asked

YES = {"y", "yes", "t", "true", "on", "1"}
NO = {"n", "no", "f", "false", "off", "0"}
# The types of questions that Copier casts an answer to, whatever it is.
TYPES: dict[str, type] = {"bool": bool, "str": str}


def split(data: list[str]) -> Answers:
    """`name=value`, as many as there are."""
    pairs = [pair.partition("=") for pair in data]
    for name, sign, _ in pairs:
        if not sign:
            raise Refusal(f"an answer is given as name=value, got {name}")
    return {name: value for name, _, value in pairs}


def require_answers(settings: dict[str, Any], answers: Answers, given: Answers) -> None:
    """Raises Refusal for a given answer that is wrong, or that this project cannot have."""
    questions = asked(settings)
    for name, answer in given.items():
        if name not in questions:
            raise Refusal(
                f"{name} is not a question of the template; it asks {', '.join(questions)}"
            )
        possible = choices(questions[name])
        if possible and answer not in possible:
            raise Refusal(f"{name} must be one of {', '.join(possible)}, got {answer}")
        if questions[name]["type"] == "bool":
            given[name] = is_on(name, str(answer))
    if given.get("package", answers.get("package")) != answers.get("package"):
        raise Refusal(
            f"the package is {answers['package']} for life: its folder would move without your "
            "changes; rename it by hand if you must, and follow the template no longer"
        )
    if given.get("example") and not answers.get("example"):
        raise Refusal("example must stay false: only copier copy writes the worked example")
    if given.get("worker") and not given.get("example", answers.get("example")):
        raise Refusal("worker must be false without the example, whose tasks it does")
    if "ours" in given:
        raise Refusal("ours is changed with: just owned --take FILE, just owned --give-back FILE")


def is_on(name: str, answer: str) -> bool:
    """What a word says. Raises Refusal for one that says neither: Copier takes it for true."""
    word = answer.strip().lower()
    if word not in YES | NO:
        raise Refusal(f"{name} must be true or false, got {answer}")
    return word in YES


def require_types(template: Template, version: Version, answers: Answers) -> None:
    """Raises Refusal if a recorded answer is none that its question can have."""
    for name, question in asked(template.settings(version)).items():
        kind, possible = str(question["type"]), choices(question)
        is_right = isinstance(answers.get(name), TYPES.get(kind, object))
        if name in answers and not (is_right and (not possible or answers[name] in possible)):
            expected = f"one of {', '.join(possible)}" if possible else f"a {kind}"
            raise Refusal(
                f"{ANSWERS} must have {expected} as {name}, got {answers[name]!r}; "
                f"bring its last good state back: git log -p {ANSWERS}"
            )


def choices(question: dict[str, Any]) -> list[str]:
    """What may be answered; nothing if anything may."""
    known = question.get("choices") or []
    return list(known.values() if isinstance(known, dict) else known)
