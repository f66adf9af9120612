"""Chart of the best score over the number of trials, beside the default recipe."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from ganbench.report.charts.style import canvas
from ganbench.report.charts.vector import INTERVAL, mark, series

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ganbench.report.charts.style import ChartStyle
    from ganbench.report.tunings import ShownTuning

__all__ = ["best_over_trials"]

_ACROSS = 3
_LOGARITHMIC_FROM = 8.0  # largest value over smallest
_RESAMPLED = (
    "line: median of the best of so many trials; band: its 90% interval, by resampling the trials"
)
_IN_ORDER = "line: the best trial so far, of one search in its order"


def best_over_trials(shown: ShownTuning, style: ChartStyle) -> Figure | None:
    """One panel per variant, and with several of them one before with all lines."""
    curves = {
        variant: [point for point in shown.tuning.curve(variant) if point.median is not None]
        for variant in shown.tuning.variants
    }
    variants = [variant for variant in curves if curves[variant]]
    if not variants or max(map(len, curves.values())) < 2:  # noqa: PLR2004 - a line has two points
        return None
    panels: list[str | None] = [*([None] if len(variants) > 1 else []), *variants]
    across = style.across(min(_ACROSS, len(panels)))
    down = math.ceil(len(panels) / across)
    reading = _RESAMPLED if shown.tuning.sampler == "random" else _IN_ORDER
    figure = canvas(
        style.width(3.1 * across + 0.3), 2.4 * down, f"Best of so many trials · {shown.title}",
        f"{reading}; dashed: the default recipe under the same conditions, mean of "
        f"{len(shown.tuning.seeds)} seeds; scored on half of the evaluation noise", style,
    )  # fmt: skip
    grid = figure.subplots(down, across, squeeze=False, sharex=True, sharey=True)
    for place, panel in enumerate(panels):
        axes = grid[place // across, place % across]
        for variant in variants if panel is None else [panel]:
            _line(axes, shown, variant, style, has_spread=panel is not None)
        axes.set_title(panel or "all variants")
        axes.set_ylabel(shown.heading if place % across == 0 else "")
        axes.set_xlabel("trials" if place + across >= len(panels) else "")
        axes.tick_params(labelbottom=place + across >= len(panels))
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True, min_n_ticks=1))
        if panel is None:
            axes.legend(loc="best", fontsize=7.5)
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    _upward(grid[0, 0])
    return figure


def _line(
    axes: Axes, shown: ShownTuning, variant: str, style: ChartStyle, *, has_spread: bool
) -> None:
    """One variant's curve and the line of its default recipe."""
    points = [point for point in shown.tuning.curve(variant) if point.median is not None]
    label = shown.label(variant)
    colour, counts = style.colour(label), [point.trials for point in points]
    banded = [point for point in points if point.better is not None and point.worse is not None]
    if has_spread and banded:
        band = axes.fill_between(
            [point.trials for point in banded],
            [point.better for point in banded],  # type: ignore[arg-type]  # none is None
            [point.worse for point in banded],  # type: ignore[arg-type]  # none is None
            color=colour, alpha=0.2, linewidth=0,
        )  # fmt: skip
        mark(band, label, kind=INTERVAL)
    line = axes.plot(
        counts, [point.median for point in points], color=colour, linewidth=1.7, label=variant,  # type: ignore[arg-type]  # none is None
        marker=style.marker(label), markersize=style.marker_size(label, 3),
    )  # fmt: skip
    series(line, label, f"{variant}, best of so many trials")
    default = shown.default(variant)
    if default is not None:
        dashed = axes.axhline(default.mean, color=colour, linewidth=1.2, linestyle=(0, (4, 2)))
        series([dashed], label, f"{variant}, default recipe")


def _upward(axes: Axes) -> None:
    """A logarithmic axis where the scores differ much."""
    low, high = axes.dataLim.intervaly
    if low > 0 and high / low > _LOGARITHMIC_FROM:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=6))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _place: f"{value:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
