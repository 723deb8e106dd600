"""A parser for the CREATE TABLE statements that SQLite stores.

Only this statement has everything about a table: collations, AUTOINCREMENT, ON CONFLICT, CHECK,
generated columns, STRICT. A rebuild keeps its text, and replaces the parts that a migration changes.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
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
_SYNONYMS = {"as": "generated", "references": "foreign"}


class Token(NamedTuple):
    """A word, a quoted name, a literal or a sign, with the white space before it."""

    before: str
    text: str

    @property
    def word(self) -> str:
        """The text in lower case if it is an unquoted word, so can be a keyword; else empty."""
        return self.text.lower() if self.text[0].isalpha() or self.text[0] == "_" else ""

    @property
    def name(self) -> str:
        """The text as SQLite compares names: without quotes, in lower case."""
        if self.text[0] in '"`[':
            return self.text[1:-1].replace(self.text[-1] * 2, self.text[-1]).lower()
        return self.word or self.text


class Part(tuple[Token, ...]):
    """A sequence of tokens, such as a constraint or a DEFAULT."""

    __slots__ = ()

    def __str__(self) -> str:
        return "".join(f"{token.before if n else ''}{token.text}" for n, token in enumerate(self))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the tokens."""
        return tuple(token.name for token in self)

    @property
    def label(self) -> str:
        """The name of a constraint, or an empty string."""
        return self[1].name if self[0].word == "constraint" else ""

    @property
    def body(self) -> "Part":
        """A constraint without its name."""
        return Part(self[2:]) if self.label else self

    @property
    def kind(self) -> str:
        """The keyword of a constraint; synonyms have the same."""
        word = self.body[0].word
        return _SYNONYMS.get(word, word)

    @property
    def inside(self) -> "Part":
        """The tokens inside the first parentheses."""
        first = opening(self)
        return Part(self[first + 1 : closing(self, first)])


@dataclass
class Item:
    """A column with its rules, or a constraint of the table, which is one rule without a column."""

    head: Part  # the column's name and type
    rules: list[Part]

    def __str__(self) -> str:
        return " ".join(map(str, filter(None, [self.head, *self.rules])))

    def has(self, kind: str) -> bool:
        """Whether it has a rule of this kind."""
        return any(rule.kind == kind for rule in self.rules)

    def change(self, other: "Item", kinds: Collection[str]) -> None:
        """Take the rules of these kinds from another column."""
        self.rules = [rule for rule in self.rules if rule.kind not in kinds]
        self.rules += [rule for rule in other.rules if rule.kind in kinds]

    def key(self, rule: Part) -> tuple[str, ...]:
        """The kind and the columns of a primary, unique or foreign key; empty for another rule."""
        if rule.kind not in {"primary", "unique", "foreign"}:
            return ()
        columns = self.head[:1] or [part[0] for part in _split(rule.inside)]
        return rule.kind, *(token.name for token in columns)


@dataclass
class TableSql:
    """A table: its columns and constraints, and its options."""

    items: list[Item]
    options: Part

    @property
    def columns(self) -> dict[str, Item]:
        """The columns by name."""
        return {item.head[0].name: item for item in self.items if item.head}

    def drop(self, is_unwanted: Callable[[Item, Part], bool]) -> bool:
        """Remove rules; return whether there were any."""
        count = sum(len(item.rules) for item in self.items)
        for item in self.items:
            item.rules = [rule for rule in item.rules if not is_unwanted(item, rule)]
        self.items = [item for item in self.items if item.head or item.rules]
        return count > sum(len(item.rules) for item in self.items)

    def create(self, name: str) -> str:
        """The statement that creates the table with this name."""
        body = ",\n\t".join(map(str, self.items))
        return f"CREATE TABLE {name} (\n\t{body}\n) {self.options}".rstrip()


def tokens(sql: str) -> Part:
    """The tokens of a statement."""
    found = (Token(match["before"], match["text"]) for match in _TOKEN.finditer(sql.strip()))
    return Part(token for token in found if token.text.strip())


def parsed(sql: str) -> TableSql:
    """The parts of a CREATE TABLE. Raises ValueError for any other statement."""
    words = tokens(sql)
    if words[1].word not in {"table", "temp", "temporary"}:
        raise ValueError(f"not a plain table: {sql[:60]}")
    last = closing(words, opening(words))
    return TableSql([*map(item_of, _split(words.inside))], Part(words[last + 1 :]))


def item_of(part: Part) -> Item:
    """Split a column or a constraint before each keyword that begins a rule."""
    is_rule = part[0].word in _TABLE_RULES
    keywords = _TABLE_RULES if is_rule else _COLUMN_RULES
    depth, starts = 0, list[int]()
    for place, token in enumerate(part):
        depth += (token.text == "(") - (token.text == ")")
        if depth == 0 and token.word in keywords and _begins(part, place) and (place or is_rule):
            starts.append(place)
    rules = [Part(part[start:end]) for start, end in pairwise([*starts, len(part)])]
    return Item(Part(part[: starts[0] if starts else len(part)]), rules)


def _begins(part: Part, place: int) -> bool:
    """Whether the keyword begins a rule, and is not a later word of another."""
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
    """Split at the commas outside of parentheses."""
    depth, item = 0, list[Token]()
    for token in items:
        depth += (token.text == "(") - (token.text == ")")
        if token.text == "," and depth == 0:
            yield Part(item)
            item = []
        else:
            item.append(token)
    yield Part(item)


def opening(words: Part) -> int:
    """The place of the first parenthesis. Raises ValueError if there is none."""
    return [token.text for token in words].index("(")


def closing(words: Part, first: int) -> int:
    """The place where the parenthesis at `first` closes. Raises ValueError if it does not."""
    depth = 0
    for place in range(first, len(words)):
        depth += (words[place].text == "(") - (words[place].text == ")")
        if depth == 0:
            return place
    raise ValueError("a parenthesis is not closed")
