"""Chart of the losses and the discriminator's outputs over the steps."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from ganbench.report.charts.over_seeds import (
    draw_mean,
    mean_over_seeds,
    over_seeds_text,
    read_entries,
    sums_up,
)
from ganbench.report.charts.style import canvas
from ganbench.report.charts.vector import mark_name, series
from ganbench.report.recorded import read_history

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ganbench.report.charts.style import ChartStyle
    from ganbench.report.groups import Group

__all__ = ["losses", "thousands"]

_ACROSS = 5
_WINDOWS = 25  # a line is smoothed over a 25th of its points
_ROWS = (
    ("loss", (("d_loss", "discriminator"), ("g_loss", "generator"))),
    ("D(x) and D(G(z))", (("d_real", "D(x), real"), ("d_fake_before", "D(G(z)), generated"))),
)
_OUTLIERS = 0.005
_THOUSAND = 1000


def losses(group: Group, style: ChartStyle) -> Figure | None:
    """Small multiples: one column per variant; losses above, D(x) and D(G(z)) below.

    Runs that diverged are shown too: their losses show how.
    """
    histories = {
        label: frames for label in group.all_labels if (frames := _histories(group, label))
    }
    if not histories:
        return None
    rows = _measured([frame for frames in histories.values() for _, frame in frames])
    if not rows:
        return None
    bands = math.ceil(len(histories) / style.across(_ACROSS, 2))
    across = math.ceil(len(histories) / bands)
    several = max(len(frames) for frames in histories.values()) > 1
    reading = "thin: as recorded, thick: running mean" + (", one line per seed" if several else "")
    figure = canvas(
        style.width(max(5.5, 1.2 + 2.45 * across)), 0.35 + (0.2 + 1.75 * len(rows)) * bands,
        f"Losses over time · {group.title}",
        over_seeds_text(group) if sums_up(group) else reading, style,
    )  # fmt: skip
    grid = figure.subplots(len(rows) * bands, across, squeeze=False, sharex=False)
    for axes in grid.flat:
        axes.set_visible(False)
    lines_of_all: list[Any] = []
    for place, (label, frames) in enumerate(histories.items()):
        band, column = divmod(place, across)
        for row, (title, lines) in enumerate(rows):
            axes = grid[len(rows) * band + row, column]
            axes.set_visible(True)
            axes.set_label(label)
            draw = _mean_panel if sums_up(group) else _panel
            draw(axes, label, frames, lines, (style.theme.muted, style.colour(label)))
            axes.set_ylabel(title if column == 0 else "")
            mark_name(axes)
            axes.set_title(label if row == 0 else "", color=style.colour(label))
            is_lowest = row == len(rows) - 1
            axes.set_xlabel("step" if is_lowest else "")
            axes.tick_params(axis="x", labelbottom=is_lowest)
    for colour, text in (
        (style.theme.muted, "grey: discriminator, D(x) of real images"),
        (style.colour(next(iter(histories))), "coloured: generator, D(G(z)) of generated images"),
    ):
        lines_of_all.append(Line2D([], [], color=colour, linewidth=1.6, label=text))
    figure.legend(handles=lines_of_all, loc="outside lower center", ncols=style.across(2))
    return figure


def _measured(frames: list[pd.DataFrame]) -> list[tuple[str, tuple[tuple[str, str], ...]]]:
    """The rows of panels for which any run has a number, so that none is empty."""
    return [
        (title, lines)
        for title, lines in _ROWS
        if any(frame[name].notna().any() for frame in frames for name, _ in lines)
    ]


def _histories(group: Group, label: str) -> list[tuple[int, pd.DataFrame]]:
    """The histories of a variant's runs, each with its seed."""
    entries = read_entries(group, group.started(label))
    read = ((entry.result.seed, read_history(entry.run.history)) for entry in entries)
    return [(seed, frame) for seed, frame in read if frame is not None]


def _panel(
    axes: Axes,
    label: str,
    frames: list[tuple[int, pd.DataFrame]],
    lines: tuple[tuple[str, str], ...],
    colours: tuple[str, str],
) -> None:
    """Two lines: the discriminator's in grey, the generator's in the variant's colour."""
    for seed, frame in frames:
        for (name, title), colour in zip(lines, colours, strict=True):
            window = max(1, len(frame) // _WINDOWS)
            smooth = frame[name].rolling(window, center=True, min_periods=1).mean()
            faint = 0.25 / len(frames) ** 0.5
            axes.plot(frame["step"], frame[name], color=colour, linewidth=0.7, alpha=faint)
            drawn = axes.plot(
                frame["step"], smooth, color=colour, linewidth=1.6 / len(frames) ** 0.3
            )
            series(drawn, label, f"{label}, seed {seed}, {title}")
    _scale(axes, [frame for _, frame in frames], lines)


def _mean_panel(
    axes: Axes,
    label: str,
    by_seed: list[tuple[int, pd.DataFrame]],
    lines: tuple[tuple[str, str], ...],
    colours: tuple[str, str],
) -> None:
    """As `_panel`, of many seeds: the mean and its interval."""
    frames = [frame for _, frame in by_seed]
    for (name, title), colour in zip(lines, colours, strict=True):
        draw_mean(axes, mean_over_seeds(frames, "step", name), "step", colour, title, label)
    _scale(axes, frames, lines)


def _scale(axes: Axes, frames: list[pd.DataFrame], lines: tuple[tuple[str, str], ...]) -> None:
    names = [name for name, _ in lines]
    _limits(axes, np.concatenate([frame[names].to_numpy().ravel() for frame in frames]))
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.xaxis.set_major_formatter(FuncFormatter(thousands))
    axes.yaxis.set_major_locator(MaxNLocator(4))


def _limits(axes: Axes, values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    """Fit all but the outermost values, so that one outlier does not flatten the rest."""
    values = values[np.isfinite(values)]
    if not values.size:
        return
    if values.min() >= 0 and values.max() <= 1:
        axes.set_ylim(-0.02, 1.02)
        return
    low, high = np.quantile(values, [_OUTLIERS, 1 - _OUTLIERS])
    pad = 0.08 * (high - low) or 0.5
    axes.set_ylim(0 if low >= 0 else low - pad, high + pad)


def thousands(value: float, _position: int) -> str:
    """A number of steps as an axis shows it: 12000 as 12k."""
    return f"{value / _THOUSAND:g}k" if abs(value) >= _THOUSAND else f"{value:g}"
