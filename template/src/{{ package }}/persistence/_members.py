"""The members that each enum of a column had when a revision last wrote it.

An enum is text to the database, which cannot say that one has lost a member. The revisions can.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from alembic.script import ScriptDirectory

Members = frozenset[object]


def recorded_members(scripts: ScriptDirectory) -> dict[str, Members]:
    """The members by `table.column`; a column of another type has none."""
    revisions = reversed([*scripts.walk_revisions()])
    return {
        place: _members(type_)
        for revision in revisions
        for node in ast.parse(Path(revision.path).read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name == "upgrade"
        for place, type_ in _types(node)
    }


def _types(upgrade: ast.FunctionDef) -> Iterator[tuple[str, ast.expr]]:
    """Each column that is made or gets another type, with its type."""
    batches, names = dict[str, ast.expr](), dict[str, ast.expr]()
    for node in ast.walk(upgrade):
        match node:
            case ast.Assign([ast.Name(name)], value):
                names[name] = value
            case ast.withitem(ast.Call(args=[table, *_]), ast.Name(batch)):
                batches[batch] = table
            case ast.Call(ast.Attribute(ast.Name(by), step), arguments, options):
                place = [batches[by]] if by in batches else []
                for column, type_ in _step(step, [*place, *arguments], options):
                    yield column, names.get(getattr(type_, "id", ""), type_)
            case _:
                pass


def _step(
    step: str, arguments: list[ast.expr], options: list[ast.keyword]
) -> Iterator[tuple[str, ast.expr]]:
    match step, arguments:
        case "create_table" | "add_column", [ast.Constant(str(table)), *columns]:
            for column in columns:
                match column:
                    case ast.Call(ast.Attribute(_, "Column"), [ast.Constant(str(name)), type_, *_]):
                        yield f"{table}.{name}", type_
                    case _:
                        pass
        case "alter_column", [ast.Constant(str(table)), ast.Constant(str(name)), *_]:
            for option in options:
                if option.arg == "type_":
                    yield f"{table}.{name}", option.value
        case _:
            pass


def _members(type_: ast.expr) -> Members:
    match type_:
        case ast.Call(ast.Attribute(_, "Enum"), values):
            return frozenset(each.value for each in values if isinstance(each, ast.Constant))
        case _:
            return frozenset()
