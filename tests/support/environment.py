"""The requirements of a rendered project, compared with the installed packages."""

import importlib.metadata
import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement


def requirements(project: Path) -> list[Requirement]:
    """The project's requirements, with every extra."""
    about = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    groups = [
        about["project"]["dependencies"],
        *about["project"]["optional-dependencies"].values(),
        *about["dependency-groups"].values(),
    ]
    return [Requirement(line) for group in groups for line in group]


def is_met(requirement: Requirement) -> bool:
    """Whether the installed packages meet the requirement, with its extras."""
    try:
        version = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return requirement.specifier.contains(version, prereleases=True) and all(
        is_met(needed) for needed in _needed_by(requirement) if needed.name != requirement.name
    )


def taken_names(requirements: list[Requirement]) -> set[str]:
    """Every name that the installed requirements and their dependencies use.

    That is, names of distributions, modules and programs, each spelled like a package.
    """
    distributions: set[str] = set()
    for requirement in requirements:
        _collect(requirement, distributions)
    modules = {
        module
        for module, owners in importlib.metadata.packages_distributions().items()
        if distributions & {_canonical(owner) for owner in owners}
    }
    programs = {
        file.name
        for distribution in distributions
        for file in importlib.metadata.files(distribution) or []
        if file.parts[0] == ".." and file.parent.name == "bin"
    }
    return {name.replace("-", "_") for name in distributions | modules | programs}


def _collect(requirement: Requirement, distributions: set[str]) -> None:
    distributions.add(_canonical(requirement.name))
    for needed in _needed_by(requirement):
        if _canonical(needed.name) not in distributions:
            _collect(needed, distributions)


def _needed_by(requirement: Requirement) -> list[Requirement]:
    """The dependencies of the installed distribution, on this machine."""
    lines = importlib.metadata.requires(requirement.name) or []
    extras = requirement.extras | {""}
    return [
        needed
        for needed in map(Requirement, lines)
        if not needed.marker or any(needed.marker.evaluate({"extra": extra}) for extra in extras)
    ]


def _canonical(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()
