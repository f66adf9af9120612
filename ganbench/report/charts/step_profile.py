"""Chart of phases: what a training step of each variant spends its time on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganbench.report import columns
from ganbench.report.charts.style import canvas

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ganbench.report.charts.style import Look
    from ganbench.report.groups import Group

__all__ = ["phases"]

_HEAD_INCHES, _ROW_INCHES = 1.0, 0.36
_LEGIBLE = 6.0  # percent of the width in which a number finds room


def phases(group: Group, look: Look) -> Figure | None:
    """A stacked bar a variant; None where no step was split into several phases."""
    names = group.present(columns.PHASES)
    labels = [label for label in group.labels if group.values(label, "share_data")]
    if len(names) < 2:  # noqa: PLR2004 - one phase is the whole
        return None
    seeds = "one seed" if group.seeds == 1 else f"up to {group.seeds} seeds"
    figure = canvas(
        9, _HEAD_INCHES + _ROW_INCHES * len(labels), f"Phases of a step · {group.title}",
        f"mean share of a training step's time; {seeds} each", look,
    )  # fmt: skip
    axes = figure.subplots()
    left = dict.fromkeys(labels, 0.0)
    for name in names:
        colour = look.theme.palette[columns.PHASES.index(name)]
        title = columns.column(name).label.removesuffix(", %")
        axes.barh(0, 0, color=colour, label=title)
        for row, label in enumerate(labels):
            found = group.estimate(label, name)
            if found is None:
                continue
            axes.barh(
                row, found.mean, left=left[label], height=0.62, color=colour, linewidth=1,
                edgecolor=look.theme.paper,
            )  # fmt: skip
            if found.mean >= _LEGIBLE:
                middle = left[label] + found.mean / 2
                axes.text(
                    middle, row, f"{found.mean:.0f}%", ha="center", va="center", size=8,
                    color="white",
                )  # fmt: skip
            left[label] += found.mean
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set_xlim(0, 100)
    axes.set_xlabel("%")
    axes.tick_params(axis="y", length=0, labelcolor=look.theme.ink, labelsize=9)
    axes.grid(visible=False, axis="y")
    figure.legend(loc="outside lower center", ncols=len(names), frameon=False)
    return figure
