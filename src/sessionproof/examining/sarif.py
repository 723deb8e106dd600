"""Complete ast-grep's SARIF with the fields that GitHub's code scanning needs."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .findings import Finding
from .scan import ast_grep

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVEL = {"info": "note"}
Json = dict[str, Any]


def sarif(folder: Path, findings: Iterable[Finding]) -> Json:
    """Return the SARIF document of these findings."""
    document: Json = json.loads(ast_grep(folder, "--format=sarif").stdout)
    [run] = document["runs"]
    rules = {finding.rule: describe(finding) for finding in findings}
    run["tool"]["driver"]["rules"] = list(rules.values())
    run["results"] = [result for result in run["results"] if result["ruleId"] in rules]
    return {"$schema": SCHEMA, **document}


def describe(finding: Finding) -> Json:
    """Return the rule with its help: GitHub does not show a rule without."""
    return {
        "id": finding.rule,
        "shortDescription": {"text": finding.message},
        "fullDescription": {"text": finding.message},
        "help": {"text": finding.note, "markdown": finding.note},
        "defaultConfiguration": {"level": LEVEL.get(finding.level, finding.level)},
    }
