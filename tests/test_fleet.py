"""`sessionproof fleet`: its report on many projects, and its branches."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import NEWEST, Render
from .support.project import Project, copy, tree
from .support.release import RELEASES
from .support.repository import git
from .support.shell import SESSIONPROOF, run
from .support.variants import VARIANTS
from .test_update import merged, read

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not RELEASES, reason="no release is in this clone's history"),
]

Findings = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def original(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of projects and of other folders, with a list of them."""
    folder = tmp_path_factory.mktemp("fleet")
    makers: dict[str, Callable[[Project], None]] = {
        "behind": lambda project: None,
        "edited": lambda project: append(project, "justfile", "# the team's own line"),
        "conflicting": contradict,
        "unreachable": lambda project: append(
            project, ".copier-answers.yml", "_src_path: /nowhere/absent"
        ),
        "dirty": lambda project: None,
    }
    for number, (name, change) in enumerate(makers.items()):
        version = RELEASES[number % len(RELEASES)]
        answers = VARIANTS[number % len(VARIANTS)]
        project = Project(copy(template, folder / name, answers, version=version))
        change(project)
        project.commit()
    append(Project(folder / "dirty"), "notes.txt", "not committed")
    Project(copy(template, folder / "current", VARIANTS[0])).commit()
    (folder / "thesis").mkdir()
    names = [path.name for path in sorted(folder.iterdir())]
    (folder / "list").write_text("\n".join(["# all of ours", *names]), encoding="utf-8")
    return folder


@pytest.fixture
def fleet(original: Path, tmp_path: Path) -> Path:
    """A copy of them for one test. Git's index is stale, so git would like to refresh it."""
    return shutil.copytree(original, tmp_path / "fleet")


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """Git settings of this machine: an identity, and ignored files."""
    (tmp_path / "ignored").write_text("justfile\nframes.py\n", encoding="utf-8")
    settings = tmp_path / "gitconfig"
    settings.write_text(
        f"[user]\nname = Ada\nemail = ada@example.org\n[core]\nexcludesFile = {tmp_path}/ignored\n",
        encoding="utf-8",
    )
    return settings


def test_each_project_is_reported_and_none_is_changed(
    fleet: Path,
) -> None:
    before = everything(fleet)

    found = look(fleet, status=1)

    assert {name: each["status"] for name, each in found.items()} == {
        "behind": "clean",
        "conflicting": "conflicts",
        "current": "current",
        "dirty": "dirty",
        "edited": "clean",
        "thesis": "failed",
        "unreachable": "failed",
    }
    assert found["behind"]["version"] == RELEASES[0]
    assert found["behind"]["behind"] == len(RELEASES)
    assert found["behind"]["changed"] > 10
    assert found["current"]["behind"] == 0
    assert found["conflicting"]["conflicts"] == ["docs/ownership.md"]
    assert "/nowhere/absent" in found["unreachable"]["reason"]
    assert "not generated from the template" in found["thesis"]["reason"]
    assert everything(fleet) == before


def test_a_clean_update_becomes_a_branch(fleet: Path, machine: Path, render: Render) -> None:
    projects = {path.name: Project(path) for path in fleet.iterdir() if (path / ".git").exists()}
    before = {name: project.files() for name, project in projects.items()}

    updated = look(fleet, "--update", status=1, GIT_CONFIG_GLOBAL=machine)
    again = look(fleet, "--update", status=1, GIT_CONFIG_GLOBAL=machine)

    done = {name for name, each in updated.items() if each["status"] == "updated"}
    assert (
        done == {"behind", "edited"} == {name for name in projects if branches(projects[name]) > 1}
    )
    assert {name: project.files() for name, project in projects.items()} == before
    assert {again[name]["status"] for name in done} == {"failed"}
    assert "template-update" in again["behind"]["reason"]
    git("switch", "--quiet", "template-update", folder=projects["behind"].path)
    assert merged(projects["behind"].files()) == merged(
        read(render, {**VARIANTS[0], "contract": True})
    )
    justfile = git("show", "template-update:justfile", folder=projects["edited"].path)
    assert justfile.endswith("# the team's own line\n")


def test_a_project_in_a_folder_of_a_repository_is_updated_there(
    template: Path, machine: Path, tmp_path: Path
) -> None:
    whole = Project(tmp_path / "whole")
    copy(template, whole.path / "services/queue", VARIANTS[0], version=RELEASES[0])
    whole.commit()

    fleet_py("--update", "services/queue", folder=whole.path, GIT_CONFIG_GLOBAL=machine)

    changed = git("diff", "--name-only", "HEAD", "template-update", folder=whole.path).splitlines()
    assert len(changed) > 10
    assert [path for path in changed if not path.startswith("services/queue/")] == []


def test_a_file_removed_from_the_template_is_deleted_by_no_branch(
    template: Path, machine: Path, tmp_path: Path
) -> None:
    newer = Project(tmp_path / "template")
    git("clone", "--quiet", str(template), str(newer.path), folder=tmp_path)
    (newer.path / "template/docs/testing.md.jinja").unlink()
    newer.commit()
    git("tag", "v1000.0.0", folder=newer.path)
    projects = {name: Project(tmp_path / name) for name in ("edited", "unedited")}
    for name, project in projects.items():
        copy(newer.path, project.path, {}, version=NEWEST)
        if name == "edited":
            append(project, "docs/testing.md", "ours")
        project.commit()

    output = fleet_py(
        "--update", *projects, folder=tmp_path, status=1, GIT_CONFIG_GLOBAL=machine
    ).splitlines()

    assert output[-2:] == [
        "edited: would not update docs/testing.md",
        "unedited: would delete docs/testing.md",
    ]
    assert branches(projects["unedited"]) == 1
    kept = git("show", "template-update:docs/testing.md", folder=projects["edited"].path)
    assert kept.endswith("ours\n")


