"""Chart of the classes: which were generated, beside the real ones."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from matplotlib.ticker import MaxNLocator, PercentFormatter

from ganbench.report.charts.letters import drawable
from ganbench.report.charts.scores import reading
from ganbench.report.charts.style import canvas
from ganbench.report.charts.vector import INTERVAL, mark, mark_name
from ganbench.report.comparison.statistics import Estimate, estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ganbench.report.charts.style import ChartStyle
    from ganbench.report.groups import Group

__all__ = ["class_histogram"]

_ACROSS = 3
_NAMED_CLASSES = 30  # the names of more classes would overlap
_LONGEST_NAME = 20  # letters; what follows would leave no room for the chart
_LEVEL_NAMES = 3  # letters of the longest name that still fits without being turned


def class_histogram(group: Group, style: ChartStyle) -> Figure | None:
    """Share of each class among the generated images, beside the real share as a dash."""
    shown = [
        label
        for label in group.labels
        if any(e.result.class_histogram.get("real") for e in group.of(label))
    ]
    if not shown:
        return None
    rows = math.ceil(len(shown) / style.across(_ACROSS))
    across = math.ceil(len(shown) / rows)
    figure = canvas(
        style.width(max(5.0, 3.2 * across)), 2.1 * rows,
        f"Classes of the generated images · {group.title}",
        f"bar: generated, dash: real; {reading(group, dots=False)}", style,
    )  # fmt: skip
    grid = figure.subplots(rows, across, squeeze=False, sharey=True)
    for axes, label in zip(grid.flat, shown, strict=False):
        _histogram(axes, group, label, style)
    for axes in grid.flat[len(shown) :]:
        axes.set_visible(False)
    for axes in grid[:, 0]:
        axes.set_ylim(bottom=0)
        axes.set_ylabel("share of images")
        mark_name(axes)
    return figure


def _histogram(axes: Axes, group: Group, label: str, style: ChartStyle) -> None:
    stored = (entry.result.class_histogram for entry in group.of(label))
    histograms = [histogram for histogram in stored if histogram.get("real")]
    real, names = histograms[0]["real"], list(histograms[0]["real"])
    places = range(len(names))
    shares = [
        estimate((h.get("fake", {}).get(name, 0.0) for h in histograms), (0.0, 1.0))
        for name in names
    ]
    bars = [share for share in shares if share is not None]
    axes.set_label(label)
    drawn = axes.bar(
        places, [bar.mean for bar in bars], width=0.72, color=style.colour(label), linewidth=0
    )
    for patch, name, bar in zip(drawn, names, bars, strict=True):
        mark(patch, label, f"{label}, {name}: {bar.mean:.1%} generated, {real[name]:.1%} real")
    for place, bar in zip(places, bars, strict=True):
        _whisker(axes, label, place, bar, style)
    axes.hlines(
        [real[name] for name in names], [p - 0.44 for p in places], [p + 0.44 for p in places],
        color=style.theme.ink, linewidth=1.6,
    )  # fmt: skip
    axes.set_title(label, color=style.colour(label))
    axes.set_xlim(-0.7, len(names) - 0.3)
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.tick_params(axis="y", labelleft=True)  # the page moves panels to the left
    axes.grid(visible=False, axis="x")
    if len(names) > _NAMED_CLASSES:
        axes.set_xlabel(f"{len(names)} classes")
        axes.set_xticks([])
        return
    # Boxes in place of signs that no font has would say less than numbers
    shown = names if all(map(drawable, names)) else [str(place) for place in places]
    texts = [name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…" for name in shown]
    turned = max(map(len, texts)) > _LEVEL_NAMES
    axes.set_xticks(places, texts, rotation=55 if turned else 0, ha="right" if turned else "center",
                    rotation_mode="anchor" if turned else "default")  # fmt: skip


def _whisker(axes: Axes, label: str, place: int, bar: Estimate, style: ChartStyle) -> None:
    if bar.low is not None and bar.high is not None:
        line = axes.plot(
            [place] * 2, [max(0, bar.low), bar.high], color=style.theme.muted, linewidth=1.1
        )
        mark(line, label, kind=INTERVAL)
