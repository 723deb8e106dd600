"""`just update`: what it refuses, shows, keeps and reports, and how it is abandoned."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from .conftest import NEWEST, StartProject
from .project import Project, append, contents, copy, edit, tree
from .release import RELEASES
from .repository import ROOT, git, owner
from .shell import clean_environment, run
from .variants import COMBINATIONS, Answers, name

pytestmark = pytest.mark.slow

ANSWERS = ".copier-answers.yml"
UPDATE = ROOT / "template/tools/update.py"

with_releases = pytest.mark.skipif(not RELEASES, reason="no release is in this clone's history")


@pytest.fixture
def start_release(start_project: StartProject) -> StartProject:
    """Starts a project of the first release."""
    return partial(start_project, RELEASES[0])


def update(project: Project, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the program as `just update` does, but for the project's checks."""
    program = (sys.executable, UPDATE, "--no-checks")
    return run(*program, *arguments, folder=project.path, status=status)


def report(project: Project, *arguments: str, status: int = 0) -> Any:
    """What it says to programs."""
    return json.loads(update(project, "--json", *arguments, status=status).stdout)


def abandon(project: Project, *, status: int = 0) -> subprocess.CompletedProcess[str]:
    return update(project, "--abandon", status=status)


def edit_what_depends_on_the_mode(project: Project) -> None:
    edit(project, "README.md", "async def named(", "async def called(")
    project.commit()


# What it refuses -----------------------------------------------------------------------


def without_git(project: Project) -> None:
    shutil.rmtree(project.path / ".git")


def without_commits(project: Project) -> None:
    without_git(project)
    git("init", "--quiet", folder=project.path)


def without_answers(project: Project) -> None:
    (project.path / ANSWERS).unlink()
    project.commit()


def in_a_merge(project: Project) -> None:
    (project.path / ".git/MERGE_HEAD").write_text(git("rev-parse", "HEAD", folder=project.path))


def with_answer(pattern: str, answer: str) -> Callable[[Project], None]:
    def spoil(project: Project) -> None:
        text = (project.path / ANSWERS).read_text(encoding="utf-8")
        assert re.search(pattern, text)
        (project.path / ANSWERS).write_text(re.sub(pattern, answer, text), encoding="utf-8")
        project.commit()

    return spoil


@pytest.mark.parametrize(
    ("spoil", "arguments", "reason"),
    [
        (lambda project: append(project, "README.md", b"x"), "", "must be committed"),
        (lambda project: append(project, "new.txt", b"x"), "", "must be committed"),
        (without_git, "", "is not in a git repository"),
        (without_commits, "", "nothing is committed yet"),
        (without_answers, "", f"has no {ANSWERS}"),
        (in_a_merge, "", "a merge or a rebase is not finished"),
        (with_answer("_src_path: .*", "_src_path: ../template"), "", "relative to a folder"),
        (with_answer("_src_path: .*", "_src_path: /no/where"), "", "cannot be reached"),
        (with_answer("_commit: .*", "_commit: v55"), "", "has no version v55; it has v0.1.0,"),
        (with_answer("_commit: .*\n", ""), "", "must name the template and its version"),
        (with_answer("mode: .*", "mode: both"), "-d ci=none", "Invalid choice"),
        (lambda _: None, "-r v66", "has no version v66; it has v0.1.0,"),
        (lambda _: None, "-r v0.1.0", "v0.1.0 is older than"),
        (lambda _: None, "-d package=other", "the package is task_queue for life"),
        (lambda _: None, "-d databse=sqlite", "databse is not a question"),
        (lambda _: None, "-d sqlite", "name=value, got sqlite"),
    ],
)
@with_releases
def test_refuses_in_one_sentence_and_changes_nothing(
    start_project: StartProject, spoil: Callable[[Project], None], arguments: str, reason: str
) -> None:
    project = start_project()
    spoil(project)
    before = {path: (project.path / path).read_bytes() for path in tree(project.path)}

    refusal = update(project, *arguments.split(), status=2)

    assert refusal.stdout == ""
    assert re.fullmatch(rf"refused: [^\n]*{re.escape(reason)}[^\n]*\n", refusal.stderr)
    assert {path: (project.path / path).read_bytes() for path in before} == before
    assert report(project, *arguments.split(), status=2)["status"] == "refused"


