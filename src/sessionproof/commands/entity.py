"""Add, change or remove an entity: its files, its revision, its tests.

The command changes one answer of the project, and merges the template's files for it like an update.
The exit code is 0 if all went well, 1 if you have something to do, 2 if the command refused to run,
and 3 if it was stopped.
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
    """Run the command and return its exit code."""
    return attempt(run, parsed(arguments))


def parsed(arguments: Sequence[str]) -> Namespace:
    """Parse the command line."""
    parser = ArgumentParser(prog="just entity", description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("name", nargs="?", help="the entity's name in the singular, for example customer")
    add("fields", nargs="*", metavar="FIELD", help="a field, for example 'name: str(200) unique'")
    add("--file", metavar="FILE", help="read entities from this YAML file (- for standard input)")
    add("--remove", action="store_true", help="remove the entity, or one field: customer.email")
    add("--merge", action="store_true", help="resolve generated lines in an unfinished git merge")
    add("--dry-run", action="store_true", help="print what would change, and change nothing")
    add("--no-checks", action="store_true", help="write no revision and run no tests")
    add("--json", action="store_true", help="print one JSON document, and ask nothing")
    add("--debug", action="store_true", help="print the traceback of an unexpected error")
    add("--project", type=Path, default=Path(), metavar="FOLDER", help="the project (default: .)")
    wish = parser.parse_intermixed_args(arguments)
    if [bool(wish.file), bool(wish.name or wish.remove), wish.merge].count(True) > 1:
        parser.error("give only one of these: a name, --file, --merge")
    return wish


def run(wish: Namespace, console: Console) -> int:
    """Change the entities, or resolve a merge of two branches that changed them."""
    project = Project(wish.project.resolve())
    if wish.merge:
        return show_merge(resolve(project, console.print), project.unmerged(), wish, console)
    return carry_out(change, checked, project, wish, console)


def show_merge(resolved: list[str], left: list[str], wish: Namespace, console: Console) -> int:
    """Print which files are resolved and which ones still have conflicts."""
    for heading, paths in (("Resolved", resolved), ("Still in conflict, see git diff", left)):
        if paths:
            console.print("\n".join([f"\n{heading}:\n", *(f"- {path}" for path in paths)]))
    console.print("\nNext: git commit, then uv run alembic merge heads --message merge, then just.")
    if wish.json:
        print(json.dumps({"status": "conflicts" if left else "updated", "conflicts": left}))
    return 1 if left else 0


def change(project: Project, wish: Namespace, console: Console, say: Say) -> EntityReport:
    """Update the project to the entities that the command line describes."""
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
    """Raises Refusal if this version of the template cannot generate entities yet."""
    if "entities" not in template.questions(version):
        raise Refusal(f"the template at {version.name} has no entities yet; run just update first")


def wanted(wish: Namespace, known: Entities, dialogue: Dialogue) -> Entities:
    """Return all entities of the project after the change."""
    if wish.remove and not wish.name:
        raise Refusal("--remove needs a name, for example: just entity --remove customer")
    if wish.remove:
        return without(known, [wish.name, *wish.fields])
    if wish.file:
        return both(known, from_yaml(read(wish.file), wish.file))
    if wish.name:
        return both(known, from_words(wish.name, wish.fields))
    if may_ask(wish):
        return dialogue.describe(known)
    raise Refusal(f"an entity or --file FILE is missing, for example: {USAGE}")


def read(file: str) -> str:
    """Return the text of the file, or of standard input for `-`."""
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Refusal(f"{file} cannot be read as a text file: {error}") from error


def require_free(project: Project, patterns: Sequence[str]) -> None:
    """Raises Refusal if the project already has files at the paths of a new entity."""
    is_new = PathSpec.from_lines("gitignore", patterns).match_file
    if taken := sorted(filter(is_new, project.tracked())):
        raise Refusal(
            f"the new entity would overwrite {', '.join(taken)}; rename or delete this, commit, "
            "and run the command again"
        )


def added(before: Rendering, after: Rendering) -> list[str]:
    """Return the plurals of the new entities."""
    new = map(PurePosixPath, after.files.keys() - before.files.keys())
    return sorted(path.parent.name for path in new if path.match("tests/*/factory.py"))


def tests(before: Rendering, after: Rendering) -> list[str]:
    """Return the paths of the tests of every entity whose files have changed."""
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
    """Write the revision, run the tests, and add the outcome to the report."""
    checks = []
    for check in run_checks(project.folder, console, commands(report, project)):
        checks.append(check)
        if not check.passed:
            break
    revision = [path for path in project.new_files() if "/migrations/versions/" in path]
    return replace(report, checks=checks, revision="".join(revision))


def commands(report: EntityReport, project: Project) -> Commands:
    """Return the commands to run, by the name that is printed."""
    places = [place for place in report.tests if (project.folder / place).exists()]
    program = ["python", str(REVISING), report.happened]
    # A database sees no difference if text becomes an enum or an enum loses a member.
    enums = [field for field, types in report.retyped.items() if "→ enum(" in types]
    revision = {"the revision": [*program, *enums]}
    return revision | ({"the tests": ["pytest", "-q", "--tb=short", *places]} if places else {})
