"""Chart of scores during training, against images, steps and seconds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from ganbench.report import columns
from ganbench.report.charts.letters import legend_columns
from ganbench.report.charts.over_seeds import (
    draw_mean,
    mean_over_seeds,
    over_seeds_text,
    read_entries,
    sums_up,
)
from ganbench.report.charts.style import canvas
from ganbench.report.charts.vector import mark_legend, series
from ganbench.report.recorded import read_scores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ganbench.report.charts.style import ChartStyle
    from ganbench.report.groups import Group

__all__ = ["over_training"]

_SCORES = ("fid", "modes_covered", "coverage")
_SCORES_OF_POINTS = ("fid", "modes_covered", "high_quality")
_AXES = (
    ("images_seen", "images seen"),
    ("step", "steps"),
    ("seconds", "training time, s"),
)
_LOGARITHMIC_FROM = 8.0  # largest value over smallest
_THOUSAND = 1000


def over_training(group: Group, style: ChartStyle) -> Figure | None:
    """Small multiples: one row per score, one column per way to count the training.

    A thin line is one seed, a thick one the mean over seeds.
    """
    frames = {
        label: [
            (entry.result.seed, frame)
            for entry in read_entries(group, group.of(label))
            if (frame := read_scores(entry.run.scores)) is not None
        ]
        for label in group.labels
    }
    frames = {label: by_seed for label, by_seed in frames.items() if by_seed}
    everything = [frame for by_seed in frames.values() for _, frame in by_seed]
    if not everything or max(map(len, everything)) == 1:
        return None
    several = max(map(len, frames.values())) > 1
    reading = "thin: one seed, thick: the mean" if several else ""
    if sums_up(group):
        reading = over_seeds_text(group)
    scores = _measured(_SCORES_OF_POINTS if group.is_of_points else _SCORES, everything)
    if not scores:
        return None
    counted = _AXES[::2] if style.is_narrow else _AXES  # images and seconds say the most
    width = style.width(9.2)
    names = legend_columns(list(frames), width)
    height = 0.4 + 1.85 * len(scores) + 0.2 * math.ceil(len(frames) / names)
    figure = canvas(
        width, height, f"Scores over training · {group.title}",
        "; ".join(filter(None, ("on half of the evaluation noise", reading))), style,
    )  # fmt: skip
    grid = figure.subplots(len(scores), len(counted), squeeze=False, sharey="row", sharex="col")
    for row, score in enumerate(scores):
        for place, (along, title) in enumerate(counted):
            axes = grid[row, place]
            for label, by_seed in frames.items():
                if sums_up(group) and len(by_seed) > 1:
                    line = mean_over_seeds([frame for _, frame in by_seed], along, score)
                    draw_mean(axes, line, along, style.colour(label), label, label)
                else:
                    _lines(axes, by_seed, along, score, label, style)
            axes.set_title("")
            axes.set_xlabel(title.replace("images", group.unit) if row == len(scores) - 1 else "")
            axes.set_ylabel(columns.column(score).heading(group.backbone) if place == 0 else "")
            if row == 0:
                _across(axes, np.concatenate([frame[along].to_numpy() for frame in everything]))
        _upward(grid[row, 0], score, pd.concat(everything)[score].dropna().to_numpy(), group)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    legend = figure.legend(handles, labels, loc="outside lower center", ncols=names)
    mark_legend(legend, labels)
    return figure


def _measured(scores: Sequence[str], frames: list[pd.DataFrame]) -> list[str]:
    """Those of some scores that any run has, so that no panel is empty."""
    return [score for score in scores if any(f[score].notna().any() for f in frames if score in f)]


def _lines(
    axes: Axes,
    by_seed: list[tuple[int, pd.DataFrame]],
    along: str,
    score: str,
    label: str,
    style: ChartStyle,
) -> None:
    colour, dashes = style.colour(label), style.dashes(label)
    several = len(by_seed) > 1
    frames = [frame for _, frame in by_seed if score in frame]
    for seed, frame in by_seed:
        if score not in frame:
            continue
        line = axes.plot(
            frame[along], frame[score], color=colour, linewidth=0.8 if several else 1.7,
            alpha=0.35 if several else 1.0, marker="" if several else style.marker(label),
            markersize=style.marker_size(label, 3.5), label="_" if several else label,
            linestyle=dashes,
        )  # fmt: skip
        series(line, label, f"{label}, seed {seed}")
    if several and frames:
        count = min(map(len, frames))
        shortest = [frame[[along, score]].head(count) for frame in frames]
        mean = pd.concat(shortest).groupby(level=0).mean()
        line = axes.plot(
            mean[along], mean[score], color=colour, linewidth=1.9, marker=style.marker(label),
            markersize=style.marker_size(label, 4), label=label, linestyle=dashes,
        )  # fmt: skip
        series(line, label, f"{label}, mean of {len(frames)} seeds")


def _across(axes: Axes, values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    positive = values[values > 0]
    if positive.size and positive.max() / positive.min() > _LOGARITHMIC_FROM:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=6))
        axes.xaxis.set_minor_formatter(NullFormatter())
    else:
        axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(FuncFormatter(_short))


def _upward(
    axes: Axes, score: str, values: np.ndarray[tuple[int], np.dtype[np.float64]], group: Group
) -> None:
    if score.startswith("modes_covered") and group.modes_total:
        axes.set_ylim(-0.04 * group.modes_total, 1.04 * group.modes_total)
    elif columns.column(score).is_share:
        axes.set_ylim(-0.03, 1.03)
    elif values.size and values.min() > 0 and values.max() / values.min() > _LOGARITHMIC_FROM:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=6))
        axes.yaxis.set_major_formatter(FuncFormatter(_short))
        axes.yaxis.set_minor_formatter(NullFormatter())


def _short(value: float, _position: int) -> str:
    return f"{value / _THOUSAND:g}k" if abs(value) >= _THOUSAND else f"{value:g}"
