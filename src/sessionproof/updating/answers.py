"""Check the answers on the command line against the template's questions."""

from typing import Any

from .project import ANSWERS, Answers, Refusal
from .template import Template, Version, asked

YES = {"y", "yes", "t", "true", "on", "1"}
NO = {"n", "no", "f", "false", "off", "0"}
# Copier casts any answer to these types without an error.
TYPES: dict[str, type] = {"bool": bool, "str": str}


def split(data: list[str]) -> Answers:
    """Parse answers of the form `name=value`. Raises Refusal."""
    pairs = [pair.partition("=") for pair in data]
    for name, sign, _ in pairs:
        if not sign:
            raise Refusal(f"an answer must look like name=value, got {name}")
    return {name: value for name, _, value in pairs}


def require_answers(settings: dict[str, Any], answers: Answers, given: Answers) -> None:
    """Raises Refusal if an answer is invalid, or if this project cannot change it."""
    questions = asked(settings)
    for name, answer in given.items():
        if name not in questions:
            raise Refusal(
                f"the template has no question {name}; its questions are {', '.join(questions)}"
            )
        possible = choices(questions[name])
        if possible and answer not in possible:
            raise Refusal(f"{name} must be one of {', '.join(possible)}, got {answer}")
        if questions[name]["type"] == "bool":
            given[name] = is_on(name, str(answer))
    if given.get("package", answers.get("package")) != answers.get("package"):
        raise Refusal(
            f"package must stay {answers['package']}: an update would create a new folder without "
            "your edits; if you rename the package by hand, you can no longer update"
        )
    if given.get("example") and not answers.get("example"):
        raise Refusal("example must stay false: only a new project can have the worked example")
    if given.get("worker") and not given.get("example", answers.get("example")):
        raise Refusal("worker must be false: it runs the tasks of the example, which is off")
    if "ours" in given:
        raise Refusal("change ours with just owned --take FILE or just owned --give-back FILE")


def is_on(name: str, answer: str) -> bool:
    """Parse a boolean. Raises Refusal for other words, which Copier would read as true."""
    word = answer.strip().lower()
    if word not in YES | NO:
        raise Refusal(f"{name} must be true or false, got {answer}")
    return word in YES


def require_types(template: Template, version: Version, answers: Answers) -> None:
    """Raises Refusal if a recorded answer has the wrong type or is not among the choices."""
    for name, question in asked(template.settings(version)).items():
        kind, possible = str(question["type"]), choices(question)
        is_right = isinstance(answers.get(name), TYPES.get(kind, object))
        if name in answers and not (is_right and (not possible or answers[name] in possible)):
            expected = f"one of {', '.join(possible)}" if possible else f"a {kind}"
            raise Refusal(
                f"{name} in {ANSWERS} must be {expected}, got {answers[name]!r}; "
                f"restore an older version of the file: git log -p {ANSWERS}"
            )


def choices(question: dict[str, Any]) -> list[str]:
    """Return the question's choices, or an empty list if every answer is allowed."""
    known = question.get("choices") or []
    return list(known.values() if isinstance(known, dict) else known)
