"""The scheduled CI jobs that propose an update: their steps, run against local git repositories."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from .conftest import StartProject
from .support.project import Project, append
from .support.repository import git
from .support.shell import SESSIONPROOF, run
from .test_just_update import edit_what_depends_on_the_mode

# A replacement for GitHub's client: it records its arguments, and opens one pull request.
GH = """#!/bin/sh
echo "$*" >> "$GH_SAYS"
case "$*" in "pr create "*) test ! -e "$GH_SAYS.open" || exit 1; : > "$GH_SAYS.open" ;; esac
"""
# A replacement for uv: the command is already installed, and the project's checks take minutes.
UV = f"""#!/bin/sh
test "$1 $2 $3" = "run --script tools/command.py" || exit 99
shift 3
test "$1" != update || set -- "$@" --no-checks --data mode=sync
exec {sys.executable} -m sessionproof "$@"
"""


@dataclass(frozen=True)
class Service:
    """A simulated git host: a bare repository, and a folder in which it runs jobs."""

    folder: Path
    environment: dict[str, str]

    @property
    def origin(self) -> str:
        return str(self.folder / "origin.git")

    def run(self, steps: list[str], *, status: int = 0) -> str:
        """Run each step in a new shell, in a new checkout of the main branch.

        The last step must end with this status.
        """
        checkout = self.folder / f"checkout{len(list(self.folder.iterdir()))}"
        git("clone", "--quiet", self.origin, str(checkout), folder=self.folder)
        environment = {**self.environment, "GITHUB_SHA": self.head("main")}
        settings = [f"{key}={value}" for key, value in environment.items()]
        bash = ["env", *settings, "bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c"]
        last = len(steps) - 1
        results = [
            run(*bash, step, folder=checkout, status=status if number == last else 0)
            for number, step in enumerate(steps)
        ]
        return "".join(result.stdout + result.stderr for result in results)

    def head(self, branch: str) -> str:
        """The newest commit of a branch, or an empty text if there is no such branch."""
        listed = git("ls-remote", self.origin, f"refs/heads/{branch}", folder=self.folder)
        return listed.partition("\t")[0]

    def proposed(self, *what: str) -> str:
        """Run `git show` for the proposed branch."""
        return git("show", *what, folder=Path(self.origin))

    def commit_to_the_branch(self) -> str:
        """Commit to the proposed branch, like a person who resolves a conflict."""
        clone = Project(self.folder / "somebody")
        git("clone", "--quiet", "-b", BRANCH, self.origin, str(clone.path), folder=self.folder)
        (clone.path / "resolved.txt").write_text("by hand")
        clone.commit()
        git("push", "--quiet", folder=clone.path)
        return self.head(BRANCH)


pytestmark = pytest.mark.slow

BRANCH = "template-update"
URL = "https://oauth2:secret@gitlab.example.org/team/project.git"

Serve = Callable[[Project], Service]


@pytest.fixture
def serve(tmp_path: Path) -> Serve:
    """Creates a service with a project."""

    def serve(project: Project) -> Service:
        origin = tmp_path / "service/origin.git"
        git("clone", "--quiet", "--bare", str(project.path), str(origin), folder=tmp_path)
        git("config", "receive.advertisePushOptions", "true", folder=origin)
        (origin / "hooks").mkdir(exist_ok=True)
        hook = origin / "hooks/pre-receive"
        hook.write_text('#!/bin/sh\nenv | grep "^GIT_PUSH_OPTION_[0-9]" | sort > options\nexit 0\n')
        programs = tmp_path / "programs"
        programs.mkdir()
        (programs / "gh").write_text(GH)
        (programs / "uv").write_text(UV)
        for program in (hook, programs / "gh", programs / "uv"):
            program.chmod(0o755)
        environment = {
            "PATH": f"{programs}:/usr/bin:/bin",
            "RUNNER_TEMP": str(tmp_path),
            "GH_SAYS": str(tmp_path / "gh"),
            "CI_SERVER_HOST": "gitlab.example.org",
            "CI_PROJECT_PATH": "team/project",
            "CI_DEFAULT_BRANCH": "main",
            "TEMPLATE_TOKEN": "secret",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"url.{origin}.insteadOf",
            "GIT_CONFIG_VALUE_0": URL,
        }
        return Service(tmp_path / "service", environment)

    return serve


def steps(project: Project, ci: str) -> list[str]:
    """The commands of the job. On GitHub, each step has its own shell."""
    if ci == "gitlab":
        jobs = yaml.safe_load((project.path / ".gitlab-ci.yml").read_text(encoding="utf-8"))
        return ["\n".join(jobs["update"]["script"])]
    workflow = (project.path / ".github/workflows/update.yml").read_text(encoding="utf-8")
    named = [step for step in yaml.safe_load(workflow)["jobs"]["update"]["steps"] if "name" in step]
    return [step["run"] for step in named]


every_service = pytest.mark.parametrize("ci", ["github", "gitlab"])


@every_service
def test_an_update_is_proposed_once(start_project: StartProject, serve: Serve, ci: str) -> None:
    project = start_project(ci=ci)
    service = serve(project)

    service.run(steps(project, ci))
    proposed = service.head(BRANCH)
    again = service.run(steps(project, ci))

    assert service.proposed("--no-patch", "--format=%s", proposed) == "Update from the template\n"
    assert "- README.md" in service.proposed("--no-patch", "--format=%b", proposed)
    assert "mode: sync" in service.proposed(f"{proposed}:.copier-answers.yml")
    assert service.head(BRANCH) == proposed
    assert "already has this update" in again
    assert "secret" not in again


def test_a_hook_that_proposes_does_so_for_this_checkout(
    start_project: StartProject, serve: Serve, tmp_path: Path
) -> None:
    project = start_project()
    service = serve(project)
    hook = Project(tmp_path / "hook")
    git("init", "--quiet", str(hook.path), folder=tmp_path)
    (project.path / "new.txt").write_text("what an update brings")

    run(
        *(*SESSIONPROOF, "propose", service.origin, "/dev/null"),
        folder=project.path,
        GIT_DIR=hook.path / ".git",
        GIT_WORK_TREE=hook.path,
        GIT_INDEX_FILE=hook.path / ".git/index",
    )

    assert service.proposed(f"{BRANCH}:new.txt") == "what an update brings"
    assert hook.changes() == []


def test_github_is_asked_for_one_pull_request(start_project: StartProject, serve: Serve) -> None:
    project = start_project(ci="github")
    service = serve(project)
    says = Path(service.environment["GH_SAYS"])
    text = f"--title Update from the template --body-file {service.environment['RUNNER_TEMP']}"

    service.run(steps(project, "github"))
    first = says.read_text().splitlines()
    (project.path / "new.txt").write_text("a change of the main branch")
    project.commit()
    git("push", "--quiet", service.origin, "HEAD:main", folder=project.path)
    service.run(steps(project, "github"))
    second = says.read_text().splitlines()[len(first) :]

    assert first == ["auth setup-git", f"pr create --head {BRANCH} {text}/body.md"]
    assert second == [*first, f"pr edit {BRANCH} {text}/body.md"]
    assert service.proposed(f"{BRANCH}:new.txt")
    body = (Path(service.environment["RUNNER_TEMP"]) / "body.md").read_text()
    assert "Changed:\n\n- .copier-answers.yml\n" in body


def test_gitlab_is_asked_for_a_merge_request(start_project: StartProject, serve: Serve) -> None:
    project = start_project(ci="gitlab")
    service = serve(project)

    service.run(steps(project, "gitlab"))

    options = (Path(service.origin) / "options").read_text().splitlines()
    assert [option.partition("=")[2] for option in options] == [
        "merge_request.create",
        "merge_request.target=main",
        "merge_request.title=Update from the template",
    ]


@every_service
def test_conflicts_are_committed_and_named_in_the_title(
    start_project: StartProject, serve: Serve, ci: str
) -> None:
    project = start_project(ci=ci)
    edit_what_depends_on_the_mode(project)
    service = serve(project)

    service.run(steps(project, ci))

    subject = service.proposed("--no-patch", "--format=%s", BRANCH)
    assert subject == "Conflicts, do not merge: update from the template\n"
    assert "\n<<<<<<< before updating\n" in service.proposed(f"{BRANCH}:README.md")


@every_service
def test_a_branch_with_commits_of_others_is_not_changed(
    start_project: StartProject, serve: Serve, ci: str
) -> None:
    project = start_project(ci=ci)
    service = serve(project)
    service.run(steps(project, ci))
    theirs = service.commit_to_the_branch()

    said = service.run(steps(project, ci))

    assert "has commits of other authors" in said
    assert service.head(BRANCH) == theirs


@every_service
def test_nothing_is_proposed_without_changes(
    start_project: StartProject, serve: Serve, ci: str
) -> None:
    project = start_project(ci=ci, mode="sync")
    service = serve(project)

    said = service.run(steps(project, ci))

    assert "there is nothing new" in said
    assert service.head(BRANCH) == ""


@pytest.mark.parametrize(
    ("ci", "path", "text", "said"),
    [
        ("github", ".copier-answers.yml", b"<<<<<<< ours\n", "has conflict markers"),
        ("gitlab", ".copier-answers.yml", b"\tx: [\n", "is not YAML"),
    ],
)
def test_an_unexpected_error_makes_the_job_fail(
    start_project: StartProject, serve: Serve, ci: str, path: str, text: bytes, said: str
) -> None:
    project = start_project(ci=ci)
    append(project, path, text)
    project.commit()
    service = serve(project)
    first, *_ = steps(project, ci)

    output = service.run([first], status=1)

    assert said in output
    assert "nothing new" not in output
    assert service.head(BRANCH) == ""


def test_the_scheduled_pipeline_of_gitlab_only_updates(
    start_project: StartProject,
) -> None:
    project = start_project(ci="gitlab", database="postgresql")
    jobs = yaml.safe_load((project.path / ".gitlab-ci.yml").read_text(encoding="utf-8"))

    others = {name: job for name, job in jobs.items() if "script" in job and name != "update"}
    assert {job["extends"] for job in others.values()} == {".not-in-updates"}
    assert {"check", "prove", "audit"} < others.keys()
    assert "$TEMPLATE_UPDATE" in jobs[".not-in-updates"]["rules"][0]["if"]
    assert jobs["update"]["rules"] == [
        {"if": '$CI_PIPELINE_SOURCE == "schedule" && $TEMPLATE_UPDATE'}
    ]
