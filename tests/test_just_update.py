"""`just update`: its refusals and reports, the team's edits, and abandoned updates."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from .conftest import NEWEST, StartProject
from .support.project import Project, append, contents, copy, edit, tree
from .support.release import RELEASES
from .support.repository import ROOT, git, owner
from .support.shell import ENTITY, OWNED, UPDATE, clean_environment, run
from .support.variants import COMBINATIONS, Answers, name

pytestmark = pytest.mark.slow

ANSWERS = ".copier-answers.yml"

with_releases = pytest.mark.skipif(not RELEASES, reason="no release is in this clone's history")


@pytest.fixture
def start_release(start_project: StartProject) -> StartProject:
    """Starts a project of the first release."""
    return partial(start_project, RELEASES[0])


def update(project: Project, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the program like `just update`, but without the project's checks."""
    program = (*UPDATE, "--no-checks")
    return run(*program, *arguments, folder=project.path, status=status)


def report(project: Project, *arguments: str, status: int = 0) -> Any:
    """The JSON output."""
    return json.loads(update(project, "--json", *arguments, status=status).stdout)


def abandon(project: Project, *, status: int = 0) -> subprocess.CompletedProcess[str]:
    return update(project, "--abandon", status=status)


def edit_what_depends_on_the_mode(project: Project) -> None:
    edit(project, "README.md", "async with open_database(", "async with our_database(")
    project.commit()


# Refusals ------------------------------------------------------------------------------


def without_git(project: Project) -> None:
    shutil.rmtree(project.path / ".git")


def without_commits(project: Project) -> None:
    without_git(project)
    git("init", "--quiet", folder=project.path)


def without_answers(project: Project) -> None:
    (project.path / ANSWERS).unlink()
    project.commit()


def without_example(project: Project) -> None:
    with_answer("example: .*", "example: false")(project)


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
        (in_a_merge, "", "a merge, rebase, cherry-pick or revert is unfinished"),
        (
            with_answer("_src_path: .*", "_src_path: ../nowhere"),
            "",
            "is no longer at ../nowhere",
        ),
        (with_answer("_src_path: .*", "_src_path: /no/where"), "", "is no longer at /no/where"),
        (
            with_answer("_src_path: .*", "_src_path: /tmp"),
            "",
            "the template at /tmp cannot be cloned",
        ),
        (with_answer("_src_path: .*\n", ""), "", "does not name the template"),
        (with_answer("_commit: .*", "_commit: [1]"), "", "must have a string as _commit, got [1]"),
        (with_answer("(?s).+", "[]"), "", "is not a mapping of answers"),
        (with_answer("(?s).+", ""), "", "is not a mapping of answers"),
        (with_answer("mode: .*", "<<<<<<< HEAD\nmode: async"), "", "has conflict markers"),
        (with_answer("mode: .*", "mode: [async"), "", "is not YAML"),
        (with_answer("mode: .*", "\tmode: async"), "", "is not YAML"),
        (with_answer("mode: .*", "mode: 2026-13-41"), "", "is not YAML"),
        (
            with_answer("package: .*", "package: {}"),
            "",
            "package in .copier-answers.yml must be a str, got {}",
        ),
        (
            with_answer("http: .*", "http: maybe"),
            "",
            "http in .copier-answers.yml must be a bool, got 'maybe'",
        ),
        (
            with_answer("mode: .*", "mode: both"),
            "-d ci=none",
            "mode in .copier-answers.yml must be one of async, sync",
        ),
        (lambda _: None, "-r v66", "has no version v66; it has v0.1.0,"),
        (lambda _: None, "-r v0.1.0", "v0.1.0 is older than"),
        (lambda _: None, "-d package=other", "package must stay task_queue"),
        (lambda _: None, "-d databse=sqlite", "the template has no question databse"),
        (lambda _: None, "-d database=oracle", "must be one of sqlite, postgresql, got oracle"),
        (lambda _: None, "-d http=flase", "http must be true or false, got flase"),
        (lambda _: None, "-d ours=README.md", "change ours with just owned --take"),
        (without_example, "-d example=true", "only a new project can have the worked example"),
        (
            without_example,
            "-d worker=true",
            "worker must be false: it runs the tasks of the example",
        ),
        (lambda _: None, "-d example=false -d worker=on", "worker must be false: it runs"),
        (lambda _: None, "-d sqlite", "name=value, got sqlite"),
    ],
)
@with_releases
def test_a_refusal_is_one_sentence_and_changes_nothing(
    start_project: StartProject, spoil: Callable[[Project], None], arguments: str, reason: str
) -> None:
    project = start_project()
    spoil(project)
    before = {path: (project.path / path).read_bytes() for path in tree(project.path)}

    refusal = update(project, "--json", *arguments.split(), status=2)

    assert re.fullmatch(rf"refused: [^\n]*{re.escape(reason)}[^\n]*\n", refusal.stderr)
    assert {path: (project.path / path).read_bytes() for path in before} == before
    assert json.loads(refusal.stdout)["status"] == "refused"