def test_nothing_new_is_said_and_done(start_project: StartProject) -> None:
    project = start_project()

    nothing = update(project)

    assert f"The project is at {NEWEST}; there is nothing new." in nothing.stdout
    assert project.changes() == []
    assert report(project, "-d", "example=true")["status"] == "current"


# What it shows and reports -------------------------------------------------------------


@with_releases
def test_shows_the_changelog_between_two_versions_what_it_asks_for_first(
    start_release: StartProject,
) -> None:
    shown = update(start_release(), "-r", "v0.3.0").stdout

    assert shown.startswith("From v0.1.0 to v0.3.0.\n")
    assert re.findall(r"^## (\S+)", shown, re.MULTILINE) == ["0.3.0", "0.2.0"]
    assert re.findall(r"^### (.*)", shown, re.MULTILINE)[:2] == ["When you update", "Added"]
    assert shown.count("### When you update") == 2


@with_releases
def test_reports_what_came_and_what_is_followed_no_longer(start_release: StartProject) -> None:
    project = start_release()
    before = project.files()
    git("rm", "--quiet", "README.md", folder=project.path)
    git("mv", "justfile", "Justfile", folder=project.path)
    project.commit()

    told = report(project)

    after = project.files()
    in_both = before.keys() & after.keys()
    assert (told["status"], told["old"], told["new"]) == ("updated", "v0.1.0", NEWEST)
    assert told["added"] == sorted(after.keys() - before.keys() - {"Justfile"})
    assert told["changed"] == sorted(path for path in in_both if before[path] != after[path])
    assert told["not_followed"] == ["README.md", "justfile"]
    assert told["conflicts"] == told["kept"] == told["deleted"] == []


def test_a_template_without_tags_is_followed_by_its_commits(template: Path, tmp_path: Path) -> None:
    untagged = tmp_path / "template"
    git("clone", "--quiet", "--no-tags", str(template), str(untagged), folder=tmp_path)
    project = Project(copy(untagged, tmp_path / "project", {}))
    project.commit()
    before = git("rev-parse", "--short", "HEAD", folder=untagged).strip()
    append(Project(untagged), "template/.gitignore", b"new/\n")
    Project(untagged).commit()

    told = report(project)

    now = git("rev-parse", "--short", "HEAD", folder=untagged).strip()
    assert (told["old"], told["new"]) == (before, now)
    assert ".gitignore" in told["changed"]


@with_releases
def test_a_commit_between_two_releases_is_called_as_git_describes_it(
    start_release: StartProject, template: Path
) -> None:
    project = start_release()
    between = git("describe", "--tags", "v0.2.0~1", folder=template).strip()

    told = report(project, "-r", "v0.2.0~1")
    project.commit()

    assert told["new"] == between
    assert between.startswith("v0.1.0-")
    assert report(project)["old"] == between


def test_conflicts_are_listed_and_fail(start_project: StartProject) -> None:
    project = start_project(mode="async")
    edit_what_depends_on_the_mode(project)

    told = update(project, "-d", "mode=sync", status=1).stdout

    assert "Conflicts, with both sides in the file, yours first:\n\n- README.md\n\n" in told
    assert git("diff", "--name-only", "--diff-filter=U", folder=project.path) == "README.md\n"
    assert b"async def called(" in project.files()["README.md"]


def test_the_projects_checks_are_run_and_a_missing_migration_is_named(
    start_project: StartProject,
) -> None:
    project = start_project(mode="sync", ci="none")
    edit(
        project,
        "src/task_queue/tasks/model.py",
        "    title: Mapped[str]",
        "    urgent: Mapped[bool]\n    title: Mapped[str]",
    )
    project.commit()

    told = run(
        sys.executable,
        UPDATE,
        *("-d", "description=Another one.", "--json"),
        folder=project.path,
        status=1,
        UV_PROJECT_ENVIRONMENT=sys.prefix,
        UV_NO_SYNC="1",
        PYTHONPATH="src",
    ).stdout

    checks = {check["name"]: check["passed"] for check in json.loads(told)["checks"]}
    assert checks == {"just lint": True, "the contract suite": False}
    assert json.loads(told)["migration_needed"] is True
    assert json.loads(told)["status"] == "failed"


