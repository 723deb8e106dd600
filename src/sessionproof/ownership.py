"""The owner of each file of a project: from the lists in copier.yml, which this package contains."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from jinja2 import FileSystemLoader
from jinja2.sandbox import SandboxedEnvironment

CLASSES = ("sample", "yours", "shared", "kernel")
PACKAGE = Path(__file__).parent
CHECKOUT = PACKAGE.parents[1]  # if this runs from a checkout, without being installed


def ownership(entities: object) -> dict[str, list[str]]:
    """Return the patterns of each owner for these entities. The first match counts."""
    template = CHECKOUT if (CHECKOUT / "copier.yml").exists() else PACKAGE
    settings = yaml.safe_load((template / "copier.yml").read_text(encoding="utf-8"))
    classes: dict[str, list[str]] = {name: settings[name]["default"] for name in CLASSES}
    for plural in _plurals(template, settings, entities):
        classes["shared"] += of_entity(settings, plural)
    return classes


def of_entity(settings: Mapping[str, Any], plural: str) -> list[str]:
    """Return the patterns of an entity's files, for a template version with these settings."""
    patterns: Sequence[str] = settings.get("shared_by_entity", {}).get("default", [])
    return [pattern.replace("PLURAL", plural) for pattern in patterns]


def _plurals(template: Path, settings: Mapping[str, Any], entities: object) -> list[str]:
    environment = SandboxedEnvironment(
        loader=FileSystemLoader(template),
        extensions=["jinja2_ansible_filters.AnsibleCoreFiltersExtension"],
        trim_blocks=settings["_envops"]["trim_blocks"],
        lstrip_blocks=settings["_envops"]["lstrip_blocks"],
    )
    macros: Any = environment.get_template("macros/entities.jinja").module
    return [feature["plural"] for feature in json.loads(macros.described(entities))]
