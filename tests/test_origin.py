"""An update finds the template and the project's version, even if the records are wrong."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import NEWEST, StartProject
from .support.project import Project, append, contents, copy, edit
from .support.release import RELEASES
from .support.repository import git, releases
from .support.shell import OWNED, SESSIONPROOF, UPDATE, run
from .support.variants import Answers

pytestmark = pytest.mark.slow

ANSWERS = ".copier-answers.yml"
VERSION = "src/task_queue/persistence/_template.py"
BARE: Answers = {"example": False, "ci": "none"}

with_releases = pytest.mark.skipif(not RELEASES, reason="no release is in this clone's history")


def tool(
    project: Project, name: str, *arguments: str, status: int = 0, **environment: Any
) -> subprocess.CompletedProcess[str]:
    program = (*SESSIONPROOF, name, "--no-checks")
    return run(*program, *arguments, folder=project.path, status=status, **environment)


def update(project: Project, *arguments: str, status: int = 0) -> str:
    result = tool(project, "update", *arguments, status=status)
    return result.stdout + result.stderr


def answers(project: Project) -> Any:
    return yaml.safe_load((project.path / ANSWERS).read_text(encoding="utf-8"))


def record(project: Project, **values: str) -> None:
    """Let the project record another template or version than its own."""
    lines = (project.path / ANSWERS).read_text(encoding="utf-8").splitlines(keepends=True)
    others = [line for line in lines if line.partition(":")[0] not in values]
    known = "".join(others) + yaml.safe_dump(values)
    (project.path / ANSWERS).write_text(known, encoding="utf-8")
    project.commit()


@pytest.fixture
def untagged(template: Path, tmp_path: Path) -> Path:
    """A clone of the template without its tags."""
    folder = tmp_path / "template"
    git("clone", "--quiet", "--no-tags", str(template), str(folder), folder=tmp_path)
    return folder


def started(source: str | Path, place: Path, *, version: str | None = None) -> Project:
    project = Project(copy(Path(source), place, BARE, version=version))
    project.commit()
    return project


# Places of the template -----------------------------------------------------------------


def absolute(template: Path, _: Path) -> str:
    return str(template)


def relative_and_without_tags(template: Path, folder: Path) -> str:
    git("clone", "--quiet", "--no-tags", str(template), "beside", folder=folder)
    return "beside"


def long_and_odd(template: Path, folder: Path) -> str:
    place = folder / "a folder, with spaces" / ("ü" * 60) / "template"
    git("clone", "--quiet", str(template), str(place), folder=folder)
    return str(place)


def url(template: Path, _: Path) -> str:
    return f"git+{template.as_uri()}"


def bare(template: Path, folder: Path) -> str:
    git("clone", "--quiet", "--bare", str(template), "bare.git", folder=folder)
    return str(folder / "bare.git")


def shallow(template: Path, folder: Path) -> str:
    git("clone", "--quiet", "--depth", "1", template.as_uri(), "shallow", folder=folder)
    return str(folder / "shallow")


@pytest.mark.parametrize("place", [absolute, long_and_odd, bare, shallow])
def test_an_update_works_from_every_place(
    template: Path, tmp_path: Path, place: Callable[[Path, Path], str]
) -> None:
    project, source = generated_from(place, template, tmp_path)

    assert "up to date with" in update(project)
    project.commit()
    update_by_copier(project)

    assert_it_follows(project, source)


@pytest.mark.parametrize("place", [relative_and_without_tags, url])
def test_every_command_works_from_a_url_and_a_relative_path(
    template: Path, tmp_path: Path, place: Callable[[Path, Path], str]
) -> None:
    project, source = generated_from(place, template, tmp_path)

    tool(project, "entity", "customer", "name: text")
    project.commit()
    update(project, "--data", "description=Another one.")
    project.commit()
    update_by_copier(project)

    assert_it_follows(project, str(tmp_path / source) if "/" not in source else source)
    assert "src/task_queue/customers/model.py" in project.files()


def generated_from(
    place: Callable[[Path, Path], str], template: Path, folder: Path
) -> tuple[Project, str]:
    """Return a project from a copy of the template, and the template's place as given to Copier."""
    source = place(template, folder)
    options = ("--data=example=false", "--data=ci=none")
    run("copier", "copy", "--quiet", "--defaults", *options, source, "made", folder=folder)
    project = Project(folder / "made")
    project.commit()
    append(project, "uv.lock", b"what uv sync writes\n")
    return project, source


