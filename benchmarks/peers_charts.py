"""Draw a chart of each case that `peers.py` measured: from JSON, into a folder.

The colours are readable on white and on black.
"""

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

GREY, OURS = "#82868c", "#e8590c"
STYLE = {
    "axes.edgecolor": GREY,
    "axes.labelcolor": GREY,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": GREY,
    "font.family": "sans-serif",
    "font.size": 8,
    "svg.fonttype": "none",
    "svg.hashsalt": "peers",  # so that the same figures give the same file
    "text.color": GREY,
    "xtick.color": GREY,
    "ytick.color": GREY,
}
DECADE = 10

Chart = dict[str, Any]  # see charts() of peers_page


def draw(chart: Chart, file: Path) -> None:
    """Draw a panel for each database and mode, side by side, with a line for each way."""
    ways, panels = chart["ways"], chart["panels"]
    figure, axes = plt.subplots(
        ncols=len(panels),
        figsize=(1.9 + 1.75 * len(panels), 0.75 + 0.21 * len(ways)),
        sharey=True,
        sharex=True,
        squeeze=False,
        layout="constrained",
    )
    for axis, (variant, figures) in zip(axes[0], panels.items(), strict=True):
        draw_panel(axis, ways, figures, chart["ours"])
        axis.set_title(variant.replace("-", ", "), fontsize=8)
    scale(axes[0], chart)
    figure.supxlabel(chart["unit"], fontsize=8)
    figure.savefig(file, transparent=True, metadata={"Date": None})
    plt.close(figure)


def draw_panel(axis: Axes, ways: list[str], figures: dict[str, list[float]], ours: str) -> None:
    for line, way in enumerate(ways):
        if way in figures:
            low, middle, high = figures[way]
            colour = OURS if way == ours else GREY
            axis.plot([low, high], [line, line], color=colour, linewidth=1.5)
            axis.plot(middle, line, "o", color=colour, markersize=4)
            axis.annotate(
                f"{float(f'{middle:.2g}'):g}",
                (high, line),
                (4, 0),
                color=colour,
                textcoords="offset points",
                va="center",
                fontsize=7,
            )
    axis.set_yticks(range(len(ways)), ways)
    axis.set_ylim(len(ways) - 0.5, -0.5)
    axis.tick_params(length=0)
    axis.grid(axis="x", color=GREY, alpha=0.25, linewidth=0.5)


def scale(axes: list[Axes], chart: Chart) -> None:
    """Give all panels the same scale; logarithmic if the figures differ by more than a decade."""
    figures = [each for panel in chart["panels"].values() for each in panel.values()]
    lowest, highest = min(low for low, _, _ in figures), max(high for _, _, high in figures)
    if lowest and highest / lowest > DECADE:
        axes[0].set_xscale("log")
        axes[0].set_xlim(lowest / 1.3, highest * 3)
        axes[0].xaxis.set_major_locator(LogLocator(subs=(1,) if highest / lowest > 50 else (1, 3)))
        axes[0].xaxis.set_minor_locator(NullLocator())
    else:
        axes[0].set_xlim(0, highest * 1.3)
    axes[0].xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    if chart["is_ratio"]:
        for axis in axes:
            axis.axvline(1, color=GREY, linewidth=0.8, zorder=0)


if __name__ == "__main__":
    mpl.use("svg")
    mpl.rcParams.update(STYLE)
    folder = Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    for name, chart in json.load(sys.stdin).items():
        draw(chart, folder / f"{name}.svg")
