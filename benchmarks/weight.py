"""Count the files and lines of a generated project by part, and the sizes of its kernel's functions.

Run with `uv run python benchmarks/weight.py --against 0.8.1`. It renders the default project, and one
with PostgreSQL, HTTP and a worker; `--answers mode=sync` renders another one. `--against` names a
release or a commit to compare with.
"""

import ast
import json
import statistics
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from rendering import ROOT, earlier, render, snapshot

from tests.support.repository import matcher

SETS = {
    "default": "",
    "PostgreSQL, async, HTTP, worker": "database=postgresql mode=async http=true worker=true",
}
PARTS = {
    "in all": ["*"],
    "kernel": ["/src/*/persistence/"],
    "kernel's tests": [
        *("/tests/persistence/", "/tests/http/", "/tests/workers/", "/tests/test_factories.py"),
        *("/tests/entrypoints/test_db.py", "/tests/entrypoints/test_output.py"),
    ],
    "tools and rules": ["/tools/", "/sgconfig.yml"],
    "test kit": ["/tests/kit/"],
    "docs": ["/README.md", "/docs/"],
}


@dataclass(frozen=True)
class Weight:
    """The files and lines of each part of a project, and the sizes of its kernel's functions."""

    parts: Mapping[str, tuple[int, int]]
    functions: int
    median_body: float
    longest_but_a_tenth: float
    longest_line: int


def main() -> None:
    """Print a table for each set of answers, or all of them as JSON."""
    options = parsed()
    sets = {" ".join(options.answers): options.answers} if options.answers else SETS
    weights: dict[str, dict[str, Weight]] = {name: {} for name in sets}
    with TemporaryDirectory() as folder:
        for title, template in templates(Path(folder), options.against):
            for name, answers in sets.items():
                words = answers.split() if isinstance(answers, str) else answers
                project = render(template, Path(folder) / title / name, dict(map(pair, words)))
                weights[name][title] = weigh(project)
    if options.json:
        print(json.dumps(weights, default=asdict, indent=2))
    else:
        print("\n\n".join(table(name, each) for name, each in weights.items()))


def parsed() -> Namespace:
    """Read the command line."""
    parser = ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--answers",
        nargs="*",
        metavar="QUESTION=ANSWER",
        help="render one project with these answers",
    )
    parser.add_argument("--against", metavar="VERSION", help="compare with this release or commit")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args()


def pair(word: str) -> tuple[str, str | bool]:
    """Split `question=answer`."""
    question, _, answer = word.partition("=")
    return question, {"true": True, "false": False}.get(answer, answer)


def templates(folder: Path, against: str | None) -> Iterator[tuple[str, Path]]:
    """Yield the earlier template, if there is one, and that of the working tree."""
    if against:
        yield against, earlier(against, folder / "before")
    snapshot(ROOT, folder / "now")
    yield "now", folder / "now"


def weigh(project: Path) -> Weight:
    """Count a rendered project."""
    files = {
        path.relative_to(project).as_posix(): path.read_bytes().count(b"\n")
        for path in project.rglob("*")
        if path.is_file()
    }
    belongs = {part: matcher(patterns) for part, patterns in PARTS.items()}
    parts = {
        part: [lines for path, lines in files.items() if of(path)] for part, of in belongs.items()
    }
    modules = [project / path for path in filter(belongs["kernel"], files)]
    sources = [path.read_text(encoding="utf-8") for path in modules if path.suffix == ".py"]
    bodies = [lines for source in sources for lines in body_lengths(ast.parse(source))]
    return Weight(
        parts={part: (len(lines), sum(lines)) for part, lines in parts.items()},
        functions=len(bodies),
        median_body=statistics.median(bodies),
        longest_but_a_tenth=statistics.quantiles(bodies, n=10)[-1],
        longest_line=max(len(line) for source in sources for line in source.splitlines()),
    )


def body_lengths(module: ast.Module) -> Iterator[int]:
    """Yield the lines of each function, without signature and docstring."""
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            yield (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def table(name: str, weights: Mapping[str, Weight]) -> str:
    """Return a Markdown table with a column for each version."""
    lines = [
        f"| {name} | {' | '.join(weights)} |",
        f"|---|{'---|' * len(weights)}",
        *(row(part, weights, partial(in_part, part)) for part in PARTS),
        row("functions of the kernel", weights, lambda each: f"{each.functions:,}"),
        row("their bodies: median", weights, lambda each: f"{each.median_body:g}"),
        row("their bodies: 90th percentile", weights, lambda each: f"{each.longest_but_a_tenth:g}"),
        row("longest line of the kernel", weights, lambda each: f"{each.longest_line}"),
    ]
    return "\n".join(lines)


def in_part(part: str, weight: Weight) -> str:
    """Return the files and lines of a part."""
    files, lines = weight.parts[part]
    return f"{files:,} / {lines:,}"


def row(name: str, weights: Mapping[str, Weight], shown: Callable[[Weight], str]) -> str:
    """Return one line of the table."""
    return f"| {name} | {' | '.join(map(shown, weights.values()))} |"


if __name__ == "__main__":
    main()
