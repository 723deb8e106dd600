"""`copier update` merges the template's changes and keeps a team's edits."""

import json
import re
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml

from .conftest import Lint, Render, StartProject
from .support.project import Project, contents
from .support.release import RELEASES, every_release, questions
from .support.repository import FOR_UPDATES, ROOT, git, is_old, owner, releases
from .support.shell import UPDATE, run, run_there, stop_servers
from .support.variants import MANY_VALUES, VARIANTS, WITH_ENTITIES, Answers, name

# Tests of code that an update does not change.
NOT_UPDATED = ("tests/tasks", "tests/entrypoints", "tests/test_factories.py")


def settings_of(version: str) -> str:
    """The `settings.py` that this release renders."""
    names = git(
        "ls-tree", "-r", "--name-only", commit_of(version), "--", "template/src", folder=ROOT
    )
    [path] = [name for name in names.splitlines() if re.search(r"package }}/settings\.py", name)]
    return git("show", f"{commit_of(version)}:{path}", folder=ROOT)


def commit_of(version: str) -> str:
    return releases(ROOT)[version.removeprefix("v")]


# An updated project equals a fresh copy, except for the team's files. Of those, the kernel's tests
# depend only on the settings, which record the project's age. So one release for each is enough.
OLDEST_WITH_SETTINGS = {settings_of(version): version for version in reversed(RELEASES)}

every_variant = pytest.mark.parametrize("answers", VARIANTS, ids=name)

with_any_releases_settings = pytest.mark.parametrize(
    "version", [*reversed(OLDEST_WITH_SETTINGS.values())]
)


@every_variant
def test_an_update_to_the_same_version_changes_nothing(
    start_project: StartProject, answers: Answers
) -> None:
    project = start_project(**answers)

    conflicts = project.update()

    assert conflicts == []
    assert project.changes() == []


@pytest.mark.parametrize("answers", [VARIANTS[0], VARIANTS[-1]], ids=name)
def test_what_a_team_adds_below_the_line_survives_other_answers(
    start_project: StartProject, answers: Answers
) -> None:
    project = start_project(**answers)
    shared = [path for path in project.files() if owner(path) == "shared"]
    for path in shared:
        with (project.path / path).open("a", encoding="utf-8") as file:
            file.write("    # the team's own line\n")
    project.commit()

    conflicts = project.update(**opposite(answers))

    assert shared
    assert conflicts == []
    after = project.files()
    stays = [path for path in shared if path in after]
    assert len(stays) > 5
    assert [
        path for path in stays if not after[path].endswith(b"    # the team's own line\n")
    ] == []


@pytest.mark.parametrize("answers", [VARIANTS[0], VARIANTS[-1]], ids=name)
def test_an_unedited_project_with_another_answer_equals_a_fresh_copy(
    start_project: StartProject, render: Render, answers: Answers
) -> None:
    project = start_project(**answers)
    before = merged(project.files())

    conflicts = project.update(**opposite(answers))
    project.commit()

    fresh = merged(read(render, opposite(answers)))
    assert conflicts == []
    assert merged(project.files()) == fresh
    assert before != fresh


RENDER = """
import json, sys
import copier
from sessionproof.updating.compiling import compile_once
compile_once()
for folder in sys.argv[3:]:
    answers = json.loads(sys.argv[2])
    copier.run_copy(sys.argv[1], folder, answers, vcs_ref="HEAD", defaults=True, quiet=True)
"""


@pytest.mark.parametrize("answers", [MANY_VALUES[1], WITH_ENTITIES[0]], ids=["ways in", "entities"])
def test_the_programs_render_what_copier_renders(
    template: Path, tmp_path: Path, answers: Answers
) -> None:
    folders = [tmp_path / "first", tmp_path / "again"]

    run(
        *(sys.executable, "-W", "ignore", "-c", RENDER),
        *(str(template), json.dumps(answers), *map(str, folders)),
        folder=ROOT,
    )

    alone = tmp_path / "alone"
    (tmp_path / "answers.yml").write_text(json.dumps(answers))
    copier = ("copier", "copy", "--quiet", "--defaults", "--data-file", tmp_path / "answers.yml")
    run(*copier, template, alone, folder=tmp_path)
    for folder in folders:
        assert contents(Project(folder)) == contents(Project(alone))


def test_a_deleted_example_stays_deleted(start_project: StartProject) -> None:
    project = start_project()
    sample = [path for path in project.files() if owner(path) == "sample"]
    for path in sample:
        (project.path / path).unlink()
    project.commit()

    conflicts = project.update()

    assert sample
    assert conflicts == []
    assert project.changes() == []
    assert not project.files().keys() & set(sample)


def test_a_teams_own_files_are_not_changed(start_project: StartProject) -> None:
    project = start_project()
    for path in project.files():
        if owner(path) == "yours":
            (project.path / path).write_bytes(b"\xff all new \x00")
    project.commit()
    yours = {path: text for path, text in project.files().items() if owner(path) == "yours"}

    project.update(mode="sync")

    assert yours
    assert yours.items() <= project.files().items()


@pytest.mark.slow
@every_release
def test_an_unedited_project_of_any_release_becomes_a_fresh_copy(
    start_project: StartProject, render: Render, template: Path, version: str
) -> None:
    answers = in_turn(version)
    project = start_project(version, **answers)
    before = project.files()

    conflicts = project.update()
    project.commit()

    after = project.files()
    kept = {path for path in before if owner(path) in {"yours", "sample"}}
    assert conflicts == []
    has_suite = yaml.safe_load(after[".copier-answers.yml"])["contract"]
    assert has_suite is ("contract" not in questions(template, version))
    assert merged(after) == merged(read(render, {**answers, "contract": has_suite}))
    assert {path: after.get(path) for path in kept} == {path: before[path] for path in kept}


@pytest.mark.slow
@with_any_releases_settings
def test_an_updated_project_with_any_releases_settings_passes_its_own_linters_and_tests(
    lint: Lint, render: Render, version: str
) -> None:
    with TemporaryDirectory() as folder:
        rendered = render(version, **in_turn(version))
        project = Project(shutil.copytree(rendered, Path(folder).resolve() / "project"))
        project.commit()
        update_and_tidy(project)

        lint(project.path)
        there = [path for path in NOT_UPDATED if (project.path / path).exists()]
        try:
            run_there("just", "test", *there, project=project.path)
        finally:
            stop_servers(project.path)


def update_and_tidy(project: Project) -> None:
    """Update with plain Copier, then delete the files of the older version that it keeps."""
    project.update()
    project.commit()
    run(*UPDATE, "--no-checks", "--rename", folder=project.path)


def in_turn(version: str) -> Answers:
    """One of the variants, chosen by the release; `just histories` tries them all."""
    return VARIANTS[RELEASES.index(version) % len(VARIANTS)]


def opposite(answers: Answers) -> Answers:
    """The variant that differs from this one in every answer."""
    return VARIANTS[-1 - VARIANTS.index(answers)]


def merged(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files that an update merges, without those that a fresh copy does not have."""
    return {
        path: text
        for path, text in files.items()
        if owner(path) in {"kernel", "shared"} and path not in FOR_UPDATES and not is_old(path)
    }


def read(render: Render, answers: Answers) -> dict[str, bytes]:
    """Every file of a fresh copy."""
    return contents(Project(render(**answers)))