def update_by_copier(project: Project) -> None:
    words = ("update", "--quiet", "--defaults", "--data", "description=And another one.")
    run("copier", *words, folder=project.path)


def assert_it_follows(project: Project, source: str) -> None:
    assert not any(line.startswith("UU") for line in project.changes())
    assert answers(project)["description"] == "And another one."
    assert answers(project)["_src_path"] == source


def test_a_relative_path_of_an_older_project_is_found(
    start_project: StartProject, template: Path, tmp_path: Path
) -> None:
    shutil.copytree(template, tmp_path / "beside")
    project = start_project(**BARE)
    record(project, _src_path="beside")

    document = tool(project, "update", "--json", "--dry-run").stdout
    said = update(project, "--data", "description=Another one.")

    assert f"recorded as beside and was found at {tmp_path / 'beside'}" in said
    assert json.loads(document)["notes"] == [said.splitlines()[0]]
    assert answers(project)["_src_path"] == "beside"


def test_a_template_that_moved_with_the_project_is_found(
    start_project: StartProject, template: Path, tmp_path: Path
) -> None:
    shutil.copytree(template, tmp_path / "beside")
    project = start_project(**BARE)
    record(project, _src_path="/no/where/beside")

    assert f"found at {tmp_path / 'beside'}" in update(project)


def test_a_missing_template_is_named_with_the_command_that_records_another(
    start_project: StartProject, template: Path
) -> None:
    project = start_project(**BARE)
    record(project, _src_path="/no/where")

    refusal = update(project, status=2)
    update(project, "--source", str(template))

    assert re.fullmatch(r"refused: the template is no longer at /no/where; [^\n]*\n", refusal)
    assert "just update --source" in refusal
    assert answers(project)["_src_path"] == str(template)


def test_a_git_hook_updates_its_own_repository(start_project: StartProject, tmp_path: Path) -> None:
    project = start_project(**BARE)
    git("init", "--quiet", str(tmp_path / "hook"), folder=tmp_path)

    said = tool(
        project,
        *("update", "--data", "description=Another one."),
        GIT_DIR=tmp_path / "hook/.git",
        GIT_WORK_TREE=tmp_path / "hook",
        GIT_INDEX_FILE=tmp_path / "hook/.git/index",
    ).stdout

    assert "- README.md" in said


@pytest.mark.parametrize("command", ["--json", "--take README.md", "--take docs/"])
def test_just_owned_in_a_git_hook_reads_its_own_repository(
    start_project: StartProject, tmp_path: Path, command: str
) -> None:
    project = start_project(**BARE)
    git("init", "--quiet", str(tmp_path / "hook"), folder=tmp_path)
    owned = (*OWNED, *command.split())

    plainly = run(*owned, folder=project.path).stdout
    git("checkout", "--quiet", ".", folder=project.path)
    in_a_hook = run(
        *owned,
        folder=project.path,
        GIT_DIR=tmp_path / "hook/.git",
        GIT_WORK_TREE=tmp_path / "hook",
        GIT_INDEX_FILE=tmp_path / "hook/.git/index",
    ).stdout

    assert in_a_hook == plainly != ""


# Versions of the template ---------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::copier.errors.DirtyLocalWarning")
def test_a_project_of_a_dirty_template_has_the_commit_that_it_descends_from(
    untagged: Path, tmp_path: Path
) -> None:
    head = git("rev-parse", "HEAD", folder=untagged).strip()
    append(Project(untagged), "template/.gitignore", b"not-committed/\n")

    project = started(untagged, tmp_path / "project")

    assert answers(project)["_commit"] == head
    assert f'TEMPLATE_VERSION = "{head}"' in project.files()[VERSION].decode()
    assert b"not-committed/" in project.files()[".gitignore"]
    git("checkout", "--quiet", ".", folder=untagged)
    update(project, "--data", "description=Another one.")
    assert b"not-committed/" in project.files()[".gitignore"]


