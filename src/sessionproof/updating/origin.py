"""Find the template of a project, and the commit that the project was generated from.

A project records both, as `_src_path` and `_commit`. But templates move, paths are relative, history
is rewritten, and a commit may have existed in one clone only.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import yaml

from .project import ANSWERS, Answers, Project, Refusal, blob
from .template import Rendering, Template, Unknown, Version, cloned, is_url

ANOTHER = "just update --source <its URL or path>"
ALIKE = 20  # the fewest unchanged files that identify a project's template
TIES = 8  # how many equally similar commits are rendered to choose one
VERSION_LINE = re.compile(rb"^TEMPLATE_VERSION = .*$", re.MULTILINE)
SOURCE_LINE = re.compile(r"^_src_path:.*\n(?:[ ].*\n)*", re.MULTILINE)

Say = Callable[[str], object]


@contextmanager
def followed(
    project: Project, answers: Answers, say: Say, *, near: Path, source: str | None = None
) -> Iterator[tuple[Template, Version]]:
    """Yield the template and the version of it that the project has.

    A relative path of the template is resolved from the folder `near`. `source` replaces the place
    that the project records. Calls `say` with a sentence if the recorded place or version is wrong.
    """
    recorded = str(answers["_src_path"])
    place = named(source) if source else _found(recorded, near, say)
    with cloned(place, remembered=place if source else recorded) as template:
        yield template, _version(template, project, answers, say)


def named(source: str) -> str:
    return source if is_url(source) else str(Path(source).expanduser().resolve())


def _found(source: str, near: Path, say: Say) -> str:
    """Return the template's URL or absolute path."""
    if not source:
        raise Refusal(f"{ANSWERS} does not name the template; name it: {ANOTHER}")
    if is_url(source):
        return source
    path = Path(source).expanduser()
    if path.is_absolute() and path.exists():
        return str(path)
    folders = [near, *near.parents]
    beside = [] if path.is_absolute() else [folder / path for folder in folders]
    for place in [*beside, *(folder / path.name for folder in near.parents)]:
        if _is_template(place):
            say(f"The template is recorded as {source} and was found at {place.resolve()}.")
            return str(place.resolve())
    raise Refusal(f"the template is no longer at {source}; name its new place: {ANOTHER}")


def _is_template(place: Path) -> bool:
    """Return whether this is a repository with a copier.yml in its last commit."""
    if not place.is_dir():
        return False
    folder = Project(place)
    is_root = any(folder.says("rev-parse", "--resolve-git-dir", name) for name in (".git", "."))
    return is_root and folder.says("cat-file", "-e", "HEAD:copier.yml")


def _version(template: Template, project: Project, answers: Answers, say: Say) -> Version:
    """Return the recorded version, or the one whose files are most like the project's."""
    recorded = str(answers["_commit"])
    try:
        return template.version(recorded)
    except Unknown as unknown:
        if recorded and template.is_shallow:
            raise Refusal(
                f"the template at {template.place} is a shallow clone without the commit "
                f"{recorded}; complete it: git -C '{template.place}' fetch --unshallow"
            ) from unknown
    nearest = _nearest(template, project, answers)
    why = (
        f"The template has no commit {recorded}: it was never pushed, or history was rewritten."
        if recorded
        else "The project does not record its version."
    )
    say(f"{why} The update starts from {nearest.name}, whose files are most like the project's.")
    return nearest


def _nearest(template: Template, project: Project, answers: Answers) -> Version:
    """Return the version whose files are most like those of the project's last update."""
    had = project.blobs(project.last_to_write(str(answers.get("_commit", ""))))
    texts = {*had.values()}
    scores = {commit: len(blobs & texts) for commit, blobs in template.blobs().items()}
    best = max(scores.values(), default=0)
    if best < ALIKE:
        raise Refusal(
            f"the project was not generated from the template at {template.place}: no commit has "
            f"enough files in common with it; name the right template: {ANOTHER}"
        )
    ties = template.different([commit for commit, score in scores.items() if score == best])
    likeness = {template.version(ties[0]): -1}
    for version in map(template.version, ties[:TIES]):
        with suppress(Refusal):  # this version may have other questions
            files = template.render(version, answers).files
            likeness[version] = sum(had.get(path) == blob(text) for path, text in files.items())
    return max(likeness, key=likeness.__getitem__)


def prepare(copy: Project, template: Template, before: Rendering) -> None:
    """Make a copy of the project record the clone of the template and the version's commit.

    Copier then finds both. The line with the version in the kernel is reset too, so that it never
    counts as an edit of the team's.
    """
    answers = copy.answers() | {
        "_commit": yaml.safe_load(before.answers_file)["_commit"],
        "_src_path": str(template.folder),
    }
    (copy.folder / ANSWERS).write_text(_yaml(answers), encoding="utf-8")
    for path, rendered in before.files.items():
        if path.endswith("/persistence/_template.py") and copy.has(path):
            ours, theirs = VERSION_LINE.search(copy.read(path)), VERSION_LINE.search(rendered)
            if ours and theirs:
                text = copy.read(path).replace(ours[0], theirs[0])
                (copy.folder / path).write_bytes(text)
    copy.commit_all("Follow the template where it is")


def settle(copy: Project, template: Template) -> None:
    """Replace the path of the clone in the answers with the place that the project records."""
    answers = copy.folder / ANSWERS
    text = answers.read_text(encoding="utf-8")
    line = _yaml({"_src_path": template.remembered})
    answers.write_text(SOURCE_LINE.sub(lambda _: line, text), encoding="utf-8")
    copy.git("update-ref", "HEAD", "HEAD~1")  # undo the commit that `prepare` made


def _yaml(values: Answers) -> str:
    """Format answers like the template does."""
    return yaml.safe_dump(values, allow_unicode=True, indent=4, sort_keys=False)
