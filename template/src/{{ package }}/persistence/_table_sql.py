"""The text of a SQLite table, in parts.

SQLite keeps the statement that made a table, and this text is the only place that knows everything
about it: collations, AUTOINCREMENT, ON CONFLICT, CHECK, generated columns, STRICT. A rebuild keeps
the text and replaces only the parts that a migration changes.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

_TOKEN = re.compile(
    r"""
    (?P<before>(?:\s+|--[^\n]*\n?|/\*.*?(?:\*/|\Z))*)
    (?P<text>
        "(?:[^"]|"")*" | `(?:[^`]|``)*` | \[[^\]]*\] | [xX]?'(?:[^']|'')*'
      | [^\W\d][\w$]* | \d[\w.]* | .
    )
    """,
    re.VERBOSE | re.DOTALL,
)
_TABLE_RULES = frozenset({"constraint", "primary", "unique", "check", "foreign"})
_COLUMN_RULES = frozenset(
    {"constraint", "primary", "unique", "check", "references", "not", "null", "default", "collate"}
) | {"generated", "as"}
_CONSTRAINTS = frozenset({"primary", "unique", "check", "foreign", "references"})

Key = tuple[str, ...]


class Token(NamedTuple):
    """A word, a quoted name, a literal or a sign, with the space before it."""

    before: str
    text: str

    @property
    def word(self) -> str:
        """It in small letters if it is a bare word, which alone can be a keyword."""
        return self.text.lower() if self.text[0].isalpha() or self.text[0] == "_" else ""

    @property
    def name(self) -> str:
        """It as SQLite compares names: without quotes, in small letters."""
        if self.text[0] in '"`[':
            return self.text[1:-1].replace(self.text[-1] * 2, self.text[-1]).lower()
        return self.word or self.text


class Part(tuple[Token, ...]):
    """Tokens that stand together."""

    __slots__ = ()

    def __str__(self) -> str:
        return "".join(f"{token.before if n else ''}{token.text}" for n, token in enumerate(self))

    @property
    def names(self) -> tuple[str, ...]:
        """The tokens as SQLite compares them."""
        return tuple(token.name for token in self)


@dataclass(frozen=True)
class Rule:
    """A constraint, or another property of a column such as DEFAULT or COLLATE."""

    part: Part

    @cached_property
    def label(self) -> str:
        """Its name, or nothing."""
        return self.part[1].name if self.part[0].word == "constraint" else ""

    @property
    def body(self) -> Part:
        """It without its name."""
        return Part(self.part[2:]) if self.label else self.part

    @property
    def kind(self) -> str:
        """Its first keyword."""
        word = self.body[0].word
        return "generated" if word == "as" else word

    def key(self, column: str | None = None) -> Key:
        """What tells it from other constraints: its kind, its columns, what it refers to."""
        body, names = self.body, self.body.names
        if self.kind == "primary":
            return ("primary",)
        if self.kind == "check":
            return ("check", *names)
        columns = (column,) if column else _columns(body)
        if self.kind == "unique":
            return ("unique", *columns)
        return ("foreign", *columns, "references", names[names.index("references") + 1])

    def renamed(self, columns: Mapping[str, str], table: str) -> "Rule":
        """It after columns of the table have other names, which SQLAlchemy leaves in such texts."""
        names = self.part.names
        refers = names[names.index("references") + 1] == table if "references" in names else False
        if self.kind not in {"check", "generated"} and not refers:
            return self
        return Rule(
            Part(
                Token(token.before, f'"{columns[token.name]}"') if token.name in columns else token
                for token in self.part
            )
        )

    def differs(self, other: "Rule | None") -> bool:
        """Whether it says something else, or the same under another name."""
        if other is None or self.body.names != other.body.names:
            return True
        return bool(self.label and other.label and self.label != other.label)


@dataclass(frozen=True)
class ColumnSql:
    """A column: its name, its type and its rules."""

    name: Token
    type: Part
    rules: Sequence[Rule]

    def rule(self, kind: str) -> Rule | None:
        """Its rule of this kind."""
        return next((rule for rule in self.rules if rule.kind == kind), None)

    @property
    def is_generated(self) -> bool:
        """Whether SQLite computes its values."""
        return self.rule("generated") is not None


@dataclass(frozen=True)
class TableSql:
    """A table: its columns by name, its own constraints, and its options."""

    columns: Mapping[str, ColumnSql]
    rules: Sequence[Rule]
    options: Part

    def renamed(self, columns: Mapping[str, str], table: str) -> "TableSql":
        """It after columns have other names: see `Rule.renamed`."""
        return TableSql(
            {
                name: ColumnSql(
                    column.name,
                    column.type,
                    [rule.renamed(columns, table) for rule in column.rules],
                )
                for name, column in self.columns.items()
            },
            [rule.renamed(columns, table) for rule in self.rules],
            self.options,
        )

    @cached_property
    def constraints(self) -> Mapping[Key, Rule]:
        """Every constraint, wherever it is written."""
        own = {rule.key(): rule for rule in self.rules}
        for name, column in self.columns.items():
            own |= {rule.key(name): rule for rule in column.rules if rule.kind in _CONSTRAINTS}
        return own


def tokens(sql: str) -> Part:
    """The tokens of a statement."""
    found = (Token(match["before"], match["text"]) for match in _TOKEN.finditer(sql.strip()))
    return Part(token for token in found if token.text.strip())


def parsed(sql: str) -> TableSql:
    """The parts of a CREATE TABLE. Raises ValueError for any other statement."""
    words = tokens(sql)
    texts = [token.text for token in words]
    if words[1].word not in {"table", "temp", "temporary"} or "(" not in texts:
        raise ValueError(f"not a plain table: {sql[:60]}")
    first = texts.index("(")
    last = closing(words, first)
    columns, rules = dict[str, ColumnSql](), list[Rule]()
    for item in _split(words[first + 1 : last]):
        if item[0].word in _TABLE_RULES:
            rules.extend(_rules(item, _TABLE_RULES))
        else:
            columns[item[0].name] = _column(item)
    return TableSql(columns, rules, Part(words[last + 1 :]))


def merged(name: str, now: TableSql, before: TableSql, after: TableSql) -> str:
    """A CREATE TABLE with the text of `now`, changed as `after` differs from `before`.

    The two are what SQLAlchemy makes of the table: both lack what it does not know.
    """
    changed = _changed(now, before, after)
    lines = [
        _merged_column(now.columns[key], before.columns[key], column, changed, key)
        if key in before.columns
        else _new_column(column)
        for key, column in after.columns.items()
    ]
    lines += [str(rule.part) for rule in now.rules if rule.key() not in changed]
    lines += [
        str(rule.part)
        for rule in after.rules
        if rule.key() in changed or rule.key() not in {*before.constraints, *now.constraints}
    ]
    options = after.options if before.options.names != after.options.names else now.options
    body = ",\n\t".join(lines)
    return f"CREATE TABLE {name} (\n\t{body}\n) {options}".rstrip()


def _changed(now: TableSql, before: TableSql, after: TableSql) -> set[Key]:
    """The keys that `now` has for the constraints that are dropped or replaced."""
    changed = set[Key]()
    for key, rule in before.constraints.items():
        if rule.differs(after.constraints.get(key)):
            changed.add(key)
            changed |= {k for k, own in now.constraints.items() if rule.label == own.label != ""}
    return changed


def _merged_column(
    now: ColumnSql, before: ColumnSql, after: ColumnSql, changed: set[Key], name: str
) -> str:
    kind = after.type if before.type.names != after.type.names else now.type
    rules = list[Rule]()
    for rule in now.rules:
        if rule.kind in _CONSTRAINTS:
            if rule.key(name) not in changed:
                rules.append(rule)
        elif not _is_other(rule.kind, before, after):
            rules.append(rule)
    for rule in after.rules:
        if rule.kind in _CONSTRAINTS:
            if rule.key(name) in changed:
                rules.append(rule)
        elif _is_other(rule.kind, before, after):
            rules.append(rule)
    return " ".join(filter(None, [now.name.text, str(kind), *(str(rule.part) for rule in rules)]))


def _is_other(kind: str, before: ColumnSql, after: ColumnSql) -> bool:
    """Whether this property of a column is not what it was. `NULL` is the want of `NOT NULL`."""
    kind = "not" if kind == "null" else kind
    old, new = before.rule(kind), after.rule(kind)
    return old.differs(new) if old else new is not None


def _new_column(column: ColumnSql) -> str:
    rules = [str(rule.part) for rule in column.rules]
    return " ".join(filter(None, [column.name.text, str(column.type), *rules]))


def _column(item: Part) -> ColumnSql:
    rules = list(_rules(Part(item[1:]), _COLUMN_RULES))
    length = len(item) - 1 - sum(len(rule.part) for rule in rules)
    return ColumnSql(item[0], Part(item[1 : 1 + length]), rules)


def _rules(part: Part, keywords: frozenset[str]) -> Iterator[Rule]:
    """Cut before each keyword that begins a rule."""
    depth, starts = 0, list[int]()
    for place, token in enumerate(part):
        depth += (token.text == "(") - (token.text == ")")
        if depth == 0 and token.word in keywords and _begins(part, place):
            starts.append(place)
    for start, end in pairwise([*starts, len(part)]):
        yield Rule(Part(part[start:end]))


def _begins(part: Part, place: int) -> bool:
    """Whether the keyword begins a rule, and is not a later word of one."""
    word = part[place].word
    before = part[place - 1].word if place else ""
    named = place >= 2 and part[place - 2].word == "constraint"
    if named or before == "constraint":
        return False
    match word:
        case "not":
            return part[place + 1].word != "deferrable"
        case "null":
            return before not in {"not", "set", "default"}
        case "default":
            return before != "set"
        case "as":
            return before != "always"
        case _:
            return True


def _split(items: Sequence[Token]) -> Iterator[Part]:
    """Cut at the commas that are in no parentheses."""
    depth, item = 0, list[Token]()
    for token in items:
        depth += (token.text == "(") - (token.text == ")")
        if token.text == "," and depth == 0:
            yield Part(item)
            item = []
        else:
            item.append(token)
    yield Part(item)


def closing(words: Part, first: int) -> int:
    """Where the parenthesis that opens at `first` closes. Raises ValueError if it does not."""
    depth = 0
    for place in range(first, len(words)):
        depth += (words[place].text == "(") - (words[place].text == ")")
        if depth == 0:
            return place
    raise ValueError("a parenthesis is not closed")


def _columns(body: Part) -> tuple[str, ...]:
    """The names in the first parentheses."""
    first = body.names.index("(")
    inside = body[first + 1 : closing(body, first)]
    return tuple(item[0].name for item in _split(inside))
