"""Entities as somebody describes them: in words, in YAML, and put into what is described already.

Whether a description is right, the template says; here is only what it would never come to see.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

import yaml

from ..updating.project import Answers, Refusal

Entities = Mapping[str, Any]

FIELD = "a field is given as 'name: type', for example 'email: str(320) unique', got"


class _Loader(yaml.SafeLoader):
    """Refuses a key that is there twice, of which YAML would keep the last without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        for key, _ in node.value:
            if keys.count(key.value) > 1:
                line = key.start_mark.line + 1
                raise Refusal(
                    f"{key.value} is described twice, first in line {line}; leave one out"
                )
        return super().construct_mapping(node, deep)


def described(answers: Answers) -> Entities:
    """What a project has been told of its entities."""
    return cast("Entities", answers.get("entities") or {})


def from_words(name: str, fields: Sequence[str]) -> Entities:
    """`customer`, `name: str(200)` and so on. Raises Refusal."""
    types: dict[str, str] = {}
    for text in fields:
        field, colon, type_ = (part.strip() for part in text.partition(":"))
        if not colon:
            raise Refusal(f"{FIELD} {text!r}")
        if field in types:
            raise Refusal(f"{name}.{field} is described twice; leave one out")
        types[field] = type_
    return {name: types}


def from_yaml(text: str, place: str) -> Entities:
    """A mapping of entities, alone or among the answers of a project. Raises Refusal."""
    if "\t" in text:
        line = text[: text.index("\t")].count("\n") + 1
        raise Refusal(f"{place} must be indented with spaces, and has a tab in line {line}")
    try:
        document = yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        raise Refusal(f"{place} must be YAML, and is not: {_reason(error)}") from error
    entities = document.get("entities", document) if isinstance(document, dict) else document
    if not isinstance(entities, dict) or not entities:
        example = "customer: {name: str(200)}"
        raise Refusal(
            f"{place} must describe entities, for example {example}, got {str(entities)[:60]}"
        )
    return cast("Entities", entities)


def _reason(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return f"line {error.problem_mark.line + 1}: {error.problem}"
    return str(error).splitlines()[0]


def merged(known: Entities, more: Entities) -> Entities:
    """Both; where an entity is in both, the fields of both, and the later word on each."""
    return {**known, **{name: _merged(known.get(name), new) for name, new in more.items()}}


def _merged(known: object, new: object) -> object:
    return {**known, **new} if isinstance(known, dict) and isinstance(new, dict) else new


def without(known: Entities, names: Sequence[str]) -> Entities:
    """The others: without `customer`, or without `customer.email`. Raises Refusal."""
    left = {name: dict(fields) for name, fields in known.items()}
    for name in names:
        entity, _, field = name.partition(".")
        place = left.get(entity, {}) if field else left
        if (field or entity) not in place:
            raise Refusal(f"{name} is not described; there are {', '.join(place) or 'none'}")
        del place[field or entity]
    return left


def what_happened(before: Entities, after: Entities) -> str:
    """The words for a revision: `add customer and invoice, remove person`."""
    names = {
        "add": [name for name in after if name not in before],
        "change": [name for name in after if before.get(name, after[name]) != after[name]],
        "remove": [name for name in before if name not in after],
    }
    return ", ".join(f"{verb} {_listed(found)}" for verb, found in names.items() if found)


def not_filled(before: Entities, after: Entities) -> list[str]:
    """The fields that must have a value now, and have none in rows that are there already."""
    return [
        f"{name}.{field}"
        for name in after
        if name in before
        for field, text in after[name].items()
        if field != "_plural" and _needs_filling(before[name].get(field), text)
    ]


def retyped(before: Entities, after: Entities) -> dict[str, str]:
    """The fields whose rows may hold values that the new type does not take: `datetime → date`."""
    return {
        f"{name}.{field}": f"{_type(before[name][field])} → {_type(text)}"
        for name in after
        if name in before
        for field, text in after[name].items()
        if field != "_plural"
        and field in before[name]
        and not _is_wider(_type(text), _type(before[name][field]))
    }


def _type(text: str) -> str:
    """`enum(draft, sent)` of `enum(draft, sent)? = draft`."""
    found = re.match(r"\s*\w+\s*(\([^)]*\))?", text)
    return found[0].strip() if found else text


def _is_wider(new: str, old: str) -> bool:
    if new.startswith("enum(") and old.startswith("enum("):
        return set(_members(old)) <= set(_members(new))
    return new == old


def _members(text: str) -> list[str]:
    return [member.strip() for member in text.partition("(")[2].rstrip(")").split(",")]


def _needs_filling(old: str | None, new: str) -> bool:
    return not _is_optional(new) and ("=" not in new if old is None else _is_optional(old))


def _is_optional(text: str) -> bool:
    return "?" in text.partition("=")[0]


def _listed(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last
