"""Read descriptions of entities from the command line or YAML, and merge them into a project's.

The template validates descriptions. This module only refuses mistakes that the template cannot see.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

import yaml

from ..updating.project import Answers, Refusal

Entities = Mapping[str, Any]

FIELD = "a field must look like 'name: type', for example 'email: str(320) unique', got"


class _Loader(yaml.SafeLoader):
    """Refuses a repeated key; PyYAML would silently keep the last one."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        for key, _ in node.value:
            if keys.count(key.value) > 1:
                line = key.start_mark.line + 1
                raise Refusal(
                    f"{key.value} is described twice, first in line {line}; remove one of them"
                )
        return super().construct_mapping(node, deep)


def described(answers: Answers) -> Entities:
    """Return the entities in a project's answers."""
    return cast("Entities", answers.get("entities") or {})


def from_words(name: str, fields: Sequence[str]) -> Entities:
    """Parse `customer`, `name: str(200)` and so on. Raises Refusal."""
    types: dict[str, str] = {}
    for text in fields:
        field, colon, type_ = (part.strip() for part in text.partition(":"))
        if not colon:
            raise Refusal(f"{FIELD} {text!r}")
        if field in types:
            raise Refusal(f"{name}.{field} is described twice; remove one of them")
        types[field] = type_
    return {name: types}


def from_yaml(text: str, place: str) -> Entities:
    """Parse a mapping of entities, alone or inside a project's answers. Raises Refusal."""
    if "\t" in text:
        line = text[: text.index("\t")].count("\n") + 1
        raise Refusal(f"{place} has a tab in line {line}; indent YAML with spaces")
    try:
        document = yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        raise Refusal(f"{place} is not valid YAML: {_reason(error)}") from error
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
    """Return all entities with all fields. For a field in both, the one in `more` wins."""
    return {**known, **{name: _merged(known.get(name), new) for name, new in more.items()}}


def _merged(known: object, new: object) -> object:
    return {**known, **new} if isinstance(known, dict) and isinstance(new, dict) else new


def without(known: Entities, names: Sequence[str]) -> Entities:
    """Return the entities without `customer` or without `customer.email`. Raises Refusal."""
    left = {name: dict(fields) for name, fields in known.items()}
    for name in names:
        entity, _, field = name.partition(".")
        place = left.get(entity, {}) if field else left
        if (field or entity) not in place:
            raise Refusal(f"there is no {name}; the known names are {', '.join(place) or 'none'}")
        del place[field or entity]
    return left


def what_happened(before: Entities, after: Entities) -> str:
    """Return the revision's message, such as `add customer and invoice, remove person`."""
    names = {
        "add": [name for name in after if name not in before],
        "change": [name for name in after if before.get(name, after[name]) != after[name]],
        "remove": [name for name in before if name not in after],
    }
    return ", ".join(f"{verb} {_listed(found)}" for verb, found in names.items() if found)


def not_filled(before: Entities, after: Entities) -> list[str]:
    """Return the required fields that have no value in existing rows."""
    return [
        f"{name}.{field}"
        for name in after
        if name in before
        for field, text in after[name].items()
        if field != "_plural" and _needs_filling(before[name].get(field), text)
    ]


def retyped(before: Entities, after: Entities) -> dict[str, str]:
    """Return the fields whose old values may not fit the new type, with `datetime → date`."""
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
    """Return `enum(draft, sent)` for `enum(draft, sent)? = draft`."""
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
