"""Chart of a sweep: images per second against the batch size."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator, StrMethodFormatter

from ganbench.report.charts.style import LIGHT, ChartStyle, canvas, draw, encode, heading
from ganbench.report.formatting import number
from ganbench.throughput.curve import KNEE_SHARE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ganbench.throughput.curve import Row

__all__ = ["chart_png", "figure_of"]

_PANELS_PER_ROW = 3
_PANEL_INCHES = 2.9, 2.5
_NARROWEST_INCHES = 5.6
_HEADROOM = 1.12
_LOW = 0.4  # of the panel's height: a curve below it leaves no room for a label under it
_FOOT = 0.07  # of the panel's height


def chart_png(rows: Sequence[Row], conditions: str) -> bytes | None:
    """The chart as a PNG; None where nothing could be measured.

    Args:
        rows: The points beside their limits.
        conditions: Name of the device, and how steps were carried out.
    """
    labels = tuple(dict.fromkeys(row.point.variant for row in rows))
    image = draw(lambda style: figure_of(rows, conditions, style), ChartStyle(LIGHT, labels))
    return None if image is None else encode(image, "drawing")


def figure_of(rows: Sequence[Row], conditions: str, style: ChartStyle) -> Figure | None:
    """One panel per variant that has at least one point, with the limit dashed."""
    by_variant = {
        label: [row for row in rows if row.point.variant == label and row.point.status == "ok"]
        for label in style.labels
    }
    shown = {label: own for label, own in by_variant.items() if own}
    if not shown:
        return None
    across = min(_PANELS_PER_ROW, len(shown))
    down = math.ceil(len(shown) / across)
    width, height = _PANEL_INCHES
    figure = canvas(
        max(_NARROWEST_INCHES, width * across), height * down,
        f"Training throughput · {conditions}",
        f"ring: knee, the smallest batch at {KNEE_SHARE:.0%} of the best; "
        "dashed: arithmetic limit",
        style,
    )  # fmt: skip
    panels = figure.subplots(down, across, squeeze=False).flatten().tolist()
    for axes, (label, own) in zip(panels, shown.items(), strict=False):
        failed = [row for row in rows if row.point.variant == label and row.point.status != "ok"]
        _panel(axes, label, own, failed, style)
    for axes in panels[len(shown) :]:
        axes.set_axis_off()
    for axes in panels[::across]:
        axes.set_ylabel("images/s")
    for axes in panels[max(0, len(shown) - across) : len(shown)]:
        axes.set_xlabel("batch size")
    return figure


def _panel(axes: Axes, label: str, rows: list[Row], failed: list[Row], style: ChartStyle) -> None:
    sizes = [row.point.batch_size or 0 for row in rows]
    rates = [row.point.images_per_second or 0.0 for row in rows]
    limits = [row.limit_images_per_second or math.nan for row in rows]
    colour = style.colour(label)
    axes.plot(
        sizes, rates, color=colour, marker=style.marker(label), markersize=5, linewidth=1.6,
        markeredgecolor=style.theme.paper, markeredgewidth=0.8, zorder=3,
    )  # fmt: skip
    _limit(axes, sizes, limits, style)
    top = max(value for value in [*rates, *limits] if math.isfinite(value)) * _HEADROOM
    _knee(axes, rows, top, style, is_open=not failed)
    heading(axes, label, _note(failed) or rows[0].images, style)
    ticks = sorted({*sizes, *(row.point.batch_size or sizes[0] for row in failed)})
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.set_xlim(ticks[0] / 1.35, ticks[-1] * 1.35)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axes.set_ylim(0, top)


def _limit(axes: Axes, sizes: list[int], limits: list[float], style: ChartStyle) -> None:
    """The dashed line; for a single batch size a short one, so that it can be seen."""
    if len(sizes) == 1:
        sizes, limits = [sizes[0] / 1.2, sizes[0] * 1.2], limits * 2  # type: ignore[list-item]
    axes.plot(sizes, limits, color=style.theme.muted, linestyle=(0, (4, 3)), linewidth=1.2)


def _knee(axes: Axes, rows: list[Row], top: float, style: ChartStyle, *, is_open: bool) -> None:
    """A ring around the knee, and its numbers where the curve leaves room.

    Where `is_open`, the curve may rise beyond the largest batch, and the text says so.
    """
    highest = max(row.point.images_per_second or 0.0 for row in rows) / top
    height = _FOOT if highest > _LOW else highest + _FOOT
    for row in rows:
        size, rate = row.point.batch_size, row.point.images_per_second
        if not row.is_knee or size is None or rate is None:
            continue
        axes.plot(
            size, rate, "o", markersize=12, markerfacecolor="none",
            markeredgecolor=style.theme.ink, markeredgewidth=1.2, zorder=4,
        )  # fmt: skip
        text = f"{number(rate)} images/s at {size:,}"
        if is_open and row is rows[-1]:
            text += ", the largest"
        if row.share_of_peak is not None:
            text += f"\n{row.share_of_peak:.0%} of the limit"
        axes.text(
            0.97, height, text, transform=axes.transAxes, ha="right", va="bottom", size=8,
            color=style.theme.ink,
        )  # fmt: skip


def _note(failed: list[Row]) -> str:
    """A note beside the title on the first batch that could not be measured; else empty."""
    for row in failed:
        return f"{row.point.batch_size:,}: {row.point.status}"
    return ""