def test_a_rehearsal_says_the_same_and_changes_nothing(start_project: StartProject) -> None:
    project = start_project(mode="async")
    edit_what_depends_on_the_mode(project)
    before = {path: (project.path / path).read_bytes() for path in tree(project.path)}

    rehearsed = report(project, "--dry-run", "-d", "mode=sync", status=1)

    assert {path: (project.path / path).read_bytes() for path in tree(project.path)} == before
    done = report(project, "-d", "mode=sync", status=1)
    assert rehearsed == {**done, "dry_run": True}
    assert done["conflicts"] == ["README.md"]


# What it keeps -------------------------------------------------------------------------


def test_a_file_of_the_teams_that_it_deleted_stays_deleted(start_project: StartProject) -> None:
    project = start_project()
    (project.path / "tests/factories.py").unlink()
    project.commit()

    update(project, "-d", "mode=sync")

    assert "tests/factories.py" not in project.files()


def test_a_file_that_goes_is_kept_where_it_was_edited(start_project: StartProject) -> None:
    project = start_project(database="postgresql", ci="github")
    append(project, "compose.yaml", b"# ours\n")
    edit(project, ".github/workflows/postgresql.yml", "    branches: [main, master]\n", "")
    project.commit()
    edited = project.files()

    told = report(project, "-d", "database=sqlite", "-d", "ci=none")

    after = project.files()
    kept = [".github/workflows/postgresql.yml", "compose.yaml"]
    assert told["kept"] == kept
    assert [after[path] for path in kept] == [edited[path] for path in kept]
    assert ".github/workflows/ci.yml" in told["deleted"]
    assert not after.keys() & set(told["deleted"])


def test_what_git_ignores_is_not_written_over(start_project: StartProject) -> None:
    project = start_project(database="sqlite")
    append(project, ".gitignore", b"compose.yaml\n")
    project.commit()
    append(project, "compose.yaml", b"ours, and in no commit")

    told = report(project, "-d", "database=postgresql")

    assert told["kept"] == ["compose.yaml"]
    assert (project.path / "compose.yaml").read_bytes() == b"ours, and in no commit"


@pytest.mark.parametrize("place", ["compose.yaml/ours.txt", "tests/kit/proxy.py/ours.txt"])
def test_a_folder_of_the_teams_may_be_where_a_file_should_come(
    start_project: StartProject, place: str
) -> None:
    project = start_project(database="sqlite")
    (project.path / place).parent.mkdir()
    append(project, place, b"ours")
    project.commit()

    told = report(project, "-d", "database=postgresql")

    assert told["kept"] == [str(Path(place).parent)]
    assert (project.path / place).read_bytes() == b"ours"


def test_a_file_of_the_teams_may_be_where_a_folder_should_come(
    start_project: StartProject,
) -> None:
    project = start_project(ci="none")
    append(project, ".github", b"ours")
    project.commit()

    told = report(project, "-d", "ci=github")

    assert told["kept"] == [".github"]
    assert (project.path / ".github").read_bytes() == b"ours"


@pytest.mark.parametrize(
    ("setting", "line", "is_merged"),
    [
        ("core.excludesFile {ignored}", b"ours\n", False),
        ("apply.whitespace fix", b"ours, with space at its end  \n", True),
        ("apply.whitespace error-all", b"ours, with space at its end  \n", True),
        ("diff.noprefix true", b"ours\n", True),
        ("diff.noprefix false", b"caf\xe9, in an old encoding\n", False),
    ],
)
def test_no_line_is_lost_by_the_machines_git_or_by_its_encoding(
    start_project: StartProject, tmp_path: Path, setting: str, line: bytes, is_merged: bool
) -> None:
    project = start_project(mode="async")
    append(project, "README.md", line)
    project.commit()
    before = project.files()["README.md"]
    ignored = tmp_path / "ignored"
    ignored.write_text("README.md\n")
    machine = tmp_path / "gitconfig"
    settings = setting.format(ignored=ignored).split()
    git("config", "--file", str(machine), *settings, folder=tmp_path)

    run(
        *(sys.executable, UPDATE, "--no-checks", "-d", "mode=sync"),
        folder=project.path,
        GIT_CONFIG_GLOBAL=machine,
    )

    after = project.files()["README.md"]
    assert after.endswith(line)
    assert (after != before) is is_merged