@pytest.mark.parametrize("program", ["update", "entity"])
def test_a_commit_that_exists_nowhere_is_replaced_by_the_nearest_one(
    untagged: Path, tmp_path: Path, program: str
) -> None:
    append(Project(untagged), "template/.gitignore", b"the-version-of-the-project/\n")
    Project(untagged).commit()
    head = git("rev-parse", "--short", "HEAD", folder=untagged).strip()
    project = started(untagged, tmp_path / "project")
    record(project, _commit="f1dda11")
    text = (project.path / VERSION).read_text(encoding="utf-8")
    edit(project, VERSION, text.splitlines()[-1], "TEMPLATE_VERSION = 'f1dda11'")
    project.commit()
    append(Project(untagged), "template/.gitignore", b"a-newer-version/\n")
    Project(untagged).commit()

    wish = ["customer", "name: text"] if program == "entity" else []
    said = tool(project, program, *wish).stdout

    assert "The template has no commit f1dda11" in said
    assert answers(project)["_commit"] == head
    assert f'TEMPLATE_VERSION = "{head}"' in project.files()[VERSION].decode()
    assert b"a-newer-version/" not in project.files()[".gitignore"]
    assert git("diff", "--name-only", "--diff-filter=U", folder=project.path) == ""


def test_a_rewritten_history_is_followed(untagged: Path, tmp_path: Path) -> None:
    project = started(untagged, tmp_path / "project")
    branch = git("branch", "--show-current", folder=untagged).strip()
    git("checkout", "--quiet", "--orphan", "anew", folder=untagged)
    Project(untagged).commit()
    git("branch", "--quiet", "-D", branch, folder=untagged)
    append(Project(untagged), "template/.gitignore", b"a-newer-version/\n")
    Project(untagged).commit()

    said = update(project, "--vcs-ref", "HEAD")

    assert "history was rewritten" in said
    assert b"a-newer-version/" in project.files()[".gitignore"]


def test_another_repository_than_the_template_is_refused(
    start_project: StartProject, tmp_path: Path
) -> None:
    other = Project(tmp_path / "other")
    other.path.mkdir()
    append(other, "copier.yml", b"_subdirectory: template\n")
    other.commit()
    project = start_project(**BARE)
    record(project, _commit="f1dda11", _src_path=str(other.path))

    refusal = update(project, status=2)

    assert "was not generated from the template" in refusal
    assert "just update --source" in refusal


@with_releases
def test_a_shallow_clone_is_named_with_the_command_that_completes_it(
    start_project: StartProject, template: Path, tmp_path: Path
) -> None:
    project = start_project(RELEASES[0])
    place = shallow(template, tmp_path)
    record(project, _src_path=place)

    refusal = update(project, status=2)
    run("bash", "-c", refusal.partition("complete it: ")[2], folder=tmp_path)

    assert "is a shallow clone" in refusal
    assert f"From {RELEASES[0]} to " in update(project, "--dry-run", "--vcs-ref", "HEAD")


@with_releases
def test_releases_are_known_by_their_headings_without_tags(untagged: Path, tmp_path: Path) -> None:
    *_, old, newest = RELEASES
    commit = releases(untagged)[old.removeprefix("v")]
    project = started(untagged, tmp_path / "project", version=commit)
    record(project, _commit=old)

    refusal = update(project, "-r", "v66", "--dry-run", status=2)
    rehearsed = update(project, "-r", newest.removeprefix("v"), "--dry-run")
    said = update(project)

    assert "has no version v66; it has v0.1.0," in refusal
    assert rehearsed.startswith(f"From {old} to {newest}.\n")
    assert said.startswith(f"From {old} to {newest}.\n")


def test_a_project_that_is_ahead_of_the_newest_release_has_nothing_new(
    template: Path, tmp_path: Path
) -> None:
    later = tmp_path / "template"
    git("clone", "--quiet", str(template), str(later), folder=tmp_path)
    append(Project(later), "template/.gitignore", b"not-released/\n")
    Project(later).commit()
    project = started(later, tmp_path / "project", version="HEAD")

    said = update(project)

    assert re.search(rf"The project is up to date with {NEWEST}-1-g\w+\.", said)


@pytest.mark.parametrize("spelled", ['"{}"', "'{}'  # ours"])
def test_the_line_with_the_version_never_conflicts(
    untagged: Path, tmp_path: Path, spelled: str
) -> None:
    project = started(untagged, tmp_path / "project")
    version = answers(project)["_commit"]
    edit(project, VERSION, f'"{version}"', spelled.format(version))
    project.commit()
    git("tag", "v998.0.0", folder=untagged)  # the commit now has another hash
    append(Project(untagged), "template/.gitignore", b"new/\n")
    Project(untagged).commit()
    git("tag", "v999.0.0", folder=untagged)

    update(project)

    assert 'TEMPLATE_VERSION = "v999.0.0"' in project.files()[VERSION].decode()