def test_an_unexpected_error_is_one_sentence_and_has_its_own_exit_code(
    start_project: StartProject,
) -> None:
    project = start_project()
    broken = """
import sys
from sessionproof.commands.update import main
from sessionproof.updating.merge import Merge
del Merge.run
sys.exit(main(sys.argv[1:]))
"""
    program = (sys.executable, "-c", broken, "-d", "mode=sync")

    told = run(*program, folder=project.path, status=3).stderr
    document = run(*program, "--json", folder=project.path, status=3).stdout
    shown = run(*program, "--debug", folder=project.path, status=3).stderr

    assert re.fullmatch(r"stopped: AttributeError: [^\n]*; nothing was changed\n", told)
    assert json.loads(document)["status"] == "stopped"
    assert "Traceback" in shown
    assert project.changes() == []


def test_an_up_to_date_project_is_not_changed(start_project: StartProject) -> None:
    project = start_project()

    nothing = update(project)

    assert f"The project is up to date with {NEWEST}." in nothing.stdout
    assert project.changes() == []
    assert report(project, "-d", "example=true")["status"] == "current"


# Reports -------------------------------------------------------------------------------


@with_releases
def test_the_changelog_between_two_versions_is_shown(
    start_release: StartProject,
) -> None:
    shown = update(start_release(), "-r", "v0.3.0").stdout

    assert shown.startswith("From v0.1.0 to v0.3.0.\n")
    assert re.findall(r"^## (\S+)", shown, re.MULTILINE) == ["0.3.0", "0.2.0"]
    assert re.findall(r"^### (.*)", shown, re.MULTILINE)[:2] == ["When you update", "Added"]
    assert shown.count("### When you update") == 2


@with_releases
def test_added_changed_and_removed_files_are_reported(start_release: StartProject) -> None:
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

    told = report(project, "--vcs-ref", "HEAD")

    now = git("rev-parse", "--short", "HEAD", folder=untagged).strip()
    assert (told["old"][-len(before) :], told["new"][-len(now) :]) == (before, now)
    assert ".gitignore" in told["changed"]


