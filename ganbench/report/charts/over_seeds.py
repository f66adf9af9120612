"""Lines over seeds in charts: each seed by itself, or of many seeds their mean and its interval."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import special

from ganbench.report.charts.vector import INTERVAL, mark, series
from ganbench.report.comparison.statistics import ALPHA
from ganbench.report.scale import MOST_SEEDS_DRAWN, MOST_SEEDS_READ

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ganbench.report.groups import Group
    from ganbench.report.rows import Entry

__all__ = [
    "draw_mean",
    "mean_over_seeds",
    "over_seeds_text",
    "read_entries",
    "sums_up",
]


def sums_up(group: Group) -> bool:
    """Whether a variant has so many seeds that charts show their mean and none by itself."""
    return _most_seeds(group) > MOST_SEEDS_DRAWN


def _most_seeds(group: Group) -> int:
    return max((len(group.started(label)) for label in group.all_labels), default=0)


def read_entries(group: Group, entries: list[Entry]) -> list[Entry]:
    """The runs of a variant whose files are read for a chart: of many seeds, the first ones."""
    return entries[:MOST_SEEDS_READ] if sums_up(group) else entries


def over_seeds_text(group: Group) -> str:
    """How to read a chart in which many seeds are summed up."""
    return f"mean and 95% interval over the first {MOST_SEEDS_READ} of {_most_seeds(group)} seeds"


def mean_over_seeds(frames: list[pd.DataFrame], along: str, name: str) -> pd.DataFrame:
    """The mean of a column over several seeds, row by row, and Student's t interval of it at 95%.

    Args:
        frames: One per seed, recorded at the same steps; some may end early.
        along: The column that says where on the axis a row lies.
        name: The column that is averaged.

    Returns:
        Columns `along`, `mean`, `low` and `high`; the ends are empty where one seed is left.
    """
    rows = pd.concat([frame[[along, name]].reset_index(drop=True) for frame in frames])
    by_row = rows.groupby(level=0)
    mean, count = by_row[name].mean().to_numpy(), by_row[name].count().to_numpy()
    t = -special.stdtrit(np.maximum(count - 1, 1), ALPHA / 2)
    half = t * by_row[name].std().to_numpy() / np.sqrt(np.maximum(count, 1))
    places = by_row[along].mean().to_numpy()
    return pd.DataFrame({along: places, "mean": mean, "low": mean - half, "high": mean + half})


def draw_mean(
    axes: Axes, line: pd.DataFrame, along: str, colour: str, label: str, variant: str
) -> None:
    """Draw what `mean_over_seeds` gives: a line, and a band behind it."""
    band = axes.fill_between(
        line[along], line["low"], line["high"], color=colour, alpha=0.2, linewidth=0
    )  # fmt: skip
    mark(band, variant, kind=INTERVAL)
    drawn = axes.plot(line[along], line["mean"], color=colour, linewidth=1.5, label=label)
    series(drawn, variant, f"{variant}, {label}" if label != variant else f"{variant}, mean")
