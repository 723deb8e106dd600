"""Where the template is now, and which of its commits the project has.

A project remembers both, as `_src_path` and `_commit`. But templates move, paths are relative,
history is rewritten, and a commit may have existed in one clone only.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import yaml

from .project import ANSWERS, Answers, Project, Refusal, blob
from .template import Rendering, Template, Unknown, Version, cloned, is_url

ANOTHER = "just update --source <its URL or path>"
ALIKE = 20  # files that a project has in common with its template at least
TIES = 8  # commits that are rendered to see which one is nearest
VERSION_LINE = re.compile(rb"^TEMPLATE_VERSION = .*$", re.MULTILINE)
SOURCE_LINE = re.compile(r"^_src_path:.*\n(?:[ ].*\n)*", re.MULTILINE)

Say = Callable[[str], object]


@contextmanager
def followed(
    project: Project, answers: Answers, say: Say, *, near: Path, source: str | None = None
) -> Iterator[tuple[Template, Version]]:
    """The template, and the version of it that the project has.

    `near` is the project's folder, from which a relative path is found; `source` is another place
    than the project remembers. Calls `say` with a sentence if it is not all as the project
    remembers it.
    """
    recorded = str(answers["_src_path"])
    place = named(source) if source else _found(recorded, near, say)
    with cloned(place, remembered=place if source else recorded) as template:
        yield template, _version(template, project, answers, say)


def named(source: str) -> str:
    return source if is_url(source) else str(Path(source).expanduser().resolve())


def _found(source: str, near: Path, say: Say) -> str:
    """The template's URL or path, as git understands it in any folder."""
    if not source:
        raise Refusal(f"{ANSWERS} does not name the template; say where it is: {ANOTHER}")
    if is_url(source):
        return source
    path = Path(source).expanduser()
    if path.is_absolute() and path.exists():
        return str(path)
    folders = [near, *near.parents]
    beside = [] if path.is_absolute() else [folder / path for folder in folders]
    for place in [*beside, *(folder / path.name for folder in near.parents)]:
        if _is_template(place):
            say(f"The template is remembered as {source}, and found at {place.resolve()}.")
            return str(place.resolve())
    raise Refusal(f"the template is not at {source} any more; say where it is: {ANOTHER}")


def _is_template(place: Path) -> bool:
    """Whether a repository is there whose last commit has Copier's questions."""
    if not place.is_dir():
        return False
    folder = Project(place)
    is_root = any(folder.says("rev-parse", "--resolve-git-dir", name) for name in (".git", "."))
    return is_root and folder.says("cat-file", "-e", "HEAD:copier.yml")


def _version(template: Template, project: Project, answers: Answers, say: Say) -> Version:
    """The commit that the project has, or the one whose files are nearest to the project's."""
    recorded = str(answers["_commit"])
    try:
        return template.version(recorded)
    except Unknown as unknown:
        if recorded and template.is_shallow:
            raise Refusal(
                f"the template at {template.place} is a shallow clone that does not reach back to "
                f"{recorded}; complete it: git -C '{template.place}' fetch --unshallow"
            ) from unknown
    nearest = _nearest(template, project, answers)
    why = (
        f"The template has no commit {recorded}, which was never committed, or the history was "
        "rewritten."
        if recorded
        else "The project does not know its version."
    )
    say(f"{why} The project goes on from {nearest.name}, whose files are nearest to the project's.")
    return nearest


def _nearest(template: Template, project: Project, answers: Answers) -> Version:
    """The commit that rendered what the project began with, or what it last updated to."""
    had = project.blobs(project.last_to_write(str(answers.get("_commit", ""))))
    texts = {*had.values()}
    scores = {commit: len(blobs & texts) for commit, blobs in template.blobs().items()}
    best = max(scores.values(), default=0)
    if best < ALIKE:
        raise Refusal(
            f"no commit of the template at {template.place} is like this project; name the "
            f"template that it was generated from: {ANOTHER}"
        )
    ties = template.different([commit for commit, score in scores.items() if score == best])
    likeness = {template.version(ties[0]): -1}
    for version in map(template.version, ties[:TIES]):
        with suppress(Refusal):  # its questions may be others
            files = template.render(version, answers).files
            likeness[version] = sum(had.get(path) == blob(text) for path, text in files.items())
    return max(likeness, key=likeness.__getitem__)


def prepare(copy: Project, template: Template, before: Rendering) -> None:
    """Let a copy of the project follow the clone of the template, at the version that it has.

    So Copier finds both, however the project spells them; and the line with the version is never
    a change of the team's.
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
    """Let what Copier wrote name the place that the project remembers."""
    answers = copy.folder / ANSWERS
    text = answers.read_text(encoding="utf-8")
    line = _yaml({"_src_path": template.remembered})
    answers.write_text(SOURCE_LINE.sub(lambda _: line, text), encoding="utf-8")
    copy.git("update-ref", "HEAD", "HEAD~1")  # what `prepare` wrote is a part of the update


def _yaml(values: Answers) -> str:
    """As the template writes it."""
    return yaml.safe_dump(values, allow_unicode=True, indent=4, sort_keys=False)
