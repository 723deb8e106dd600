"""Lists of this repository that must agree with each other."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from .conftest import Render
from .support.environment import is_met, requirements
from .support.repository import COPIER, QUESTIONS, ROOT, git, listed_files, releases
from .support.variants import COMBINATIONS, VARIANTS, WAYS_IN

WORKFLOWS = sorted(
    [*ROOT.glob(".github/workflows/*.yml"), *ROOT.glob("template/.github/workflows/*.yml")]
)
every_workflow = pytest.mark.parametrize(
    "workflow", WORKFLOWS, ids=lambda path: path.relative_to(ROOT).as_posix()
)


MAY_WRITE = {
    "update.yml": {"update": {"contents": "write", "pull-requests": "write"}},
    "docs.yml": {"deploy": {"pages": "write", "id-token": "write"}},
}


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def test_every_question_is_documented() -> None:
    headings = re.findall(r"^## `(\w+)`", read("docs/reference/questions.md"), re.MULTILINE)

    assert headings == QUESTIONS


def test_the_design_names_every_module_of_the_kernel() -> None:
    [kernel] = ROOT.glob("template/src/*/persistence")
    paths = (path.relative_to(kernel).as_posix() for path in kernel.rglob("*.py*"))
    modules = {path.split(".")[0] for path in paths if not path.endswith("__init__.py")}

    listed = re.findall(
        r"^\| `([\w/]+)` \| [^|]* \|$", read("docs/explanation/design.md"), re.MULTILINE
    )

    assert sorted(listed) == sorted(modules)


def test_every_test_named_as_a_proof_exists() -> None:
    tests = {path.name.split(".")[0] for path in ROOT.glob("template/tests/persistence/test_*")}
    promises = re.findall(
        r"^\| (\d+) \| .* \| (.*) \|$", read("docs/explanation/promises.md"), re.MULTILINE
    )

    assert [int(number) for number, _ in promises] == list(range(1, 13))
    assert {proof.strip("` ") for _, proofs in promises for proof in proofs.split(",")} <= tests


def test_every_private_part_of_a_library_has_an_existing_test() -> None:
    decision = (ROOT / "docs/decisions/0023-private-parts.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (?!part|---).*$", decision, re.MULTILINE)

    for row in rows:
        named = re.findall(r"`(test_\w+)::(test_\w+)`", row)
        assert named, row
        for module, test in named:
            paths = [
                *ROOT.glob(f"template/tests/**/{module}.py*"),
                *ROOT.glob(f"tests/{module}.py"),
            ]
            assert any(f"def {test}(" in path.read_text(encoding="utf-8") for path in paths), test


def test_every_choice_is_rendered() -> None:
    for question, values in {
        question: {answers[question] for answers in COMBINATIONS} for question in COMBINATIONS[0]
    }.items():
        choices = COPIER[question].get("choices", {"yes": True, "no": False})
        assert set(choices.values()) == values


def test_the_template_needs_no_trust() -> None:
    assert not COPIER.keys() & {"_tasks", "_jinja_extensions", "_migrations"}


def test_the_environment_is_that_of_every_variant(render: Render) -> None:
    needed = {need for answers in [*VARIANTS, *WAYS_IN] for need in requirements(render(**answers))}

    assert sorted(str(need) for need in needed if not is_met(need)) == []


def test_the_lock_names_the_public_registry_only() -> None:
    sources = {
        package["source"].get("registry", package["source"].get("editable"))
        for package in tomllib.loads(read("uv.lock"))["package"]
    }

    assert sources == {"https://pypi.org/simple", "."}


def test_continuous_integration_runs_the_test_command_of_the_readme() -> None:
    commands = re.findall(r"^python3 -m pip install uv && .*$", read("README.md"), re.MULTILINE)

    verbs = [command.partition(" just ")[2].split()[0] for command in commands]
    assert verbs == ["demo", "test", "examine"]
    assert commands[1] in read(".ci/run").splitlines()


def test_continuous_integration_runs_what_is_supported() -> None:
    own = tomllib.loads(read("pyproject.toml"))["project"]["requires-python"]
    projects = re.search(r'requires-python = "(.*)"', read("template/pyproject.toml.jinja"))

    assert projects
    for workflow, requirement in (
        (".github/workflows/ci.yml", own),
        ("template/.github/workflows/ci.yml", projects[1]),
        ("template/.gitlab-ci.yml.jinja", projects[1]),
    ):
        versions = [Version(found) for found in re.findall(r'"(3\.\d+)"', read(workflow))]
        assert requirement == f">={min(versions)}", workflow
        assert all(SpecifierSet(requirement).contains(version) for version in versions)


@every_workflow
def test_a_workflow_pins_its_actions_by_hash(workflow: Path) -> None:
    uses = re.findall(r"uses: *(\S+)(.*)", workflow.read_text(encoding="utf-8"))

    assert uses
    for action, comment in uses:
        assert re.search(r"@[0-9a-f]{40}$", action), action
        assert re.match(r" # v\d", comment), f"{action} does not say which version that is"


@every_workflow
def test_a_workflow_may_only_read_except_for_the_jobs_that_must_write(workflow: Path) -> None:
    content = yaml.safe_load(workflow.read_text(encoding="utf-8"))

    more = {
        name: job["permissions"] for name, job in content["jobs"].items() if "permissions" in job
    }

    assert content["permissions"] in ({}, {"contents": "read"})
    assert more == MAY_WRITE.get(workflow.name, {})


@every_workflow
def test_a_workflow_gives_no_expression_to_a_shell(workflow: Path) -> None:
    content = yaml.safe_load(workflow.read_text(encoding="utf-8"))

    steps = [step for job in content["jobs"].values() for step in job["steps"]]
    assert [step["run"] for step in steps if "${{" in step.get("run", "")] == []


def test_no_file_names_a_path_of_this_machine() -> None:
    places = [f"{ROOT}/", f"{Path.home()}/", "index-url", "find-links"]

    found = [
        f"{path}: {place}"
        for path in listed_files(ROOT)
        if path not in {"uv.lock", "tests/test_repository.py"}
        for place in places
        if place.encode() in (ROOT / path).read_bytes()
    ]
    assert found == []


def test_a_release_is_tagged_where_the_changelog_first_names_it() -> None:
    tags = set(git("tag", "--list", "v*", folder=ROOT).split())

    moved = [
        f"v{version}"
        for version, commit in releases(ROOT).items()
        if f"v{version}" in tags
        and git("diff", "--name-only", commit, f"v{version}", "--", "template", folder=ROOT)
    ]
    assert moved == []