# How it is abandoned -------------------------------------------------------------------


def test_abandoned_the_tree_is_as_it_was_and_nothing_is_lost(start_project: StartProject) -> None:
    project = start_project(mode="async")
    edit_what_depends_on_the_mode(project)
    before = contents(project)
    update(project, "-d", "mode=sync", status=1)
    append(project, "README.md", b"written since\n")
    append(project, "new.txt", b"new since\n")

    said = abandon(project).stdout

    assert "the tree is as it was before the update" in said
    assert contents(project) == before
    assert project.changes() == []
    stash = ["stash", "show", "--patch"]
    assert "+written since" in git(*stash, folder=project.path)
    assert "+new since" in git(*stash, folder=project.path)
    assert "no update is under way" in abandon(project, status=2).stderr


def test_an_update_that_is_committed_is_not_abandoned(start_project: StartProject) -> None:
    project = start_project(mode="async")
    update(project, "-d", "mode=sync")
    waiting = update(project, status=2).stderr
    project.commit()
    append(project, "new.txt", b"new since\n")

    refusal = abandon(project, status=2).stderr

    assert f"the update to {NEWEST} waits to be committed" in waiting
    assert "no update is under way" in refusal
    assert "must be committed" in update(project, status=2).stderr
    assert (project.path / "new.txt").exists()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=lambda how: how.name)
def test_stopped_in_the_middle_it_says_so_and_can_be_abandoned(
    start_project: StartProject, how: signal.Signals
) -> None:
    project = start_project(mode="async")
    before = contents(project)
    process = subprocess.Popen(
        [sys.executable, UPDATE, "--no-checks", "-d", "mode=sync"],
        cwd=project.path,
        env=clean_environment(),
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        encoding="utf-8",
        start_new_session=True,
    )
    readme = project.path / "README.md"
    while process.poll() is None and readme.read_bytes() == before["README.md"]:
        time.sleep(0.01)
    assert process.poll() is None, process.communicate()
    os.killpg(process.pid, how)
    _, said = process.communicate()

    refusal = update(project, status=2).stderr
    abandon(project)

    assert process.returncode == (1 if how == signal.SIGINT else -signal.SIGKILL)
    assert how == signal.SIGKILL or "just update-abandon undoes it" in said
    assert f"the update to {NEWEST} was stopped before its end" in refusal
    assert contents(project) == before


# Who owns what -------------------------------------------------------------------------


@pytest.mark.parametrize("answers", COMBINATIONS, ids=name)
def test_owned_says_the_class_of_every_file_of_every_variant(
    start_project: StartProject, answers: Answers
) -> None:
    project = start_project(**answers)
    append(project, "src/task_queue/ours.py", b"")
    project.commit()

    said = owned(project, "--json").stdout

    known = {path: owner(path) for path in project.files()} | {"src/task_queue/ours.py": "yours"}
    assert json.loads(said) == known


def test_owned_says_it_of_some_files_in_words(start_project: StartProject) -> None:
    project = start_project()

    said = owned(project, "tests/conftest.py", "tests/factories.py", "src/task_queue/py.typed")

    assert said.stdout.splitlines() == [
        "yours   tests/factories.py",
        "shared  tests/conftest.py",
        "kernel  src/task_queue/py.typed",
    ]
    assert "nowhere' did not match any file" in owned(project, "nowhere", status=2).stderr


def owned(project: Project, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, "tools/owned.py", *arguments, folder=project.path, status=status)