@with_releases
def test_a_commit_between_two_releases_has_the_name_of_git_describe(
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

    assert "Conflicts: the file has both versions, yours first:\n\n- README.md\n\n" in told
    assert git("diff", "--name-only", "--diff-filter=U", folder=project.path) == "README.md\n"
    assert b"async with our_database(" in project.files()["README.md"]


def test_a_team_that_has_a_file_which_the_template_now_brings_gets_both(
    start_release: StartProject,
) -> None:
    project = start_release()
    (project.path / "AGENTS.md").write_text("# Ours\n\nAsk Ada.\n")
    project.commit()

    told = report(project, status=1)

    assert told["conflicts"] == ["AGENTS.md"]
    merged = (project.path / "AGENTS.md").read_text()
    assert merged.startswith("<<<<<<< before updating\n# Ours\n\nAsk Ada.\n=======\n# Instructions")


def test_the_projects_checks_are_run_and_a_missing_migration_is_named(
    start_project: StartProject,
) -> None:
    project = start_project(mode="sync", ci="none", contract=True)
    edit(
        project,
        "src/task_queue/tasks/model.py",
        "    title: Mapped[str]",
        "    urgent: Mapped[bool]\n    title: Mapped[str]",
    )
    for path in project.path.glob("tests/persistence/test_*.py"):
        if path.stem != "test_migrations":  # this test names it; the others take a minute
            path.unlink()
    project.commit()

    told = run(
        *(*UPDATE, "-d", "description=Another one.", "--json"),
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


def test_a_dry_run_reports_the_same_and_changes_nothing(start_project: StartProject) -> None:
    project = start_project(mode="async")
    edit_what_depends_on_the_mode(project)
    before = {path: (project.path / path).read_bytes() for path in tree(project.path)}

    rehearsed = report(project, "--dry-run", "-d", "mode=sync", status=1)

    assert {path: (project.path / path).read_bytes() for path in tree(project.path)} == before
    done = report(project, "-d", "mode=sync", status=1)
    assert rehearsed == {**done, "dry_run": True}
    assert done["conflicts"] == ["README.md"]


# Edits of the team ---------------------------------------------------------------------


def test_a_file_of_the_teams_that_it_deleted_stays_deleted(start_project: StartProject) -> None:
    project = start_project()
    (project.path / "tests/factories.py").unlink()
    project.commit()

    update(project, "-d", "mode=sync")

    assert "tests/factories.py" not in project.files()


def test_an_edited_file_that_the_template_removed_is_kept(start_project: StartProject) -> None:
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


def test_ignored_files_are_not_overwritten(start_project: StartProject) -> None:
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
        ("core.excludesFile {ignored}", b"ours\n", True),
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
        *(*UPDATE, "--no-checks", "-d", "mode=sync"),
        folder=project.path,
        GIT_CONFIG_GLOBAL=machine,
    )

    after = project.files()["README.md"]
    assert after.endswith(line)
    assert (after != before) is is_merged


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_an_edit_that_git_skips_is_neither_lost_nor_hidden(
    start_project: StartProject, flag: str
) -> None:
    project = start_project(mode="async")
    git("update-index", flag, "README.md", "tests/factories.py", folder=project.path)
    append(project, "README.md", b"only here")
    append(project, "tests/factories.py", b"only here")
    before = everything(project)

    refusal = update(project, "-d", "mode=sync", status=2)

    assert "git skips README.md, which the update changes" in refusal.stderr
    assert everything(project) == before
    git("update-index", f"--no-{flag[2:]}", "README.md", folder=project.path)
    git("checkout", "README.md", folder=project.path)
    update(project, "-d", "mode=sync")
    assert everything(project)["tests/factories.py"] == before["tests/factories.py"]


def test_files_outside_a_sparse_checkout_are_not_changed_silently(
    start_project: StartProject,
) -> None:
    project = start_project(mode="async")
    git("sparse-checkout", "set", "--no-cone", "/*", "!/docs/", folder=project.path)

    refusal = update(project, "-d", "mode=sync", status=2)

    assert "git skips docs/" in refusal.stderr
    assert not (project.path / "docs").exists()
    git("sparse-checkout", "disable", folder=project.path)
    assert report(project, "-d", "mode=sync")["status"] == "updated"


def test_a_link_of_the_teams_is_not_written_through(
    start_project: StartProject, tmp_path: Path
) -> None:
    project = start_project(mode="async")
    outside = tmp_path / "outside.md"
    outside.write_bytes(b"not in the project")
    (project.path / "README.md").unlink()
    (project.path / "README.md").symlink_to(outside)
    shutil.move(project.path / "docs", project.path / "pages")
    (project.path / "docs").symlink_to("pages")
    project.commit()
    before = everything(project)

    told = report(project, "-d", "mode=sync")

    after = everything(project)
    assert told["kept"] == ["README.md", "docs"]
    assert outside.read_bytes() == b"not in the project"
    pages = [path for path in before if path.startswith(("docs", "pages", "README"))]
    assert {path: after[path] for path in pages} == {path: before[path] for path in pages}


def test_files_are_written_as_git_would_check_them_out(start_project: StartProject) -> None:
    project = start_project(mode="async")
    append(project, ".gitattributes", b"*.md eol=crlf\njustfile filter=loud\n")
    git("config", "filter.loud.clean", "sed 's/^#!!/#/'", folder=project.path)
    git("config", "filter.loud.smudge", "sed 's/^#/#!!/'", folder=project.path)
    project.commit()
    git("rm", "--quiet", "--cached", "-r", ".", folder=project.path)
    git("reset", "--quiet", "--hard", folder=project.path)
    readme, justfile = (project.path / name for name in ("README.md", "justfile"))
    justfile.chmod(0o444)
    readme.chmod(0o444)
    assert b"\r\n" in readme.read_bytes()

    update(project, "-d", "mode=sync", "-d", "database=postgresql")

    assert readme.read_bytes().count(b"\n") == readme.read_bytes().count(b"\r\n") > 0
    assert b"\n#!! Stop that server" in justfile.read_bytes()
    changed = git("diff", "--numstat", "README.md", folder=project.path).split()
    assert int(changed[0]) < 200


def test_edits_during_the_question_are_not_overwritten(start_project: StartProject) -> None:
    project = start_project(mode="async")
    program = """
import sys
from sessionproof.commands.update import main
from sessionproof.updating import update
bring = update.bring
def late(*arguments):
    open("README.md", "a").write("meanwhile")
    bring(*arguments)
update.bring = late
sys.exit(main(["--no-checks", "-d", "mode=sync"]))
"""

    refusal = run(sys.executable, "-c", program, folder=project.path, status=2).stderr

    assert "files changed during the update" in refusal
    assert project.changes() == [" M README.md"]


@with_releases
@pytest.mark.parametrize("alone", [False, True], ids=["just update", "copier update"])
def test_a_name_that_is_refused_only_in_new_projects_is_kept(
    start_project: StartProject, alone: bool
) -> None:
    entities = {"kernel_thing": {"name": "text"}}
    project = start_project("v0.8.1", example=False, ci="none", entities=entities)
    model = "src/task_queue/kernel_things/model.py"

    if alone:
        assert project.update() == []
    else:
        assert report(project)["status"] == "updated"
    project.commit()

    assert b"class KernelThing" in project.files()[model]
    assert b"kernel_thing" in project.files()[ANSWERS]
    assert report(project, "-d", "description=Another one.")["conflicts"] == []
    project.commit()
    entity = (*ENTITY, "--no-checks")
    run(*entity, "customer", "name: text", folder=project.path)
    assert b"kernel_things" in project.files()["src/task_queue/unit_of_work.py"]


# Files that a team takes over ----------------------------------------------------------


def rewrite_and_take(project: Project) -> dict[str, bytes]:
    """Rewrite two files that every version changes, and a folder, and take them over."""
    (project.path / "README.md").write_bytes(b"# All ours\n\xff\r\n")
    (project.path / "docs/errors.md").write_bytes(b"ours\n")
    (project.path / "docs/testing.md").unlink()
    project.commit()
    owned(project, "--take", "README.md", "docs")
    project.commit()
    return {path: text for path, text in project.files().items() if is_taken(path)}


def is_taken(path: str) -> bool:
    return path == "README.md" or path.startswith("docs/")


def change_the_template(template: Path, folder: Path) -> Path:
    """A newer version of the template, which changes and deletes files that were taken over."""
    newer = Project(folder / "newer")
    git("clone", "--quiet", str(template), str(newer.path), folder=folder)
    append(newer, "template/README.md.jinja", b"news\n")
    append(newer, "template/justfile.jinja", b"# news\n")
    append(newer, "template/docs/more.md", b"news\n")
    (newer.path / "template/docs/errors.md.jinja").unlink()
    newer.commit()
    git("tag", "v1000.0.0", folder=newer.path)
    return newer.path


@pytest.mark.parametrize("alone", [False, True], ids=["just update", "copier update"])
def test_no_update_touches_what_a_team_has_taken_over(
    start_project: StartProject, template: Path, tmp_path: Path, alone: bool
) -> None:
    project = start_project(mode="async")
    yours = rewrite_and_take(project)
    newer = change_the_template(template, tmp_path)
    with_answer("_src_path: .*", f"_src_path: {newer}")(project)

    if alone:
        assert project.update() == []
    else:
        assert report(project)["taken"] == ["README.md", "docs/more.md"]
    project.commit()
    update(project, "-d", "mode=sync")

    after = project.files()
    assert {path: text for path, text in after.items() if is_taken(path)} == yours
    assert after["justfile"].endswith(b"# news\n")
    assert owned(project, "README.md").stdout == "taken   README.md\n"


def test_files_that_a_team_gives_back_are_merged_again(
    start_project: StartProject, template: Path, tmp_path: Path
) -> None:
    project = start_project(mode="async")
    answers = (project.path / ANSWERS).read_bytes()
    rewrite_and_take(project)

    owned(project, "--give-back", "README.md", "docs")
    project.commit()

    assert (project.path / ANSWERS).read_bytes() == answers
    newer = change_the_template(template, tmp_path)
    with_answer("_src_path: .*", f"_src_path: {newer}")(project)
    assert report(project, status=1)["conflicts"] == ["README.md"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("--take tests/factories.py", "is already yours"),
        ("--take tools/command.py", "cannot be taken over, because updates need it"),
        ("--take .", "cannot be taken over, because updates need it"),
        ("--take nowhere", "did not match any file"),
        ("--give-back README.md", "is not taken over; you have taken over nothing"),
    ],
)
def test_files_that_cannot_be_taken_over_are_refused(
    start_project: StartProject, arguments: str, reason: str
) -> None:
    project = start_project()

    refusal = owned(project, *arguments.split(), status=2)

    assert reason in refusal.stderr
    assert len(refusal.stderr.splitlines()) == 1
    assert project.changes() == []


