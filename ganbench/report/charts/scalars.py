"""Chart of further numbers that losses record, such as penalties."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from ganbench.report.charts.letters import legend_columns
from ganbench.report.charts.losses import thousands
from ganbench.report.charts.over_seeds import (
    draw_mean,
    mean_over_seeds,
    over_seeds_text,
    read_entries,
    sums_up,
)
from ganbench.report.charts.style import canvas
from ganbench.report.charts.vector import mark_legend, series
from ganbench.report.recorded import read_history

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from ganbench.report.charts.style import ChartStyle
    from ganbench.report.groups import Group

__all__ = ["further_columns", "scalars"]

_ACROSS = 4
_LAST_OF_ALL_RUNS = "images_per_second"  # columns after it are those of the variant's own losses


def further_columns(history: pd.DataFrame) -> list[str]:
    """Names of the scalars that the variant's own losses recorded in a history."""
    names = list(history.columns)
    if _LAST_OF_ALL_RUNS not in names:
        return []
    return names[names.index(_LAST_OF_ALL_RUNS) + 1 :]


def scalars(group: Group, style: ChartStyle) -> Figure | None:
    """Small multiples: one panel per scalar, one line per run, coloured by variant.

    Of many seeds, one line per variant is their mean.
    """
    histories = [
        (label, entry.result.seed, history)
        for label in group.all_labels
        for entry in read_entries(group, group.started(label))
        if (history := read_history(entry.run.history)) is not None
    ]
    names = list(
        dict.fromkeys(
            name
            for *_, frame in histories
            for name in further_columns(frame)
            if frame[name].notna().any()
        )
    )
    if not names:
        return None
    across = min(style.across(_ACROSS), len(names))
    down = math.ceil(len(names) / across)
    labels = [
        label
        for label in group.all_labels
        if any(own == label and set(names) & set(frame.columns) for own, _, frame in histories)
    ]
    width = style.width(max(5.5, 1.2 + 2.6 * across))
    in_a_row = legend_columns(labels, width)
    figure = canvas(
        width, 2.3 * down + 0.2 * math.ceil(len(labels) / in_a_row),
        f"What the losses record · {group.title}",
        (over_seeds_text(group) if sums_up(group) else "one line per run")
        + "; each variant in its colour", style,
    )  # fmt: skip
    grid = figure.subplots(down, across, squeeze=False)
    for axes in grid.flat[len(names) :]:
        axes.set_visible(False)
    for axes, name in zip(grid.flat, names, strict=False):
        if sums_up(group):
            for label in group.all_labels:
                frames = [f for other, _, f in histories if other == label and name in f]
                if frames:
                    line = mean_over_seeds(frames, "step", name).dropna(subset=["mean"])
                    draw_mean(axes, line, "step", style.colour(label), label, label)
        for label, seed, history in [] if sums_up(group) else histories:
            if name not in history:
                continue
            values = history[["step", name]].dropna()
            drawn = axes.plot(
                values["step"], values[name], color=style.colour(label), linewidth=1.0,
                linestyle=style.dashes(label),
            )  # fmt: skip
            series(drawn, label, f"{label}, seed {seed}")
        axes.set_title(name.replace("_", " "))
        axes.set_xlabel("step")
        axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.xaxis.set_major_formatter(FuncFormatter(thousands))
        axes.yaxis.set_major_locator(MaxNLocator(4))
    handles = [
        Line2D([], [], color=style.colour(one), linestyle=style.dashes(one), label=one)
        for one in labels
    ]
    legend = figure.legend(handles=handles, loc="outside lower center", ncols=in_a_row)
    mark_legend(legend, labels)
    return figure
