"""Choose the version to update to, update a copy of the project, and write the result back."""

from collections.abc import Callable, Sequence

from .answers import require_answers, require_types
from .leftovers import tidy
from .merge import Merge
from .origin import prepare, settle
from .project import Answers, Note, Project, Refusal
from .renames import Use, outdated, rename
from .report import Report
from .template import Rendering, Template, Version
from .transfer import bring


def wanted(template: Template, old: Version, name: str | None) -> Version:
    """Return the version to update to: by default the newest release, unless the project is ahead."""
    if name == ":current:":
        return old
    if name:
        return template.version(name)
    newest = template.newest()
    return old if template.is_older(newest, than=old) else newest


def require_possible(
    template: Template, old: Version, new: Version, answers: Answers, given: Answers
) -> None:
    """Raises Refusal for versions and answers that Copier would handle wrongly or ignore."""
    if template.is_older(new, old):
        raise Refusal(
            f"{new.name} is older than the project's version {old.name}; a project cannot go back"
        )
    require_types(template, old, answers)
    require_answers(template.settings(new), answers, given)


def merged(
    project: Project,
    template: Template,
    before: Rendering,
    after: Rendering,
    old: Version,
    new: Version,
    *,
    dry_run: bool,
    may_rename: Callable[[Sequence[Use]], bool] = lambda _: False,
) -> Report:
    """Update a copy of the project, and write the result into the project unless `dry_run`."""
    note = Note(project.head, new.name)
    with project.copied() as copy:
        prepare(copy, template, before)
        merge = Merge(project, copy, before, after)
        kept = merge.run(new.commit, only_answers=old == new)
        tidied = tidy(copy, template, old, before, new)
        uses = outdated(copy, template, new)
        is_renamed = bool(uses) and not dry_run and may_rename(uses)
        if is_renamed:
            rename(copy, uses)
        settle(copy, template)
        conflicts = copy.conflicts()
        report = Report(
            old=old.name,
            new=new.name,
            releases=template.gained(old, new),
            dry_run=dry_run,
            conflicts=conflicts,
            kept=kept,
            left=tidied.left,
            moved=tidied.followed,
            tidied=tidied.deleted,
            renamed=[str(use) for use in uses if is_renamed],
            outdated=[str(use) for use in uses if not is_renamed],
            deleted=sorted({*copy.changes("D")} - {*tidied.deleted, *tidied.followed}),
            not_followed=merge.not_followed(),
            taken=merge.taken_over(),
            added=sorted({*copy.untracked()} - {*conflicts}),
            changed=sorted({*copy.changes("MT")} - {*conflicts}),
        )
        if not dry_run:
            bring(copy, project, note)
    return report
