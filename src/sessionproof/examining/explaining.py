"""The rules as a page in Markdown: what each one finds, an example, and what is right instead."""

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

`just rules`, a part of `just lint`, looks for code in which database sessions go wrong. `just rules --explain RULE` prints a
section of this page. The rules are written for [ast-grep](https://ast-grep.github.io) and come from the template, in the
version that the project has. They go by names: a session is called `session`, `db_session` or `uow` in a file that imports
SQLAlchemy, or `db` if an annotation such as `db: Session` declares it. So a rule misses sessions with other names, and may
be wrong. If it is wrong, write the reason in a comment above the line, or at its end:

```python
# ast-grep-ignore: second-provider - the one place that makes engines
engine = create_engine(url)
```

In a project of the template, every finding is an error. The level in the table says how sure a rule is about other code: an
`error` goes wrong if the name is a session, a `warning` may go wrong, an `info` is worth a look. The rules skip
`tests/persistence/`, where tests misuse sessions on purpose. After an update, new rules only warn until the next update.

To add rules of your own, write an `sgconfig.yml` as ast-grep's documentation shows; `just rules` runs them too.

The last column has the numbers of the [incidents](../explanation/incidents.md) that the rules come from.
"""


def page() -> str:
    """Every rule, with a table of them."""
    rules = [loaded(name) for name in names()]
    table = ["| rule | level | incidents |", "|---|---|---|", *map(_row, rules)]
    return "\n".join([INTRODUCTION, *table, "", *(section(rule["id"]) for rule in rules)])


def section(name: str) -> str:
    """One rule: what goes wrong, code that the rule finds, and what to do."""
    rule = loaded(name)
    example = f"```python\n{rule['metadata']['example'].strip()}\n```"
    note = SNIPPET.sub(_fenced, rule["note"]).strip()
    return "\n\n".join([f"### {name}", f"{rule['message']}.", example, f"{note}\n"])


def names() -> list[str]:
    """The rules' names."""
    return sorted(file.stem for file in RULES.glob("*.yml"))


def loaded(name: str) -> dict[str, Any]:
    """The rule of that name."""
    rule: dict[str, Any] = yaml.safe_load((RULES / f"{name}.yml").read_text(encoding="utf-8"))
    return rule


def _row(rule: Mapping[str, Any]) -> str:
    incidents = rule["metadata"]["incident"] or []
    numbers = incidents if isinstance(incidents, list) else [incidents]
    name = rule["id"]
    return f"| [{name}](#{name}) | {rule['severity']} | {', '.join(map(str, numbers))} |"


def _fenced(code: re.Match[str]) -> str:
    return f"```python\n{dedent(code[0]).strip()}\n```\n"
