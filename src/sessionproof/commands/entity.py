"""Add an entity, change one, or take one out: its files, its revision, its tests.

It changes one answer of the project, and merges what the template makes of it like any update. The
exit code is 0 if all is well, 1 if something is left to do, 2 if it was refused, and 3 if it was
stopped.
"""

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from pathspec import PathSpec
from rich.console import Console

from ..entities.branches import resolve
from ..entities.description import (
    Entities,
    described,
    from_words,
    from_yaml,
    not_filled,
    retyped,
    what_happened,
    without,
)
from ..entities.description import merged as both
from ..entities.dialogue import Dialogue
from ..ownership import of_entity
from ..updating.checks import Commands, run_checks
from ..updating.origin import Say, followed
from ..updating.project import Project, Refusal
from ..updating.report import EntityReport
from ..updating.template import Rendering, Template, Version
from ..updating.update import merged
from ._attempt import attempt, carry_out, may_ask

REVISING = Path(__file__).parents[1] / "entities/revising.py"  # for the project's Python
USAGE = "just entity customer 'name: str(200) unique' 'email: str(320)?'"


def main(arguments: Sequence[str]) -> int:
    """Do what the command line says."""
    return attempt(run, parsed(arguments))


def parsed(arguments: Sequence[str]) -> Namespace:
    """What the command line asks for."""
    parser = ArgumentParser(prog="just entity", description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("name", nargs="?", help="the entity, as customer")
    add("fields", nargs="*", metavar="FIELD", help="what it has, as 'name: str(200) unique'")
    add("--file", metavar="FILE", help="take a mapping of entities from this YAML; - for the input")
    add("--remove", action="store_true", help="take it out; customer.email takes out one field")
    add("--merge", action="store_true", help="in a git merge, resolve what both branches wrote")
    add("--dry-run", action="store_true", help="change nothing, only say what would come")
    add("--no-checks", action="store_true", help="the files alone: no revision, and no tests")
    add("--json", action="store_true", help="print one document; asks nothing")
    add("--debug", action="store_true", help="show where an unexpected error comes from")
    add("--project", type=Path, default=Path(), metavar="FOLDER", help="another folder than this")
    wish = parser.parse_intermixed_args(arguments)
    if [bool(wish.file), bool(wish.name or wish.remove), wish.merge].count(True) > 1:
        parser.error("a name, --file and --merge are three ways to begin; take one of them")
    return wish


def run(wish: Namespace, console: Console) -> int:
    """Rehearse it, do it, or go on with a merge."""
    project = Project(wish.project.resolve())
    if wish.merge:
        return show_merge(resolve(project, console.print), project.unmerged(), wish, console)
    return carry_out(change, checked, project, wish, console)


def show_merge(resolved: list[str], left: list[str], wish: Namespace, console: Console) -> int:
    """Say what is resolved, and what is left to do."""
    for heading, paths in (("Resolved", resolved), ("Left to you: git diff", left)):
        if paths:
            console.print("\n".join([f"\n{heading}:\n", *(f"- {path}" for path in paths)]))
    console.print("\nThen: git commit, uv run alembic merge heads --message merge, just.")
    if wish.json:
        print(json.dumps({"status": "conflicts" if left else "updated", "conflicts": left}))
    return 1 if left else 0


def change(project: Project, wish: Namespace, console: Console, say: Say) -> EntityReport:
    """Bring the project to the description that is asked for."""
    answers = project.answers()
    with followed(project, answers, say, near=wish.project.resolve()) as (template, version):
        require_question(template, version)
        known = described(answers)

        def require_valid(entities: Entities) -> None:
            template.require_valid(version, answers | {"entities": entities})

        entities = wanted(wish, known, Dialogue(console, require_valid))
        if entities == known:
            return EntityReport(version.name, version.name)
        after = template.render(version, answers | {"entities": entities})
        before = template.render(version, answers)
        settings = template.settings(version)
        new = added(before, after)
        require_free(project, [each for plural in new for each in of_entity(settings, plural)])
        both = (before, after, version, version)
        report = merged(project, template, *both, dry_run=wish.dry_run)
    return EntityReport(
        **vars(report),
        happened=what_happened(known, entities),
        removed=[name for name in known if name not in entities],
        not_filled=not_filled(known, entities),
        retyped=retyped(known, entities),
        tests=tests(before, after),
    )


def require_question(template: Template, version: Version) -> None:
    """Raises Refusal where the template knew no entities yet."""
    if "entities" not in template.questions(version):
        raise Refusal(f"{version.name} of the template knows no entities; first: just update")


def wanted(wish: Namespace, known: Entities, dialogue: Dialogue) -> Entities:
    """Everything that is to be described, said in one of four ways."""
    if wish.remove and not wish.name:
        raise Refusal("which one? just entity --remove customer")
    if wish.remove:
        return without(known, [wish.name, *wish.fields])
    if wish.file:
        return both(known, from_yaml(read(wish.file), wish.file))
    if wish.name:
        return both(known, from_words(wish.name, wish.fields))
    if may_ask(wish):
        return dialogue.describe(known)
    raise Refusal(f"which entity? {USAGE}, or --file FILE")


def read(file: str) -> str:
    """The text of the file, or of standard input."""
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(f"{file} must be a file of text: {error}") from error


def require_free(project: Project, patterns: Sequence[str]) -> None:
    """Raises Refusal where something of the team's is in the place of a new entity."""
    is_new = PathSpec.from_lines("gitignore", patterns).match_file
    if taken := sorted(filter(is_new, project.tracked())):
        raise Refusal(
            f"{', '.join(taken)} would be in the way; rename or delete, commit, and begin again"
        )


def added(before: Rendering, after: Rendering) -> list[str]:
    """The plurals of the entities that are new."""
    new = map(PurePosixPath, after.files.keys() - before.files.keys())
    return sorted(path.parent.name for path in new if path.match("tests/*/factory.py"))


def tests(before: Rendering, after: Rendering) -> list[str]:
    """Where the tests are of the entities that are written otherwise now."""
    changed = {path for path, text in after.files.items() if before.files.get(path) != text}
    folders = {PurePosixPath(path).parent.name for path in changed}
    plurals = [name for name in sorted(folders) if f"tests/{name}/factory.py" in after.files]
    return [
        place
        for plural in plurals
        for place in (
            f"tests/{plural}",
            f"tests/entrypoints/test_{plural}.py",
            f"tests/api/test_{plural}.py",
        )
        if any(path.startswith(place) for path in after.files)
    ]


def checked(report: EntityReport, project: Project, console: Console) -> EntityReport:
    """The same, with the revision and the outcome of the tests, which need it."""
    checks = []
    for check in run_checks(project.folder, console, commands(report, project)):
        checks.append(check)
        if not check.passed:
            break
    revision = [path for path in project.new_files() if "/migrations/versions/" in path]
    return replace(report, checks=checks, revision="".join(revision))


def commands(report: EntityReport, project: Project) -> Commands:
    """What is run, by name."""
    places = [place for place in report.tests if (project.folder / place).exists()]
    program = ["python", str(REVISING), report.happened]
    # A text that becomes an enum, or an enum that loses a member, is the same column to a database.
    enums = [field for field, types in report.retyped.items() if "→ enum(" in types]
    revision = {"the revision": [*program, *enums]}
    return revision | ({"the tests": ["pytest", "-q", "--tb=short", *places]} if places else {})
