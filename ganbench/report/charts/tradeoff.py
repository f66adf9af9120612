"""Chart of quality against speed: one mean with intervals per variant."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter
from matplotlib.transforms import Bbox

from ganbench.report import columns
from ganbench.report.charts.letters import broken, legend_columns
from ganbench.report.charts.reference_lines import (
    READING,
    label_lines,
    lines_across,
    reference_names,
)
from ganbench.report.charts.scores import reading, shared_timing_text
from ganbench.report.charts.style import canvas, lay_out
from ganbench.report.charts.vector import INTERVAL, mark, mark_legend
from ganbench.report.formatting import shown
from ganbench.report.scale import MOST_SEEDS_DRAWN

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from matplotlib.text import Annotation

    from ganbench.report.charts.style import ChartStyle
    from ganbench.report.comparison.statistics import Estimate
    from ganbench.report.groups import Group

__all__ = ["tradeoff"]

_SPEED, _QUALITY = "images_per_second", "fid"
_LOGARITHMIC_FROM = 5.0
_MOST_NAMED = 12  # points with their names beside them; more are named in a legend
_TOO_CLOSE = 10  # the cost of a name that is nearer to another point than to its own
_PLACES = (  # where a name may stand beside its point: offset in points, and alignment
    (8, 7, "left", "bottom"), (8, -7, "left", "top"),
    (-8, 7, "right", "bottom"), (-8, -7, "right", "top"),
    (12, 0, "left", "center"), (-12, 0, "right", "center"),
    (22, 12, "left", "bottom"), (22, -12, "left", "top"),
    (-22, 12, "right", "bottom"), (-22, -12, "right", "top"),
    (0, 30, "center", "bottom"), (0, -30, "center", "top"),
)  # fmt: skip


def tradeoff(group: Group, style: ChartStyle) -> Figure | None:
    """FID over training images per second; the best variants lie at the lower right."""
    points = {
        label: (speed, quality)
        for label in group.labels
        if (speed := group.estimate(label, _SPEED)) and (quality := group.estimate(label, _QUALITY))
    }
    if not points:
        return None
    name = columns.column(_QUALITY).heading(group.backbone)
    subtitle = [f"lower right is better; {reading(group)}"]
    if reference_names(group, [_QUALITY]):
        subtitle.append(READING)
    width, height = style.width(7.2), 3.1 if style.is_narrow else 3.9
    in_legend = style.is_narrow or len(points) > _MOST_NAMED
    if in_legend:
        height += 0.2 * math.ceil(len(points) / legend_columns(list(points), width))
    figure = canvas(
        width, height,
        f"Quality against speed · {group.title}", "; ".join(subtitle), style,
    )  # fmt: skip
    axes = figure.subplots()
    for label, means in points.items():
        _seeds(axes, group, label, style)
        _point(axes, means, label, group.unit, style)
    _scale(axes, group, list(points))
    lines = lines_across(axes, group, _QUALITY, style)
    speed_name = f"training speed, {group.unit}/s{shared_timing_text(group)} →"
    lines_of_name = broken(
        speed_name, float(axes.xaxis.label.get_fontsize()), "normal", 0.75 * width - 0.2
    )
    axes.set_xlabel("\n".join(lines_of_name))
    axes.set_ylabel(f"← {name}")
    axes.set_title("")
    lay_out(figure)  # so that the names can find their places
    label_lines(axes, lines)
    if in_legend or not _name_points(axes, points, style):
        _list_points(figure, list(points), style)
    return figure


def _list_points(figure: Figure, labels: list[str], style: ChartStyle) -> None:
    """Name the points in a legend, where there is no room beside them."""
    handles = [
        Line2D(
            [], [], linestyle="", marker=style.marker(label), color=style.colour(label),
            markersize=style.marker_size(label, 7), label=label,
        )
        for label in labels
    ]  # fmt: skip
    columns_of_names = legend_columns(labels, figure.get_figwidth())
    legend = figure.legend(handles=handles, loc="outside lower center", ncols=columns_of_names)
    mark_legend(legend, labels)


def _seeds(axes: Axes, group: Group, label: str, style: ChartStyle) -> None:
    speeds, qualities = group.by_seed(label, _SPEED), group.by_seed(label, _QUALITY)
    both = [seed for seed in speeds if seed in qualities]
    if len(both) > 1 and group.seeds <= MOST_SEEDS_DRAWN:
        dots = axes.plot(
            [speeds[seed] for seed in both], [qualities[seed] for seed in both], "o",
            color=style.colour(label), markersize=3.5, alpha=0.45, markeredgewidth=0,
        )  # fmt: skip
        lines = (
            f"{label}, seed {seed}: {_numbers(speeds[seed], qualities[seed], group.unit)}"
            for seed in both
        )
        mark(dots, label, "\n".join(lines))


def _numbers(speed: float, quality: float, unit: str) -> str:
    return (
        f"{columns.column(_QUALITY).label} {shown(quality, columns.column(_QUALITY))}, "
        f"{shown(speed, columns.column(_SPEED))} {unit}/s"
    )


def _point(
    axes: Axes, means: tuple[Estimate, Estimate], label: str, unit: str, style: ChartStyle
) -> None:
    speed, quality = means
    colour, title = style.colour(label), f"{label}: {_numbers(speed.mean, quality.mean, unit)}"
    if speed.low is not None and speed.high is not None:
        along = axes.plot([speed.low, speed.high], [quality.mean] * 2, color=colour, linewidth=1.4)
        mark(along, label, title, INTERVAL)
    if quality.low is not None and quality.high is not None:
        up = axes.plot([speed.mean] * 2, [quality.low, quality.high], color=colour, linewidth=1.4)
        mark(up, label, title, INTERVAL)
    point = axes.plot(
        speed.mean, quality.mean, style.marker(label), color=colour,
        markersize=style.marker_size(label, 8.5), markeredgecolor=style.theme.paper,
        markeredgewidth=1.2, zorder=3, clip_on=False,
    )  # fmt: skip
    mark(point, label, title)


def _scale(axes: Axes, group: Group, labels: list[str]) -> None:
    """Fit both axes; one whose values differ by orders of magnitude becomes logarithmic."""
    speeds = [value for label in labels for value in group.values(label, _SPEED)]
    if not _logarithmic(axes.xaxis, axes.set_xscale, speeds):
        axes.margins(x=0.2)
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    qualities = [value for label in labels for value in group.values(label, _QUALITY)]
    if not _logarithmic(axes.yaxis, axes.set_yscale, qualities):
        axes.yaxis.set_major_locator(MaxNLocator(6))
        axes.margins(y=0.18)
        if axes.get_ylim()[0] < 0 <= min(qualities):
            axes.set_ylim(bottom=0)


def _logarithmic(axis: Axis, set_scale: Callable[[str], None], values: list[float]) -> bool:
    low, high = min(values), max(values)
    if low <= 0 or high / low <= _LOGARITHMIC_FROM:
        return False
    set_scale("log")
    axis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=8))
    axis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axis.set_minor_formatter(NullFormatter())
    axis.set_view_interval(low / 1.6, high * 1.6, ignore=True)
    return True


def _name_points(
    axes: Axes, points: dict[str, tuple[Estimate, Estimate]], style: ChartStyle
) -> bool:
    """Write each name beside its point, nearer to it than to others, where it covers the least.

    Names keep off names, points and intervals, and stay within the axes. Where one is not nearest
    to its point, or does not fit, none is written.

    Returns:
        Whether the names stand there.
    """
    written: list[Annotation] = []
    taken = [box for pair in points.values() for box in _marks(axes, *pair)]
    centres = {
        label: tuple(axes.transData.transform((speed.mean, quality.mean)).tolist())
        for label, (speed, quality) in points.items()
    }
    for label, (speed, quality) in points.items():
        tried: list[tuple[int, int, Annotation, Bbox]] = []
        for x, y, horizontal, vertical in _PLACES:
            text = axes.annotate(
                label, (speed.mean, quality.mean), xytext=(x, y), textcoords="offset points",
                ha=horizontal, va=vertical, size=9, weight="bold", color=style.colour(label),
            )  # fmt: skip
            box = text.get_window_extent().padded(2)
            outside = box.x0 < axes.bbox.x0 or box.x1 > axes.bbox.x1 or box.y0 < axes.bbox.y0
            distances = {name: _distance(box, centre) for name, centre in centres.items()}
            is_ambiguous = min(distances.values()) < distances[label]
            cost = int(box.count_overlaps(taken)) + 10 * is_ambiguous + 100 * outside
            tried.append((cost, len(tried), text, box))
        cost, best, chosen, box = min(tried, key=lambda item: item[:2])
        taken.append(box)
        mark(chosen, label)
        written.append(chosen)
        for _, place, text, _ in tried:
            if place != best:
                text.remove()
        if cost >= _TOO_CLOSE:
            for text in written:
                text.remove()
            return False
    return True


def _distance(box: Bbox, point: tuple[float, ...]) -> float:
    """Pixels from a point to the nearest edge of a box; 0 within it."""
    x, y = point
    return math.hypot(max(box.x0 - x, 0, x - box.x1), max(box.y0 - y, 0, y - box.y1))


def _marks(axes: Axes, speed: Estimate, quality: Estimate) -> list[Bbox]:
    """What a point covers, in pixels: its marker, and its two intervals where it has them."""
    x, y = axes.transData.transform((speed.mean, quality.mean))
    boxes = [Bbox([[x, y], [x, y]]).padded(8)]
    for low, high, across in ((speed.low, speed.high, True), (quality.low, quality.high, False)):
        if low is not None and high is not None:
            ends = [(end, quality.mean) if across else (speed.mean, end) for end in (low, high)]
            boxes.append(Bbox(axes.transData.transform(ends)).padded(1))
    return boxes