def test_just_owned_names_unreadable_answers_too(start_project: StartProject) -> None:
    project = start_project()
    append(project, ANSWERS, b"<<<<<<< HEAD\n")

    assert "has conflict markers" in owned(project, status=2).stderr


# Abandoned updates ---------------------------------------------------------------------


def test_an_abandoned_update_restores_the_files_and_loses_nothing(
    start_project: StartProject,
) -> None:
    project = start_project(mode="async")
    edit_what_depends_on_the_mode(project)
    before = contents(project)
    update(project, "-d", "mode=sync", status=1)
    append(project, "README.md", b"written since\n")
    append(project, "new.txt", b"new since\n")

    said = abandon(project).stdout

    assert "the files are as they were before the update" in said
    assert contents(project) == before
    assert project.changes() == []
    stash = ["stash", "show", "--patch"]
    assert "+written since" in git(*stash, folder=project.path)
    assert "+new since" in git(*stash, folder=project.path)
    assert "there is no uncommitted update" in abandon(project, status=2).stderr


def test_a_committed_update_is_not_abandoned(start_project: StartProject) -> None:
    project = start_project(mode="async")
    update(project, "-d", "mode=sync")
    waiting = update(project, status=2).stderr
    project.commit()
    append(project, "new.txt", b"new since\n")

    refusal = abandon(project, status=2).stderr

    assert f"with {NEWEST}, is not committed yet" in waiting
    assert "there is no uncommitted update" in refusal
    assert "must be committed" in update(project, status=2).stderr
    assert (project.path / "new.txt").exists()


