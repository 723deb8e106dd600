"""What `peers.py` measured, in Markdown."""

import statistics
from pathlib import Path
from typing import NamedTuple

from peers_inside.cases import CASES

BASE = "bare ORM"
DRIVER = "bare driver"
OURS = "generated project"
OTHER_BASES = {"sqlalchemy-bind-manager": "bare ORM of SQLAlchemy 2.0"}
UNITS = {"memory": "MB", "import": "ms"}

BEGIN = "<!-- written by benchmarks/peers.py -->\n"
END = "<!-- written by hand -->\n"

Rounds = list[list[float]]  # of each round: seconds, of them CPU; or the one number of the case
Figures = dict[str, dict[str, Rounds]]  # by case and way


class Report(NamedTuple):
    """What was measured, by variant, and what with."""

    about: list[str]
    figures: dict[str, Figures]


def write_page(report: Report, page: Path) -> None:
    """Put the tables where those of the last run are."""
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n{tables(report, page.stem)}\n{END}{after}", encoding="utf-8")


def tables(report: Report, charts: str = "") -> str:
    """One for each case that was measured; with a chart from the folder of that name."""
    parts = [f"{', '.join(report.about)}.\n"]
    for case in CASES:
        variants = [variant for variant, figures in report.figures.items() if figures.get(case)]
        if variants:
            parts += table(report, case, variants, charts)
    return "\n".join(parts)


def table(report: Report, case: str, variants: list[str], charts: str) -> list[str]:
    title, measured = CASES[case].title, {each: report.figures[each][case] for each in variants}
    names = dict.fromkeys(way for ways in measured.values() for way in ways)
    rows = {way: [cell(case, measured[each], way) for each in variants] for way in names}
    if CASES[case].measures == "time" and {OURS, DRIVER} <= set(names):
        rows["generated project to bare driver"] = [
            ratios(measured[each], OURS, DRIVER) for each in variants
        ]
    return [
        f"### {title[0].upper()}{title[1:]}\n",
        *([f"![{title}]({charts}/{case}.svg)\n"] if charts else []),
        f"| | {' | '.join(variants)} |",
        f"|---{'|---' * len(variants)}|",
        *(f"| {way} | {' | '.join(cells)} |" for way, cells in rows.items()),
        "",
    ]


def cell(case: str, ways: dict[str, Rounds], way: str) -> str:
    """What a way took, as a multiple of the bare ORM of its environment; that one's in seconds."""
    if way not in ways:
        return "–"
    if unit := UNITS.get(CASES[case].measures):
        return f"{statistics.median(first for first, *_ in ways[way]):.1f} {unit}"
    if way in (BASE, *OTHER_BASES.values()):
        return f"{milliseconds(ways[way])} {slowest(ways[way])}".rstrip()
    return f"{ratios(ways, way, OTHER_BASES.get(way, BASE))} {slowest(ways[way])}".rstrip()


def milliseconds(rounds: Rounds) -> str:
    return f"1, {statistics.median(wall for wall, *_ in rounds) * 1000:.3g} ms"


def slowest(rounds: Rounds) -> str:
    """Of units at once: the slowest hundredth, as a multiple of the median."""
    tails = [tail for _, _, *rest in rounds for tail in rest]
    return f"· p99 {statistics.median(tails):.1f} × p50" if tails else ""


def ratios(ways: dict[str, Rounds], way: str, base: str) -> str:
    """The median of the rounds' ratios, with quartiles; then that of CPU."""
    if way not in ways or base not in ways:
        return "–"
    low, middle, high = quartiles(ways, way, base)
    _, cpu, _ = quartiles(ways, way, base, clock=1)
    return f"{middle:.2f} ({low:.2f} to {high:.2f}) · CPU {cpu:.2f}"


def quartiles(ways: dict[str, Rounds], way: str, base: str, clock: int = 0) -> list[float]:
    """Of the rounds' ratios."""
    pairs = zip(ways[way], ways[base], strict=True)
    ratios = [ours[clock] / theirs[clock] for ours, theirs in pairs]
    return statistics.quantiles(ratios, n=4, method="inclusive")
