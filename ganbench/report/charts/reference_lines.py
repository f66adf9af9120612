"""Lines of the reference rows in charts of scores: what real images, no training and noise score.

They never decide how much of a chart is left for the variants: an axis takes in the references that
are near, and what lies farther off is named at the edge, with an arrow towards it.
"""

from __future__ import annotations

import math
from itertools import pairwise
from operator import itemgetter
from typing import TYPE_CHECKING

from ganbench.report import columns
from ganbench.report.formatting import share_of, shown
from ganbench.report.references import references_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.axes import Axes
    from matplotlib.text import Annotation

    from ganbench.report.charts.style import ChartStyle
    from ganbench.report.groups import Group

__all__ = ["READING", "label_lines", "lines_across", "make_room", "reference_names", "rows_below"]

READING = "dotted: references (arrow: beyond the axis)"
_FARTHEST = 0.5  # of the axis' length, beyond either end
_MARGIN = 0.04
_DOTTED = (0, (1, 2))
_LABEL_POINTS = 10.0  # from one name to the next


def reference_names(group: Group, names: Iterable[str]) -> list[str]:
    """Short names of the references with a number for any of some scores, in their order."""
    wanted = list(names)
    rows = references_of(group)
    return [row.short for row in rows if any(row.scores.get(name) is not None for name in wanted)]


def _values(group: Group, name: str) -> dict[str, float]:
    """What references score, by their short names, without what does not apply."""
    pairs = ((row.short, row.scores.get(name)) for row in references_of(group))
    return {short: value for short, value in pairs if value is not None}


def make_room(axes: Axes, values: Iterable[float], *, across: bool) -> None:
    """Lengthen the horizontal or the vertical axis for values that are near, by half at most."""
    low, high = axes.get_xlim() if across else axes.get_ylim()
    is_logarithmic = (axes.get_xscale() if across else axes.get_yscale()) == "log"
    along = math.log10 if is_logarithmic else float
    first, last = along(low), along(high)
    length = last - first
    places = [along(value) for value in values if value > 0 or not is_logarithmic]
    farthest = _FARTHEST * length
    near = [place for place in places if first - farthest <= place <= last + farthest]
    if any(place < first for place in near):
        first = min(near) - _MARGIN * length
    if any(place > last for place in near):
        last = max(near) + _MARGIN * length
    ends = (10**first, 10**last) if is_logarithmic else (first, last)
    if (first, last) != (along(low), along(high)):
        (axes.set_xlim if across else axes.set_ylim)(*ends)


def rows_below(
    axes: Axes, group: Group, name: str, places: dict[str, int], style: ChartStyle
) -> None:
    """One row per reference below those of the variants, and a line up from each number.

    Args:
        axes: Of one score, which lies along the horizontal axis.
        group: Gives the references.
        name: The score.
        places: Row of each reference, by its short name.
        style: Colours.
    """
    values, theme = _values(group, name), style.theme
    make_room(axes, values.values(), across=True)
    low, high = axes.get_xlim()
    right, column = axes.get_yaxis_transform(), columns.column(name)
    axes.axhline(min(places.values()) - 0.5, color=theme.grid, linewidth=1)
    for short, place in places.items():
        value = values.get(short)
        text = "n/a" if value is None else shown(value, column)
        if value is not None and name == "modes_covered":
            text = share_of(value, group.modes_total)
        axes.text(1.02, place, text, transform=right, va="center", size=8, color=theme.muted)
        if value is None:
            continue
        if low <= value <= high:
            axes.plot([value] * 2, [-0.5, place], color=theme.muted, linewidth=1, linestyle=_DOTTED)
            axes.plot(value, place, "|", color=theme.muted, markersize=7)
            continue
        is_above = value > high
        axes.text(
            0.985 if is_above else 0.015, place, "→" if is_above else "←", transform=right,
            va="center", ha="right" if is_above else "left", size=9, color=theme.muted,
        )  # fmt: skip


def lines_across(axes: Axes, group: Group, name: str, style: ChartStyle) -> list[Annotation]:
    """A horizontal line per reference, its name and number at the right of the axes.

    Args:
        axes: Whose vertical axis is the score.
        group: Gives the references.
        name: The score.
        style: Colours.

    Returns:
        The names, the lowest number first; `label_lines` moves them apart once the layout is
        settled.
    """
    values, theme = _values(group, name), style.theme
    make_room(axes, values.values(), across=False)
    low, high = axes.get_ylim()
    labels = []
    for short, value in sorted(values.items(), key=itemgetter(1)):
        inside = low <= value <= high
        if inside:
            axes.axhline(value, color=theme.muted, linewidth=1, linestyle=_DOTTED, zorder=1)
        arrow = "" if inside else " ↑" if value > high else " ↓"
        labels.append(
            axes.annotate(
                f"{short} {shown(value, columns.column(name))}{arrow}",
                (1, min(max(value, low), high)),
                xycoords=axes.get_yaxis_transform(),
                xytext=(5, 0),
                textcoords="offset points",
                va="center",
                size=8,
                color=theme.muted,
            )
        )
    return labels


def label_lines(axes: Axes, labels: list[Annotation]) -> None:
    """Move names of lines apart, upwards from the lowest, and down again from the upper edge."""
    points = 72 / axes.figure.dpi
    top = axes.bbox.y1 * points
    heights = [axes.transData.transform((0, label.xy[1]))[1] * points for label in labels]
    order = sorted(range(len(labels)), key=heights.__getitem__)
    wanted = [heights[index] for index in order]
    moved = list(wanted)
    for before, after in pairwise(range(len(order))):
        moved[after] = max(moved[after], moved[before] + _LABEL_POINTS)
    for place in reversed(range(len(order))):
        limit = top if place == len(order) - 1 else moved[place + 1] - _LABEL_POINTS
        moved[place] = min(moved[place], limit)
    for index, before, after in zip(order, wanted, moved, strict=True):
        labels[index].set_position((5, after - before))