# Ignored and other untracked files: the path, its text, and the rule.
IGNORED = {
    ".env": b"DATABASE_URL=secret",
    "task_queue.db": b"rows",
    ".venv/bin/python": b"#!",
    "data/rows.sqlite": b"by a line of the team's",
    "ours/a.key": b"by a .gitignore in a folder",
    "private.txt": b"by .git/info/exclude",
    "a.secret": b"by the machine's core.excludesFile",
    "compose.yaml": b"ignored, where the template renders a file",
    "M\u00fcll [x]*.log": b"\xff\x00\r\n",
}


Tree = dict[str, tuple[int, bytes]]


def ignore(project: Project, machine: Path) -> Tree:
    """Let git ignore files in every possible way, and return all files."""
    append(project, ".gitignore", b"data/\ncompose.yaml\n*.log\n")
    (project.path / "ours").mkdir()
    append(project, "ours/.gitignore", b"*.key\n")
    project.commit()
    append(project, ".git/info/exclude", b"private.txt\n")
    (machine.parent / "ignored").write_text("*.secret\n")
    git(
        "config",
        "--file",
        str(machine),
        "core.excludesFile",
        f"{machine.parent}/ignored",
        folder=ROOT,
    )
    for path, text in IGNORED.items():
        (project.path / path).parent.mkdir(parents=True, exist_ok=True)
        append(project, path, text)
    (project.path / ".venv/bin/python").chmod(0o755)
    (project.path / ".venv/lib").symlink_to("nowhere")
    (project.path / "data/empty").mkdir()
    return everything(project)


def everything(project: Project) -> Tree:
    """Every file, link and folder with its mode, without those of git and Python."""
    found: Tree = {}
    for path in sorted(project.path.rglob("*")):
        name = path.relative_to(project.path).as_posix()
        if name.partition("/")[0] != ".git" and "__pycache__" not in name:
            text = b"" if path.is_dir() else (path.read_bytes() if path.is_file() else b"link")
            found[name] = (path.lstat().st_mode, text)
    return found


