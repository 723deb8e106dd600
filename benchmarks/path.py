"""List the modules of a project that a unit of work passes through, and the calls in each.

Run with `uv run python benchmarks/path.py`. The unit contains `uow.tasks.get(1)`, and runs after a
few others, so that every cache is filled.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from units import VARIANTS, run, written

INSIDE = Path(__file__).with_name("path_inside.py")

Calls = dict[str, dict[str, int]]  # by module and function


def main() -> None:
    """Print a table for each variant, or the figures as JSON."""
    options = parse()
    figures = count(options.only)
    if options.json:
        print(json.dumps(figures))
    else:
        print("\n\n".join(table(variant, calls) for variant, calls in figures.items()))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=VARIANTS, default=VARIANTS)
    parser.add_argument(
        "--json", action="store_true", help="print every function with its calls, as JSON"
    )
    return parser.parse_args()


def count(variants: Sequence[str]) -> dict[str, Calls]:
    """Count the calls in a project of each variant."""
    return {variant: run(project, INSIDE) for variant, project in written(variants, INSIDE)}


def table(variant: str, calls: Calls) -> str:
    """Return a Markdown table; the modules with most calls come first."""
    sums = {module: sum(functions.values()) for module, functions in calls.items()}
    lines = [
        f"{variant}: {len(sums)} modules, {sum(sums.values())} calls\n",
        "| module | calls | functions |",
        "|---|---|---|",
    ]
    for module in sorted(sums, key=lambda each: (-sums[each], each)):
        functions = calls[module].items()
        named = ", ".join(f"{name} {count}" if count > 1 else name for name, count in functions)
        lines.append(f"| {module} | {sums[module]} | {named} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