def test_the_line_with_the_version_never_conflicts_in_copier_alone(
    untagged: Path, tmp_path: Path
) -> None:
    project = started(untagged, tmp_path / "project")
    git("tag", "v998.0.0", folder=untagged)
    append(Project(untagged), "template/.gitignore", b"new/\n")
    Project(untagged).commit()
    git("tag", "v999.0.0", folder=untagged)

    assert project.update() == []
    assert 'TEMPLATE_VERSION = "v999.0.0"' in project.files()[VERSION].decode()


@pytest.mark.parametrize("source", ["as recorded", "--source"])
def test_a_project_without_a_version_starts_from_the_nearest_one(
    untagged: Path, tmp_path: Path, source: str
) -> None:
    project = started(untagged, tmp_path / "project")
    forget(project, "_commit", *(["_src_path"] if source == "--source" else []))
    append(Project(untagged), "template/.gitignore", b"a-newer-version/\n")
    Project(untagged).commit()
    options = ("--source", str(untagged)) if source == "--source" else ()

    told = json.loads(tool(project, "update", "--json", "-r", "HEAD", *options).stdout)

    [note] = told["notes"]
    assert note.startswith("The project does not record its version. The update starts from ")
    assert (told["status"], told["changed"]) == ("updated", [ANSWERS, ".gitignore", VERSION])
    assert answers(project)["_src_path"] == str(untagged)
    assert answers(project)["_commit"] in git("rev-parse", "HEAD", folder=untagged)


def forget(project: Project, *names: str) -> None:
    """Remove these answers from the project's records."""
    lines = (project.path / ANSWERS).read_text(encoding="utf-8").splitlines(keepends=True)
    known = "".join(line for line in lines if line.partition(":")[0] not in names)
    (project.path / ANSWERS).write_text(known, encoding="utf-8")
    project.commit()


@with_releases
@pytest.mark.parametrize(
    "lost", [{"_commit": "f1dda11"}, {"_src_path": "template"}, {"_src_path": "../template"}]
)
def test_a_project_whose_own_update_is_stuck_is_updated_by_the_templates(
    template: Path, tmp_path: Path, lost: dict[str, str]
) -> None:
    """Follow docs/how-to/update.md: the tools of 0.8.1 and older did not find these templates."""
    shutil.copytree(template, tmp_path / "template")
    project = Project(copy(template, tmp_path / "project", BARE, version="v0.8.1"))
    text = (project.path / VERSION).read_text(encoding="utf-8")
    record(project, **lost)
    own = (sys.executable, "tools/update.py", "--no-checks")

    refusal = run(*own, folder=project.path, status=2).stderr
    told = json.loads(run(*(*UPDATE, "--no-checks", "--json"), folder=project.path).stdout)
    project.commit()

    assert refusal.startswith("refused: ")
    assert "v0.8.1" in text
    assert (told["old"], told["conflicts"], told["kept"]) == ("v0.8.1", [], [])
    assert told["notes"]
    assert "up to date with" in update(project)


# A dry run ------------------------------------------------------------------------------


def as_it_is(project: Project) -> None:
    append(project, "uv.lock", b"what uv sync writes\n")


def edited(project: Project) -> None:
    append(project, "README.md", b"ours\n")
    append(project, "ours.txt", b"ours\n")


def without_commits(project: Project) -> None:
    without_git(project)
    git("init", "--quiet", folder=project.path)


def without_git(project: Project) -> None:
    shutil.rmtree(project.path / ".git")


def in_a_merge(project: Project) -> None:
    (project.path / ".git/MERGE_HEAD").write_text(git("rev-parse", "HEAD", folder=project.path))


def in_an_update(project: Project) -> None:
    update(project, "--data", "description=Another one.")


@pytest.mark.parametrize(
    "state", [as_it_is, edited, without_commits, without_git, in_a_merge, in_an_update]
)
def test_a_dry_run_is_never_refused_because_of_git(
    start_project: StartProject, state: Callable[[Project], None]
) -> None:
    project = start_project(**BARE)
    state(project)
    before = contents(project)

    updated = update(project, "--dry-run", "--data", "ci=github")
    entity = tool(project, "entity", "--dry-run", "customer", "name: text").stdout

    assert "- .github/workflows/ci.yml" in updated
    assert "- src/task_queue/customers/model.py" in entity
    assert contents(project) == before
