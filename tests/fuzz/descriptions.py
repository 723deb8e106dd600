"""Generate random descriptions of entities, valid ones and ones with a mistake.

`python -m tests.fuzz.descriptions --each 20` tries 20 valid ones in each variant, with the steps of
`tests/fuzz/entity_trial.py`.
"""

import os
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from ..conftest import copy_files
from ..support.entities import complaints, grammar
from ..support.repository import ROOT
from ..support.variants import VARIANTS, Answers, name
from .campaign import command_line, explore
from .entity_trial import try_out

Description = dict[str, dict[str, str]]

# Valid names that are close to keywords of Python and SQL, and to names of generated files.
NOUNS = [
    *("license", "property", "input", "option", "field", "argument", "value", "key", "page"),
    *("app", "uow", "new", "json_file", "given", "managers", "number", "self", "work", "row"),
    *("event", "session", "message", "file", "role", "log", "token", "password", "status"),
    *("item", "item_type", "new_item", "item_view", "hour", "user_account", "unit", "vehicle"),
]
FIELDS = [
    *("list", "type", "format", "max", "new", "uow_id", "as_json", "work", "number", "values_"),
    *("password", "secret", "token", "page", "name", "key", "model_year", "no_smoking", "limit"),
    *("x", "a1", "line_2", "line_10", "self_service", "given", "l", "first", "enum", "decimal"),
]
WORD = st.from_regex(r"[a-z]{2,}(_[a-z]+)*", fullmatch=True)
NAME = st.from_regex(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", fullmatch=True)
VALUE = st.from_regex(r"[a-z][a-z0-9_]{0,39}", fullmatch=True)
LETTER = st.one_of(
    st.sampled_from("\"'\\{}%#$&<>=,.;:é€ßЖω…“"),
    st.characters(codec="ascii", categories=["L", "N"]),
)

NOUN = st.one_of(
    st.sampled_from(NOUNS),
    WORD.filter(lambda noun: len(noun) <= 20),
    WORD.map(lambda noun: f"{noun}_longest_name_there_is"[:20].rstrip("_")),
).filter(lambda noun: complaints({noun: {"size": "int"}}) == [])


def fit(field: str, text: str) -> bool:
    """Whether an entity with only this field is valid."""
    return complaints({"thing": {field: text}}) == []


def optional(texts: st.SearchStrategy[str], *modifiers: str) -> st.SearchStrategy[str]:
    """The type, optional or not, with one of the modifiers or none."""
    return st.builds(
        "{}{}{}".format, texts, st.sampled_from(["", "?"]), st.sampled_from(["", *modifiers])
    )


def defaulted(kind: str, values: st.SearchStrategy[Any]) -> st.SearchStrategy[str]:
    """The type, optional or not, with one of these defaults."""
    return st.builds("{}{} = {}".format, st.just(kind), st.sampled_from(["", "?"]), values)


def numbers(bits: int) -> st.SearchStrategy[int]:
    """Whole numbers of that size, and often its limits."""
    least, most = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    return st.sampled_from([least, -1, 0, most]) | st.integers(least, most)


def strings(size: int) -> st.SearchStrategy[str]:
    """A string of that size: unique, indexed, or with a default."""
    texts = st.text(LETTER, min_size=1, max_size=min(size, 60))
    return optional(st.just(f"str({size})"), " unique", " index") | defaulted(f"str({size})", texts)


def decimals(digits: int, after: int) -> st.SearchStrategy[str]:
    """A decimal number with so many digits: unique, indexed, or with the smallest and largest."""
    kind = f"decimal({digits}, {after})"
    point = f".{'9' * after}" if after else ""
    limits = st.sampled_from(["0", f"{'9' * (digits - after) or '0'}{point}"])
    return optional(st.just(kind), " unique", " index") | defaulted(
        kind, limits | limits.filter(lambda limit: set(limit) - set("0.")).map("-{}".format)
    )


TYPE = st.one_of(
    st.integers(1, 10_000).flatmap(strings) | st.integers(1, 9).flatmap(strings),
    st.integers(1, 15).flatmap(lambda p: st.integers(0, p).flatmap(lambda s: decimals(p, s))),
    optional(st.sampled_from(["text", "int", "bigint", "float", "uuid"]), " unique", " index"),
    optional(st.sampled_from(["date", "datetime", "bytes"]), " unique", " index"),
    optional(st.just("bool"), " index") | optional(st.just("json")),
    defaulted("text", st.text(LETTER, min_size=1, max_size=60)),
    defaulted("int", numbers(32)) | defaulted("bigint", numbers(64)),
    defaulted("bool", st.sampled_from(["true", "false"])),
    defaulted("float", st.from_regex(r"-?(0|[1-9][0-9]{0,14})([.][0-9]{1,14})?", fullmatch=True)),
)


@st.composite
def enums(draw: st.DrawFn) -> str:
    """An enum with some values, of which one may be the default."""
    values = draw(st.lists(VALUE, min_size=1, max_size=5, unique=True))
    default = draw(st.none() | st.sampled_from(values))
    end = draw(st.sampled_from(["", " index"])) if default is None else f" = {default}"
    return f"enum({', '.join(values)}){draw(st.sampled_from(['', '?']))}{end}"


PLAIN = st.tuples(
    st.sampled_from(FIELDS)
    | NAME.map(lambda name: name[:24].rstrip("_"))
    | NAME.map(lambda name: f"{name}_longest_name_there_is"[:24].rstrip("_")),
    TYPE,
)
ENUM = st.tuples(st.sampled_from([*FIELDS, *NOUNS]) | WORD, enums())


@st.composite
def descriptions(draw: st.DrawFn) -> Description:
    """Some entities, each with relations to itself and to those before it."""
    nouns = draw(st.lists(NOUN, min_size=1, max_size=4, unique_by=(str, plural)))
    described: Description = {}
    for entity in nouns:
        if entity not in map(plural, nouns):
            described[entity] = draw(fields(entity, described))
    return described or {"thing": {"name": "text"}}


@st.composite
def fields(draw: st.DrawFn, entity: str, others: Description) -> dict[str, str]:
    """The fields of an entity. Each is valid, and no two conflict."""
    targets = [f"{entity}?", *others, *map("{}?".format, others)]
    relation = st.builds(
        "{}{}".format, st.sampled_from(targets), st.sampled_from(["", " unique", " index"])
    )
    relations = st.tuples(WORD | st.sampled_from(NOUNS + FIELDS), relation)
    drawn = dict(draw(st.lists(PLAIN | ENUM | relations, min_size=1, max_size=9)))
    right = {
        field: text
        for field, text in drawn.items()
        if complaints({**others, entity: {field: text}}) == []
    }
    return {
        field: text
        for field, text in right.items()
        if f"{field}_id" not in right and f"no_{field}" not in right and field not in NOUNS
    } or {"name": "text"}


def plural(noun: str) -> str:
    """The regular plural."""
    said: str = grammar.plural(noun, {})
    return said


DESCRIPTIONS = descriptions()

# Invalid types and names of fields, with the expected messages.
NO_TYPES: list[Any] = [
    None,
    3,
    1.5,
    True,
    [],
    {},
    "",
    " ",
    "?",
    "a b(",
    "Int",
    "int??",
    "str(a\nb)",
]
MISTAKES: list[tuple[Any, str]] = [
    *((text, "must be a type, optionally") for text in NO_TYPES),
    *(
        (text, "must be a type or an entity")
        for text in ["string(3)", "integer", "nobody", "nobody?"]
    ),
    *(
        (text, "must be str with a maximum length")
        for text in ["str", "str(0)", "str(10001)", "str(a)", "str(1, 2)", "str(-1)"]
    ),
    *(
        (text, "must be decimal with its number of digits")
        for text in ["decimal", "decimal(16, 2)", "decimal(2, 3)", "decimal(0, 0)", "decimal(3)"]
    ),
    *(
        (text, "must be enum with values")
        for text in [
            "enum",
            "enum()",
            "enum(a, a)",
            "enum(Draft)",
            "enum(a, )",
            "enum(1)",
            f"enum({'a' * 41})",
            "enum(a b)",
        ]
    ),
    *((text, "without parentheses") for text in ["int(3)", "text(3)", "uuid(4)"]),
    *(
        (text, "cannot be unique, because its type is")
        for text in ["bool unique", "json unique", "enum(a, b) unique"]
    ),
    ("json index", "cannot have an index"),
    ("int unique index", "remove index"),
    ("int index unique", "remove index"),
    ("int unique = 3", "remove one of them"),
    *((text, "each once") for text in ["int unique unique", "int nullable", "int index index"]),
    *(
        (text, "cannot have a default, because its type is")
        for text in ["date = 2026-01-31", "uuid = x", "json = x", "bytes = x", "datetime = now"]
    ),
    *(
        (text, "must have a default that fits")
        for text in [
            "int = 2147483648",
            "int = -2147483649",
            "int = 1.5",
            "int = 01",
            "int =",
            "bigint = 9223372036854775808",
            "bool = yes",
            "bool = True",
            "str(3) = four",
            f"text = {'x' * 61}",
            "text = \u65e5",
            "text = a\u200bb",
            "text = \u202eabc",
            "text = a\x00b",
            "text = e\u0301",
            "decimal(4, 2) = 100",
            "decimal(4, 2) = 0.001",
            "float = 1e3",
            "float = nan",
            "enum(a, b) = c",
        ]
    ),
]
NAMES = [
    *(
        (name, "name must have at most 24")
        for name in [
            "Due",
            "due-on",
            "due__on",
            "due_",
            "_due",
            "x" * 25,
            "été",
            "",
            3,
            None,
            True,
            "a b",
            "{{ x }}",
            "{% x %}",
            "a\n",
            "a\x00",
            "x" * 5000,
        ]
    ),
    *((name, "is a keyword of Python") for name in ["class", "import", "lambda"]),
    *((name, "is a keyword of SQL") for name in ["order", "group", "user", "nothing"]),
    *(
        (name, "models or schemas already use")
        for name in [
            "id",
            "metadata",
            "version",
            "copy",
            "model_config",
            "model_dump_x",
            "date",
            "self",
            "xmin",
        ]
    ),
]


@st.composite
def broken(draw: st.DrawFn) -> tuple[Description, str, str]:
    """A description with one mistake, its place, and the expected message."""
    described = draw(DESCRIPTIONS)
    entity = draw(st.sampled_from(list(described)))
    field: Any = "a_mistake"
    text: Any = "text"
    if draw(st.booleans()):
        text, sentence = draw(st.sampled_from(MISTAKES))
    else:
        field, sentence = draw(st.sampled_from(NAMES))
    described[entity][field] = text
    where = f"{entity}.{field}" if "name must have at most" not in sentence else entity
    return described, where, sentence


def try_some(answers: Answers, folder: Path, *, count: int, start: int) -> str:
    """Try so many descriptions. The same start chooses the same ones."""

    @seed(f"{start} {name(answers)}")
    @settings(
        max_examples=count,
        phases=[Phase.generate],
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(DESCRIPTIONS)
    def all_is_well(description: Description) -> None:
        try_out(folder, {**answers, "ci": "none", "entities": description})
        print(f"{name(answers)}: {', '.join(description)}", flush=True)

    os.environ["MYPY_CACHE_DIR"] = str(folder / f".mypy_cache-{name(answers)}")
    all_is_well()
    return f"{count} descriptions"


def main() -> None:
    """Try descriptions in every variant."""
    options = command_line("tests.fuzz.descriptions", __doc__, each=20).parse_args()
    with TemporaryDirectory() as folder:
        copy_files(ROOT, Path(folder))
        sets = {
            name(answers): partial(
                try_some, answers, Path(folder), count=options.each, start=options.start
            )
            for answers in VARIANTS
        }
        tried = explore(sets, options.jobs)
    sys.exit(len(tried) < len(sets))


if __name__ == "__main__":
    main()
