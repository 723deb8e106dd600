"""Turn the figures of `peers.py` into Markdown tables, and into data for charts."""

import statistics
from pathlib import Path
from typing import NamedTuple

from peers_inside.cases import CASES
from ratios import quartiles, ratio

BASE = "bare ORM"
DRIVER = "bare driver"
OURS = "generated project"
BASE_OF_2_0 = "bare ORM of SQLAlchemy 2.0"
BIND_MANAGER = "sqlalchemy-bind-manager"
LIBRARIES = {
    "advanced-alchemy, repository",
    "advanced-alchemy, service",
    "fastcrud",
    BIND_MANAGER,
}
UNITS = {"memory": "MB", "import": "ms"}

BEGIN = "<!-- written by benchmarks/peers.py -->\n"
END = "<!-- end of the part that benchmarks/peers.py writes -->\n"

Rounds = list[list[float]]  # by round: seconds on the clock and of CPU, or one other number
Ways = dict[str, Rounds]
Figures = dict[str, Ways]  # by case


class Report(NamedTuple):
    """The figures by database and mode, and a description of the environment."""

    about: list[str]
    ways: list[str]  # all ways, in their order
    figures: dict[str, Figures]


def write_page(report: Report, page: Path) -> None:
    """Replace the tables of the last run, each below its chart."""
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n{tables(report, page.stem)}\n{END}{after}", encoding="utf-8")


def tables(report: Report, folder: str = "") -> str:
    """Return a table for each case, below its chart if there is a folder of charts."""
    parts = [f"Environment: {', '.join(report.about)}.\n"]
    for case in CASES:
        if panels := panels_of(report, case):
            title = CASES[case].title
            image = [f"![{title}]({folder}/{case}.svg)\n"] if folder else []
            parts += [f"### {title[0].upper()}{title[1:]}\n", *image, table(report, case, panels)]
    return "\n".join(parts)


def charts(report: Report) -> dict[str, dict[str, object]]:
    """Return the data for `peers_charts.py`, by case."""
    return {
        case: chart(report, case, panels) for case in CASES if (panels := panels_of(report, case))
    }


def panels_of(report: Report, case: str) -> Figures:
    """Return the figures of a case, by database and mode."""
    return {
        variant: figures[case] for variant, figures in report.figures.items() if figures.get(case)
    }


def table(report: Report, case: str, panels: Figures) -> str:
    """Return the table of a case; it lists every library, even those that have no way."""
    named = measured(panels) | (LIBRARIES if is_timed(case) else set())
    rows = {
        f"**{way}**" if way == OURS else way: [cell(case, ways, way) for ways in panels.values()]
        for way in report.ways
        if way in named
    }
    if is_timed(case) and {OURS, DRIVER} <= named:
        rows[f"*{OURS}, relative to the {DRIVER}*"] = [
            compared(ways, OURS, DRIVER) for ways in panels.values()
        ]
    lines = [
        ["", *panels],
        ["---"] * (len(panels) + 1),
        *([way, *row] for way, row in rows.items()),
    ]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def measured(panels: Figures) -> set[str]:
    """Return the ways that were measured in any of the panels."""
    return {way for ways in panels.values() for way in ways}


def chart(report: Report, case: str, panels: Figures) -> dict[str, object]:
    drawn = measured(panels) - {BASE_OF_2_0}
    return {
        "ways": [way for way in report.ways if way in drawn],
        "ours": OURS,
        "is_ratio": is_timed(case),
        "unit": UNITS.get(CASES[case].measures, f"time, as a multiple of the {BASE}'s"),
        "panels": {
            variant: {way: spread(case, ways, way) for way in ways if way in drawn}
            for variant, ways in panels.items()
        },
    }


def cell(case: str, ways: Ways, way: str) -> str:
    """Return a way's time relative to the bare ORM; for the bare ORM itself, milliseconds."""
    if way not in ways:
        return "–"
    if not is_timed(case):
        _, middle, _ = spread(case, ways, way)
        return f"{middle:.1f} {UNITS[CASES[case].measures]}"
    if way == base_of(way):
        time = statistics.median(clock(ways[way])) * 1000
        return f"1, {float(f'{time:.3g}'):g} ms{tail(ways[way])}"
    return compared(ways, way, base_of(way)) + tail(ways[way])


def compared(ways: Ways, way: str, base: str) -> str:
    """Return the median of the rounds' ratios, with quartiles, then the median of CPU ratios."""
    if not {way, base} <= set(ways):
        return "–"
    ours, theirs = ways[way], ways[base]
    _, cpu, _ = quartiles(clock(ours, 1), clock(theirs, 1))
    return f"{ratio(clock(ours), clock(theirs))}, CPU {cpu:.2f}"


def tail(rounds: Rounds) -> str:
    """Return, for concurrent units, the 99th percentile as a multiple of the median."""
    tails = [each for _, _, *rest in rounds for each in rest]
    return f", p99 {statistics.median(tails):.1f} × p50" if tails else ""


def spread(case: str, ways: Ways, way: str) -> list[float]:
    """Return the quartiles of the ratios, or of the figures if the case is not timed."""
    if is_timed(case):
        return quartiles(clock(ways[way]), clock(ways[base_of(way)]))
    figures = clock(ways[way])
    if len(figures) == 1:
        return figures * 3
    return statistics.quantiles(figures, n=4, method="inclusive")


def clock(rounds: Rounds, which: int = 0) -> list[float]:
    """Return one of the numbers of each round."""
    return [numbers[which] for numbers in rounds]


def is_timed(case: str) -> bool:
    return CASES[case].measures == "time"


def base_of(way: str) -> str:
    """Return the bare ORM of the environment in which the way is measured."""
    return BASE_OF_2_0 if way in (BASE_OF_2_0, BIND_MANAGER) else BASE
