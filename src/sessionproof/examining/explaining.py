"""Render the rules as a page in Markdown: what each one finds, an example, and the right code."""

import re
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import yaml

RULES = Path(__file__).parent / "ast-grep/rules"
SNIPPET = re.compile(r"^ {4}.*\n(?:^ {4}.*\n|^\n+(?= {4}))*", re.MULTILINE)
INTRODUCTION = """\
# Rules

Each rule finds one way in which database sessions go wrong. For each rule, this page shows code that the rule finds, the
problem, and the right code. There, a unit of work is a block that opens a session, commits or rolls back, and closes it.
`just rules --explain RULE` prints one section.

## Where do the rules run?

`just rules`, a part of `just lint`, checks a generated project. Every finding is an error there. The rules come from the template,
in the version that the project follows. After an update that brings new rules, findings only warn until the next update. The rules
skip `tests/persistence/`, whose tests misuse sessions on purpose.

[`examine`](../how-to/examine.md) checks any other Python project. There the level says how sure a rule is:

| level | means |
|---|---|
| `error` | the code goes wrong if the name is that of a session |
| `warning` | the code may go wrong; that depends on code that the rule does not see |
| `info` | worth a look |

## What counts as a session?

The rules are written for [ast-grep](https://ast-grep.github.io), which sees names and not types:

| name | is a session |
|---|---|
| `db_session`, `sql_session`, `uow`, `unit_of_work` and the like | in every file |
| `session`, `async_session`, `new_session` and the like | in a file that imports SQLAlchemy, SQLModel or a function such as `get_session` |
| `db` | in such a file, if an annotation such as `db: Session` declares it, or `get_db()` or a session class fills it |

So a rule misses sessions with other names, and may report an object that only has the name of a session.

## Suppress a finding

If a rule is wrong, or you have a reason, name the rule and give the reason. The comment stands above the line or at its end:

```python
# ast-grep-ignore: second-provider - the one place that makes engines
engine = create_engine(url)
```

## Add your own rules

Write an `sgconfig.yml`, as ast-grep's documentation shows. `just rules` then runs your rules too.

## Every rule

The last column has the numbers of the [incidents](../explanation/incidents.md) that a rule comes from.
"""


def page() -> str:
    """Return the page: an introduction, a table of all rules, and a section for each."""
    rules = [loaded(name) for name in names()]
    table = ["| rule | level | incidents |", "|---|---|---|", *map(_row, rules)]
    return "\n".join([INTRODUCTION, *table, "", *(section(rule["id"]) for rule in rules)])


def section(name: str) -> str:
    """Return one rule's section: the problem, code that the rule finds, and the right code."""
    rule = loaded(name)
    example = f"```python\n{rule['metadata']['example'].strip()}\n```"
    note = SNIPPET.sub(_fenced, rule["note"]).strip()
    return "\n\n".join([f"### {name}", f"{rule['message']}.", example, f"{note}\n"])


def names() -> list[str]:
    """Return the names of all rules, sorted."""
    return sorted(file.stem for file in RULES.glob("*.yml"))


def loaded(name: str) -> dict[str, Any]:
    """Return the rule with this name."""
    rule: dict[str, Any] = yaml.safe_load((RULES / f"{name}.yml").read_text(encoding="utf-8"))
    return rule


def _row(rule: Mapping[str, Any]) -> str:
    incidents = rule["metadata"]["incident"] or []
    numbers = incidents if isinstance(incidents, list) else [incidents]
    name = rule["id"]
    return f"| [{name}](#{name}) | {rule['severity']} | {', '.join(map(str, numbers))} |"


def _fenced(code: re.Match[str]) -> str:
    return f"```python\n{dedent(code[0]).strip()}\n```\n"
