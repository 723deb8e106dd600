"""Count the conditionals in the template's files, per 1,000 lines, in total and for each file.

Run with `uv run python benchmarks/conditionals.py`. A conditional is a Jinja statement that may omit
or repeat lines: `{% if %}`, `{% elif %}` or `{% for %}`. Conditions inside an expression,
`{{ … if … }}`, are counted in a separate column.
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
    parser.add_argument(
        "template", type=Path, nargs="?", default=TEMPLATE, help="the folder of the template"
    )
    parser.add_argument("--json", action="store_true", help="print every file as JSON")
    return parser.parse_args()


def counted(template: Path) -> list[Count]:
    """Count each file that Copier renders."""
    return [
        count(path.relative_to(template).as_posix(), path.read_text(encoding="utf-8"))
        for path in sorted(template.rglob("*.jinja"))
    ]


def count(path: str, text: str) -> Count:
    """Count the conditionals in the text of a file."""
    return Count(path, text.count("\n"), len(STATEMENT.findall(text)), len(INLINE.findall(text)))


def total(counts: list[Count]) -> Count:
    """Return the sum of all counts."""
    return Count(
        "all files",
        sum(each.lines for each in counts),
        sum(each.conditionals for each in counts),
        sum(each.inline for each in counts),
    )


def table(counts: list[Count]) -> str:
    """Return a Markdown table: the total, then each file that has conditionals."""
    lines = ["| file | lines | conditionals | inline | per 1,000 lines |", "|---|--:|--:|--:|--:|"]
    for each in [total(counts), *(each for each in counts if each.conditionals)]:
        lines.append(
            f"| {each.path} | {each.lines} | {each.conditionals} | {each.inline} "
            f"| {each.per_thousand:.1f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
