"""How many conditionals the template's files have, per 1,000 lines: over all and by file.

Run with `uv run python benchmarks/conditionals.py`. A conditional is a statement of Jinja that may
leave lines out or repeat them: `{% if %}`, `{% elif %}` or `{% for %}`. A condition inside an
expression, `{{ … if … }}`, is counted in a column of its own.
"""

import argparse
import json
import re
from pathlib import Path
from typing import NamedTuple

TEMPLATE = Path(__file__).parents[1] / "template"
STATEMENT = re.compile(r"\{%[-+]?\s*(?:if|elif|for)\b")
INLINE = re.compile(r"\{\{(?:(?!\}\}).)*?\bif\b", re.DOTALL)


class Count(NamedTuple):
    """The conditionals of one file, or of several."""

    path: str
    lines: int
    conditionals: int
    inline: int

    @property
    def per_thousand(self) -> float:
        """Conditionals per 1,000 lines."""
        return 1000 * self.conditionals / self.lines if self.lines else 0.0


def main() -> None:
    """Print the table, or the same as JSON."""
    options = parse()
    counts = sorted(counted(options.template), key=lambda each: -each.per_thousand)
    if options.json:
        files = [{**each._asdict(), "per_thousand": round(each.per_thousand, 1)} for each in counts]
        print(json.dumps(files))
    else:
        print(table(counts))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("template", type=Path, nargs="?", default=TEMPLATE, help="its folder")
    parser.add_argument("--json", action="store_true", help="every file, as JSON")
    return parser.parse_args()


def counted(template: Path) -> list[Count]:
    """One count for each file that Copier renders."""
    return [
        count(path.relative_to(template).as_posix(), path.read_text(encoding="utf-8"))
        for path in sorted(template.rglob("*.jinja"))
    ]


def count(path: str, text: str) -> Count:
    """The conditionals in a file's text."""
    return Count(path, text.count("\n"), len(STATEMENT.findall(text)), len(INLINE.findall(text)))


def total(counts: list[Count]) -> Count:
    """All of them together."""
    return Count(
        "all files",
        sum(each.lines for each in counts),
        sum(each.conditionals for each in counts),
        sum(each.inline for each in counts),
    )


def table(counts: list[Count]) -> str:
    """In Markdown, the whole first, then the files that have conditionals."""
    lines = ["| file | lines | conditionals | inline | per 1,000 lines |", "|---|--:|--:|--:|--:|"]
    for each in [total(counts), *(each for each in counts if each.conditionals)]:
        lines.append(
            f"| {each.path} | {each.lines} | {each.conditionals} | {each.inline} "
            f"| {each.per_thousand:.1f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