def test_a_template_without_tags_is_followed_and_nothing_is_lost(
    template: Path, machine: Path, tmp_path: Path
) -> None:
    untagged = Project(tmp_path / "template")
    git("clone", "--quiet", "--no-tags", str(template), str(untagged.path), folder=tmp_path)
    projects = [Project(tmp_path / name) for name in ("old", "new")]
    commits = (git("rev-parse", RELEASES[0], folder=template).strip(), "HEAD")
    for project, commit in zip(projects, commits, strict=True):
        copy(untagged.path, project.path, {}, version=commit)
        (project.path / "tests/factories.py").unlink()
        with (project.path / "README.md").open("ab") as file:
            file.write(b"# M\xfcller\n")
        project.commit()
    (untagged.path / "CHANGELOG.md").write_text("## 1000.0.0 - 2027-01-01\n", encoding="utf-8")
    append(untagged, "template/justfile.jinja", "# new")
    untagged.commit()

    output = fleet_py(
        *("--json", "--update", "old", "new"), folder=tmp_path, GIT_CONFIG_GLOBAL=machine
    )

    findings = json.loads(output)
    assert [finding["status"] for finding in findings] == ["updated", "updated"]
    assert findings[1]["behind"] == 1
    for project in projects:
        branch = git("ls-tree", "-r", "--name-only", "template-update", folder=project.path)
        assert "tests/factories.py" not in branch.splitlines()
        git("switch", "--quiet", "template-update", folder=project.path)
        assert (project.path / "README.md").read_bytes().endswith(b"# M\xfcller\n")


@pytest.mark.parametrize("version", [*RELEASES[-1:], NEWEST])
@pytest.mark.parametrize("source", ["../template", "/no/where/template"])
def test_a_template_with_a_relative_path_is_found(
    template: Path, machine: Path, tmp_path: Path, version: str, source: str
) -> None:
    newer = Project(shutil.copytree(template, tmp_path / "template"))
    append(newer, "template/.gitignore", "news/")
    newer.commit()
    git("tag", "v1000.0.0", folder=newer.path)
    project = Project(copy(template, tmp_path / "projects/one", {}, version=version))
    answers = project.path / ".copier-answers.yml"
    lines = answers.read_text(encoding="utf-8").splitlines()
    others = [line for line in lines if not line.startswith("_src_path")]
    answers.write_text("\n".join([*others, f"_src_path: {source}", ""]), encoding="utf-8")
    project.commit()
    hook: dict[str, Any] = {
        "GIT_DIR": newer.path / ".git",
        "GIT_INDEX_FILE": newer.path / ".git/index",
    }

    output = fleet_py(
        *("--json", "--update", str(project.path)),
        folder=tmp_path,
        GIT_CONFIG_GLOBAL=machine,
        **hook,
    )

    [finding] = json.loads(output)
    assert (finding["status"], finding["newest"]) == ("updated", "v1000.0.0")
    assert "news/" in git("show", "template-update:.gitignore", folder=project.path)
    remembered = git("show", "template-update:.copier-answers.yml", folder=project.path)
    assert f"_src_path: {source}\n" in remembered


def test_a_broken_project_is_named_with_its_reason(
    template: Path, machine: Path, tmp_path: Path
) -> None:
    project = Project(copy(template, tmp_path / "project", {}, version=RELEASES[-1]))
    append(project, ".copier-answers.yml", "<<<<<<< before updating")
    project.commit()

    output = fleet_py("project", folder=tmp_path, status=1, GIT_CONFIG_GLOBAL=machine)

    assert output.splitlines()[-1].startswith("project: .copier-answers.yml has conflict markers")


def test_the_table_ends_with_projects_that_need_attention(fleet: Path) -> None:
    output = fleet_py("current", "thesis", folder=fleet, status=1)

    assert "│ current │" in output
    assert output.splitlines()[-1].startswith("thesis: it was not generated from the template")


def test_nothing_to_do_is_a_success_and_a_wrong_command_is_not(fleet: Path) -> None:
    fleet_py("current", folder=fleet)
    fleet_py("--workers", "0", "current", folder=fleet, status=2)


def look(fleet: Path, *options: str, status: int, **environment: Any) -> Findings:
    """The program's findings by project."""
    printed = fleet_py("--json", *options, "list", folder=fleet, status=status, **environment)
    return {Path(finding["project"]).name: finding for finding in json.loads(printed)}


def fleet_py(*arguments: str, folder: Path, status: int = 0, **environment: Any) -> str:
    """Run the program, and return its output."""
    program = (*SESSIONPROOF, "fleet")
    return run(*program, *arguments, folder=folder, status=status, **environment).stdout


def contradict(project: Project) -> None:
    """Rewrite a file that a later version of the template changes."""
    (project.path / "docs/ownership.md").write_text("ours\n" * 99, encoding="utf-8")


def append(project: Project, path: str, line: str) -> None:
    """Add a line of the team's."""
    with (project.path / path).open("a", encoding="utf-8") as file:
        file.write(f"{line}\n")


def branches(project: Project) -> int:
    """The number of branches."""
    return len(git("branch", folder=project.path).splitlines())


def everything(folder: Path) -> dict[str, bytes]:
    """Every file, including git's."""
    return {path: (folder / path).read_bytes() for path in tree(folder)}