def interrupted(project: Project, step: int, how: signal.Signals, machine: Path) -> int:
    """Stop an update before that step. If it ends earlier, return its number of steps."""
    count = machine.with_name("count")
    count.unlink(missing_ok=True)
    subprocess.run(
        [sys.executable, INTERRUPTIONS, str(step), str(how.value), count, "update", *TO_POSTGRESQL],
        cwd=project.path,
        env=clean_environment() | {"GIT_CONFIG_GLOBAL": str(machine)},
        capture_output=True,
        check=False,
    )
    return int(count.read_text()) if count.exists() else 0


def by_the_command(project: Project, machine: Path) -> None:
    """Run `just update-abandon`, and check that no update is left."""
    told = subprocess.run(
        [*UPDATE, "--abandon"],
        cwd=project.path,
        env=clean_environment() | {"GIT_CONFIG_GLOBAL": str(machine)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert told.returncode == 0 or "there is no uncommitted update" in told.stderr, told.stderr


def by_hand(project: Project, machine: Path) -> None:
    """Undo the update with git, like people who do not know the command."""
    for words in ("add --all", "stash push --include-untracked", "stash clear"):
        git(
            "-c", f"core.excludesFile={machine.parent}/ignored", *words.split(), folder=project.path
        )


INTERRUPTIONS = ROOT / "tests/support/stop_at_step.py"
TO_POSTGRESQL = ("--no-checks", "-d", "database=postgresql", "-d", "mode=sync")
# The number of steps that are tried, of each kind; SAMPLED_STEPS=0 in the environment tries all.
SAMPLE = int(os.environ.get("SAMPLED_STEPS", "2"))
SIGNALS = (signal.SIGKILL, signal.SIGINT, signal.SIGTERM)  # by turns


@pytest.mark.parametrize("undo", [by_the_command, by_hand])
def test_an_update_stopped_at_any_step_has_not_changed_ignored_files(
    start_project: StartProject, tmp_path: Path, undo: Callable[[Project, Path], None]
) -> None:
    machine = tmp_path / "gitconfig"
    project = start_project(database="sqlite", mode="async")
    before = ignore(project, machine)
    pristine = Project(Path(shutil.copytree(project.path, tmp_path / "pristine", symlinks=True)))
    steps = interrupted(project, 0, signal.SIGKILL, machine)
    done = everything(project)
    undo(project, machine)
    undone = everything(project)

    assert steps > 100
    assert undone == before
    assert {path: done[path] for path in before if path in ignored(before)} == ignored(before)
    for step, how in zip(sampled(steps), cycle(SIGNALS)):
        shutil.rmtree(project.path)
        shutil.copytree(pristine.path, project.path, symlinks=True)
        interrupted(project, step, how, machine)
        stopped = everything(project)
        undo(project, machine)
        assert ignored(before).items() <= stopped.items(), f"{how.name} before step {step}"
        assert everything(project) == before, f"undone after {how.name} before step {step}"


def ignored(tree: Tree) -> Tree:
    """The ignored files, and the other contents of their folders."""
    return {
        path: state
        for path, state in tree.items()
        if path in IGNORED or path.startswith((".venv/", "data"))
    }


def sampled(steps: int) -> list[int]:
    """A sample of steps. Half of them are in the last third, when the project changes."""
    if not SAMPLE:
        return [*range(1, steps + 1)]
    early, late = range(1, steps), range(steps - steps // 3, steps + 1)
    return sorted({*early[:: len(early) // SAMPLE + 1], *late[:: len(late) // SAMPLE + 1], steps})


# Owners of files -----------------------------------------------------------------------


@pytest.mark.parametrize("answers", COMBINATIONS[::5], ids=name)  # every value of every question
def test_owned_lists_the_owner_of_every_file_of_every_variant(
    start_project: StartProject, answers: Answers
) -> None:
    project = start_project(**answers)
    append(project, "src/task_queue/ours.py", b"")
    project.commit()

    said = owned(project, "--json").stdout

    known = {path: owner(path) for path in project.files()} | {"src/task_queue/ours.py": "yours"}
    assert json.loads(said) == known


def test_owned_lists_some_files(start_project: StartProject) -> None:
    project = start_project()

    said = owned(project, "tests/conftest.py", "tests/factories.py", "src/task_queue/py.typed")

    assert said.stdout.splitlines() == [
        "yours   tests/factories.py",
        "shared  tests/conftest.py",
        "kernel  src/task_queue/py.typed",
    ]
    assert "nowhere' did not match any file" in owned(project, "nowhere", status=2).stderr


def owned(project: Project, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    return run(*OWNED, *arguments, folder=project.path, status=status)
