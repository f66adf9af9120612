"""Charts of speed and quality: one row per variant, one dot per seed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter

from ganbench.report import columns
from ganbench.report.charts.reference_lines import READING, reference_names, rows_below
from ganbench.report.charts.style import canvas, heading
from ganbench.report.charts.vector import INTERVAL, mark, mark_rows
from ganbench.report.formatting import interval, share_of, shown
from ganbench.report.scale import MOST_SEEDS_DRAWN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ganbench.report.charts.style import ChartStyle
    from ganbench.report.columns import Column
    from ganbench.report.groups import Group

__all__ = ["quality", "reading", "seed_titles", "shared_timing_text", "throughput"]

_ROW_INCHES = 0.36
_PANEL_INCHES = 0.75
_PANELS_PER_ROW = 3
_LOGARITHMIC_FROM = 20.0  # times between the largest and the smallest

_SPEED = ("images_per_second", "sample_images_per_second")
_QUALITY = (
    "fid", "precision", "recall", "coverage", "modes_covered", "high_quality", "mode_kl",
    "diversity", "memorisation", "prompt_alignment", "manifold_precision", "manifold_recall",
)  # fmt: skip


def reading(group: Group, *, dots: bool = True) -> str:
    """How many seeds a chart shows, and what its marks mean."""
    if group.seeds <= 1:
        return "one seed each: no interval"
    counts = sorted({len(group.of(label)) for label in group.labels})
    seeds = " to ".join(str(count) for count in dict.fromkeys([counts[0], counts[-1]]))
    return f"mean and 95% interval over {seeds} seeds" + (
        "; a small dot is one seed" if dots and group.seeds <= MOST_SEEDS_DRAWN else ""
    )


def shared_timing_text(group: Group) -> str:
    """The note on speeds that were measured while other runs shared the machine."""
    shared = [label for label in group.labels if group.is_shared(label, _SPEED[0])]
    if not shared:
        return ""
    whose = "" if len(shared) == len(group.labels) else f"{', '.join(shared)} "
    return f", {whose}while other runs shared the machine"


def throughput(group: Group, style: ChartStyle) -> Figure | None:
    """Images or points per second, in training and in sampling."""
    names = group.present(_SPEED)
    if not names:
        return None
    figure = canvas(
        style.width(9), _rows(len(names), style) * _height(group), f"Throughput · {group.title}",
        f"{group.unit} per second on {group.device_name or group.device}"
        f"{shared_timing_text(group)}; {reading(group)}",
        style,
    )  # fmt: skip
    _panels(figure, group, names, style, bars=True)
    return figure


def quality(group: Group, style: ChartStyle) -> Figure | None:
    """Every score that is shown to people, one panel per score, the references below."""
    names = group.present(_QUALITY)
    if not names:
        return None
    rows = _rows(len(names), style)
    references = reference_names(group, names)
    subtitle = "; ".join([reading(group), *([READING] if references else [])])
    figure = canvas(
        style.width(9.5), rows * _height(group, references),
        f"Quality and diversity · {group.title}", subtitle, style,
    )  # fmt: skip
    _panels(figure, group, names, style, references, bars=False)
    return figure


def _rows(panels: int, style: ChartStyle) -> int:
    return math.ceil(panels / min(panels, style.across(_PANELS_PER_ROW)))


def _height(group: Group, references: Sequence[str] = ()) -> float:
    return _PANEL_INCHES + _ROW_INCHES * (len(group.labels) + len(references))


def _panels(
    figure: Figure,
    group: Group,
    names: list[str],
    style: ChartStyle,
    references: Sequence[str] = (),
    *,
    bars: bool,
) -> None:
    across = min(style.across(_PANELS_PER_ROW), len(names))
    grid = figure.subplots(
        math.ceil(len(names) / across),
        across,
        sharey=True,
        squeeze=False,
        gridspec_kw={"wspace": 0.05},
    )
    for axes, name in zip(grid.flat, names, strict=False):
        _panel(axes, group, name, style, references, bars=bars)
    for axes in grid.flat[len(names) :]:
        axes.set_visible(False)


def _panel(
    axes: Axes, group: Group, name: str, style: ChartStyle, references: Sequence[str], *, bars: bool
) -> None:
    """One number: one row per variant, and below them one per reference."""
    column, labels = columns.column(name), group.labels
    head = f"{column.heading(group.backbone)} {column.arrow}".strip()
    heading(axes, head, "", style)
    _scale(axes, group, column, bars=bars)
    for place, label in enumerate(labels):
        _row(axes, group, name, place, style, bars=bars and axes.get_xscale() == "linear")
        estimate = group.estimate(label, name)
        text = "n/a" if estimate is None else shown(estimate.mean, column)
        if estimate is not None and name == "modes_covered":
            text = share_of(estimate.mean, group.modes_total)
        written = axes.text(
            1.02, place, text, transform=axes.get_yaxis_transform(), va="center", size=8,
            color=style.theme.ink if estimate else style.theme.muted,
        )  # fmt: skip
        mark(written, label)
    rows = [*labels, *references]
    if references:
        rows_below(axes, group, name, {row: rows.index(row) for row in references}, style)
    axes.set_yticks(range(len(rows)), rows)
    for tick, label in zip(axes.get_yticklabels(), labels, strict=False):
        mark(tick, label)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    mark_rows(axes, labels)
    axes.tick_params(axis="y", length=0, labelcolor=style.theme.ink, labelsize=9)
    axes.grid(visible=False, axis="y")
    axes.set_ylabel("")
    logarithmic = axes.get_xscale() == "log"
    axes.set_xlabel(", ".join(filter(None, [column.unit, "log scale" if logarithmic else ""])))


def _row(axes: Axes, group: Group, name: str, place: int, style: ChartStyle, *, bars: bool) -> None:
    label, column = group.labels[place], columns.column(name)
    by_seed, estimate = group.by_seed(label, name), group.estimate(label, name)
    colour = style.colour(label)
    if estimate is None:
        return
    head = f"{label}: {column.heading(group.backbone)}"
    title = f"{head} {shown(estimate.mean, column)} {interval(estimate, column)}".strip()
    if bars:
        drawn = axes.barh(
            place, estimate.mean, height=0.62, color=colour, alpha=0.85, linewidth=0
        )  # fmt: skip
        mark(drawn, label, title)
    ink = style.theme.ink if bars else colour
    if estimate.low is not None and estimate.high is not None:
        whisker = axes.plot(
            [estimate.low, estimate.high],
            [place, place],
            color=ink,
            linewidth=2,
            solid_capstyle="round",
        )
        mark(whisker, label, title, INTERVAL)
        dots = by_seed if group.seeds <= MOST_SEEDS_DRAWN else {}
        drawn_dots = axes.plot(
            list(dots.values()), [place + 0.24] * len(dots), "o", color=ink, markersize=3,
            alpha=0.6, markeredgewidth=0,
        )  # fmt: skip
        mark(drawn_dots, label, seed_titles(label, dots, column))
    if not bars:
        point = axes.plot(
            estimate.mean, place, style.marker(label), color=colour,
            markersize=style.marker_size(label, 7.5), markeredgecolor=style.theme.paper,
            markeredgewidth=1, zorder=3, clip_on=False,  # whole at the ends of the scale
        )  # fmt: skip
        mark(point, label, title)


def seed_titles(label: str, by_seed: Mapping[int, float], column: Column) -> str:
    """What the page says of the dots of single seeds, one line each."""
    return "\n".join(
        f"{label}, seed {seed}: {shown(value, column)}" for seed, value in by_seed.items()
    )


def _scale(axes: Axes, group: Group, column: Column, *, bars: bool) -> None:
    """Limits that fit the number: shares from 0 to 1, counts from 0 to all, or logarithms."""
    name = column.name
    values = [value for label in group.labels for value in group.values(label, name)]
    low, high = min(values), max(values)
    if name in (*_SPEED, "fid") and low > 0 and high / low > _LOGARITHMIC_FROM:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 3), numticks=9))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlim(low / 1.6, high * 1.6)
        return
    axes.xaxis.set_major_locator(MaxNLocator(4))
    if column.is_share:
        axes.set_xlim(-0.03, 1.03)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "", "0.5", "", "1"])
    elif name == "modes_covered" and group.modes_total:
        total = group.modes_total
        axes.set_xlim(-0.03 * total, 1.03 * total)
        axes.set_xticks(sorted({0, total // 2, total}))
    else:
        ends = [e.high for label in group.labels if (e := group.estimate(label, name)) and e.high]
        if column.direction == "one":
            ends.append(1)
            axes.axvline(1, color=axes.xaxis.label.get_color(), linewidth=1, linestyle=(0, (3, 3)))
        if low >= 0:
            axes.set_xlim(0, max([high, *ends]) * 1.06 or 1)
    if bars:
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
