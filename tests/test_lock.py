"""uv.lock is up to date, so that no command changes it."""

import re
import tomllib
from typing import Any

import pytest

from .support.repository import ROOT

LOCK: dict[str, Any] = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
ABOUT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FILES = [
    file
    for package in LOCK["package"]
    for file in [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
]


def test_uv_adds_nothing_to_the_lock() -> None:
    incomplete = [file["url"] for file in FILES if not {"hash", "size", "upload-time"} <= {*file}]

    assert FILES
    assert incomplete == []


def test_every_package_comes_from_the_public_index() -> None:
    sources = {str(package["source"]) for package in LOCK["package"]}
    hosts = {re.match("https://[^/]+/", file["url"])[0] for file in FILES}  # type: ignore[index]

    assert sources == {"{'registry': 'https://pypi.org/simple'}", "{'editable': '.'}"}
    assert hosts == {"https://files.pythonhosted.org/"}


def test_the_lock_matches_the_requirements() -> None:
    [root] = [package for package in LOCK["package"] if "editable" in package["source"]]

    locked = {
        group: sorted(map(_written, lines))
        for group, lines in root["metadata"]["requires-dev"].items()
    }
    assert locked == {group: sorted(lines) for group, lines in ABOUT["dependency-groups"].items()}


def _written(requirement: dict[str, Any]) -> str:
    extras = f"[{','.join(requirement['extras'])}]" if "extras" in requirement else ""
    return f"{requirement['name']}{extras}{requirement.get('specifier', '')}"


IN_A_PROJECT = {"uv run just demo", "uv run just", "uv run task-queue tasks list"}


@pytest.mark.parametrize(
    "path",
    [
        *("README.md", "CONTRIBUTING.md", "justfile", ".ci/run", ".pre-commit-config.yaml"),
        *(".github/workflows/ci.yml", "docs/how-to/examine.md", "docs/how-to/fleet.md"),
    ],
)
def test_no_command_of_the_checkout_writes_the_lock(path: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")

    commands = {*re.findall(r'uv (?:run|audit) (?!fleet\.py)[^\n`\\"]*', text)} - IN_A_PROJECT

    assert commands
    assert {command for command in commands if "--frozen" not in command} == set()
