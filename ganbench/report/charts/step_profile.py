"""Chart of the phases of a training step: what its time goes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganbench.report import columns
from ganbench.report.charts.style import canvas

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ganbench.report.charts.style import ChartStyle
    from ganbench.report.groups import Group

__all__ = ["phases"]

_HEAD_INCHES, _ROW_INCHES = 1.0, 0.36
_LEGIBLE = 6.0  # percent of the width in which a number finds room


def phases(group: Group, style: ChartStyle) -> Figure | None:
    """One stacked bar per variant; None where no step was split into several phases."""
    names = group.present(columns.PHASES)
    labels = [label for label in group.labels if group.values(label, "share_data")]
    if len(names) < 2:  # noqa: PLR2004 - one phase is the whole
        return None
    seeds = "one seed" if group.seeds == 1 else f"up to {group.seeds} seeds"
    figure = canvas(
        9, _HEAD_INCHES + _ROW_INCHES * len(labels), f"Phases of a step · {group.title}",
        f"mean share of a training step's time; {seeds} each", style,
    )  # fmt: skip
    axes = figure.subplots()
    left = dict.fromkeys(labels, 0.0)
    for name in names:
        colour = style.theme.palette[columns.PHASES.index(name)]
        title = columns.column(name).label.removesuffix(", %")
        axes.barh(0, 0, color=colour, label=title)
        for row, label in enumerate(labels):
            estimate = group.estimate(label, name)
            if estimate is None:
                continue
            axes.barh(
                row, estimate.mean, left=left[label], height=0.62, color=colour, linewidth=1,
                edgecolor=style.theme.paper,
            )  # fmt: skip
            if estimate.mean >= _LEGIBLE:
                middle = left[label] + estimate.mean / 2
                axes.text(
                    middle, row, f"{estimate.mean:.0f}%", ha="center", va="center", size=8,
                    color="white",
                )  # fmt: skip
            left[label] += estimate.mean
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set_xlim(0, 100)
    axes.set_xlabel("%")
    axes.tick_params(axis="y", length=0, labelcolor=style.theme.ink, labelsize=9)
    axes.grid(visible=False, axis="y")
    figure.legend(loc="outside lower center", ncols=len(names), frameon=False)
    return figure
