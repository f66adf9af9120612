"""Chart of the phases of a training step: what its time goes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganbench.report import columns
from ganbench.report.charts.letters import legend_columns
from ganbench.report.charts.style import canvas
from ganbench.report.charts.vector import mark, mark_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ganbench.report.charts.style import ChartStyle
    from ganbench.report.groups import Group

__all__ = ["phases"]

_HEAD_INCHES, _ROW_INCHES = 1.0, 0.36
_LEGIBLE, _LEGIBLE_NARROW = 6.0, 16.0  # percent of the width in which a number finds room
# Of the phases alone, unlike those of variants: cividis, which colour-blind people can tell apart
_COLOURS = ("#35598f", "#6a7387", "#978f76", "#c8b866", "#fdea45")
_LIGHT_FROM = 3  # these are so light that the numbers on them are dark
_DARK_INK = "#1f2431"


def phases(group: Group, style: ChartStyle) -> Figure | None:
    """One stacked bar per variant; None where no step was split into several phases."""
    names = group.present(columns.PHASES)
    labels = [label for label in group.labels if group.values(label, "share_data")]
    if len(names) < 2:  # noqa: PLR2004 - one phase is the whole
        return None
    seeds = "one seed" if group.seeds == 1 else f"up to {group.seeds} seeds"
    figure = canvas(
        style.width(9), _HEAD_INCHES + _ROW_INCHES * len(labels),
        f"Phases of a step · {group.title}",
        f"mean share of a training step's time; {seeds} each", style,
    )  # fmt: skip
    axes = figure.subplots()
    left = dict.fromkeys(labels, 0.0)
    titles = [columns.column(name).label.removesuffix(", %") for name in names]
    legible = _LEGIBLE_NARROW if style.is_narrow else _LEGIBLE
    for name in names:
        shade = columns.PHASES.index(name)
        colour = _COLOURS[shade]
        title = columns.column(name).label.removesuffix(", %")
        axes.barh(0, 0, color=colour, label=title)
        for row, label in enumerate(labels):
            estimate = group.estimate(label, name)
            if estimate is None:
                continue
            bar = axes.barh(
                row, estimate.mean, left=left[label], height=0.62, color=colour, linewidth=1,
                edgecolor=style.theme.paper,
            )  # fmt: skip
            mark(bar, label, f"{label}: {title} {estimate.mean:.1f}%")
            if estimate.mean >= legible:
                middle = left[label] + estimate.mean / 2
                text = axes.text(
                    middle, row, f"{estimate.mean:.0f}%", ha="center", va="center", size=8,
                    color=_DARK_INK if shade >= _LIGHT_FROM else "#fffffe",
                )  # fmt: skip
                mark(text, label)
            left[label] += estimate.mean
    axes.set_yticks(range(len(labels)), labels)
    for tick, label in zip(axes.get_yticklabels(), labels, strict=True):
        mark(tick, label)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    mark_rows(axes, labels)
    axes.set_xlim(0, 100)
    axes.set_xlabel("%")
    axes.tick_params(axis="y", length=0, labelcolor=style.theme.ink, labelsize=9)
    axes.grid(visible=False, axis="y")
    figure.legend(
        loc="outside lower center", ncols=legend_columns(titles, style.width(9)), frameon=False
    )
    return figure
