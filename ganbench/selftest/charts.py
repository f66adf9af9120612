"""Charts of a self-test: response curves, and a heat map of answers."""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING

import numpy as np
import seaborn as sns
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, NullFormatter, StrMethodFormatter

from ganbench.report import columns
from ganbench.report.charts.style import canvas
from ganbench.selftest.outcome import band
from ganbench.selftest.text import deviations

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ganbench.report.charts.style import ChartStyle
    from ganbench.scoring.metrics.catalogue import Metric
    from ganbench.selftest.outcome import Detection, Outcome, Verdict

__all__ = ["heat_map", "responses"]

_PANEL = (1.5, 0.95)  # inches
_CELL = (0.95, 0.34)
_LABEL_INCHES = 2.0
_LOGARITHMIC_FROM = 20.0  # control bands that the values of one metric span
_MOST_SHOWN = 1000.0  # deviations at which the heat map's colours end
_MEANINGS: dict[Detection, str] = {
    "sees": "sees: worse beyond chance",
    "misled": "misled: better beyond chance",
    "varies": "varies: draws on both sides",
    "blind": "blind: within chance",
}


def _colour(detection: Detection, style: ChartStyle) -> str:
    blue, orange, third = style.theme.palette[:3]
    colours: dict[Detection, str] = {"sees": blue, "misled": orange, "varies": third}
    return colours.get(detection, style.theme.muted)


def responses(outcome: Outcome, style: ChartStyle) -> Figure:
    """Every metric over the strengths of every fault, with what chance does to the control."""
    metrics, faults = outcome.metrics, outcome.faults
    figure = canvas(
        _LABEL_INCHES / 2 + _PANEL[0] * len(faults), _PANEL[1] * len(metrics) + 0.5,
        f"Response of each metric to each fault · {outcome.dataset}",
        "strengths grow to the right; grey band: where the mean of as many control draws lies by "
        "chance; a small dot is one draw", style,
    )  # fmt: skip
    grid = figure.subplots(len(metrics), len(faults), sharex="col", sharey="row", squeeze=False)
    for row, metric in zip(grid, metrics, strict=True):
        for axes, fault in zip(row, faults, strict=True):
            verdict = outcome.verdict(metric.name, fault.name)
            if verdict is None:
                axes.set_axis_off()
            else:
                _curve(axes, outcome, verdict, style)
        _value_axis(row[0], outcome, metric, style)
    for axes, fault in zip(grid[0], faults, strict=True):
        axes.set_title(fault.name)
    for axes, fault in zip(grid[-1], faults, strict=True):
        axes.set_xlabel(_wrapped(fault.unit), fontsize=7.5)
    marks = [
        Line2D([], [], marker="o", linestyle="", color=_colour(detection, style), label=meaning)
        for detection, meaning in _MEANINGS.items()
    ]
    figure.legend(handles=marks, loc="outside lower center", ncols=3)
    return figure


def _curve(axes: Axes, outcome: Outcome, verdict: Verdict, style: ChartStyle) -> None:
    """One panel: the mean over the draws at each strength, coloured by the answer."""
    answers, metric = verdict.answers, verdict.metric
    half = band(outcome.record["controls"], outcome.record["draws"]) * verdict.deviation
    axes.axhspan(
        verdict.control - half, verdict.control + half, color=style.theme.muted, alpha=0.25, lw=0
    )
    axes.axhline(verdict.control, color=style.theme.muted, linewidth=0.8)
    rows = outcome.responses[outcome.responses["generator"] == verdict.fault]
    for place, answer in enumerate(answers):
        drawn = rows.loc[rows["strength"] == answer.strength, metric.name].dropna()
        colour = _colour(answer.detection, style)
        axes.plot([place] * len(drawn), drawn, "o", color=colour, ms=2, alpha=0.45, mew=0)
        axes.plot(place, answer.mean, "o", color=colour, ms=4.5, mec=style.theme.paper, mew=0.6,
                  zorder=3)  # fmt: skip
    axes.plot([answer.mean for answer in answers], color=style.theme.muted, linewidth=1, zorder=1)
    axes.set_xlim(-0.6, len(answers) - 0.4)
    axes.set_xticks(range(len(answers)), [answer.label for answer in answers], fontsize=6.5)
    axes.grid(visible=False, axis="x")
    axes.tick_params(axis="both", length=0)


def _value_axis(axes: Axes, outcome: Outcome, metric: Metric, style: ChartStyle) -> None:
    """The axis that a row of panels shares, and the metric's name beside it."""
    column = columns.column(metric.name)
    name = _wrapped(column.heading(outcome.backbone), 16)
    axes.set_ylabel(
        f"{name} {column.arrow}", rotation=0, ha="right", va="center", color=style.theme.ink,
        fontweight="bold",
    )  # fmt: skip
    axes.tick_params(axis="y", labelsize=7)
    verdicts = [verdict for verdict in outcome.verdicts if verdict.metric is metric]
    means = [answer.mean for verdict in verdicts for answer in verdict.answers]
    unit = max(band(outcome.record["controls"], outcome.record["draws"]) * verdicts[0].deviation,
               1e-9)  # fmt: skip
    if (
        column.direction != "higher"
        and max(map(abs, means)) > _LOGARITHMIC_FROM * unit
        and (not column.is_share)
    ):
        step = 10.0 ** math.floor(math.log10(max(unit, abs(verdicts[0].control))))
        axes.set_yscale("symlog", linthresh=step)
        powers = range(round(math.log10(step)), math.ceil(math.log10(max(means))) + 1)
        axes.set_yticks([0.0, *(10.0**power for power in list(powers)[:: -(-len(powers) // 4)])])
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_ylim(bottom=min(0.0, *means) - step / 2)
    elif column.is_share:
        axes.set_ylim(-0.08, 1.08)
        axes.set_yticks([0, 0.5, 1])
    else:
        axes.yaxis.set_major_locator(MaxNLocator(3))
        axes.set_ylim(bottom=min(0.0, *means) - 0.06 * max(means))


def heat_map(outcome: Outcome, style: ChartStyle) -> Figure:
    """The standardised answer of each metric to the strongest of each fault."""
    metrics, faults = outcome.metrics, outcome.faults
    shape = (len(metrics), len(faults))
    shown, texts = np.full(shape, np.nan), np.full(shape, "", dtype=object)
    for row, metric in enumerate(metrics):
        for place, fault in enumerate(faults):
            verdict = outcome.verdict(metric.name, fault.name)
            if verdict is not None:
                size = verdict.answers[-1].standardised
                scaled = math.log10(1 + min(abs(size), _MOST_SHOWN))
                shown[row, place] = (
                    0 if verdict.detection in ("blind", "varies") else math.copysign(scaled, size)
                )
                parts = [verdict.detection, verdict.arrow, deviations(size)]
                texts[row, place] = " ".join(filter(None, parts))
    figure = canvas(
        _LABEL_INCHES + _CELL[0] * len(faults), _CELL[1] * len(metrics) + 0.7,
        f"What each metric sees · {outcome.dataset}",
        "answer to the strongest of each fault, in standard deviations of the control; positive is "
        "worse", style,
    )  # fmt: skip
    axes = figure.subplots()
    blue, orange = style.theme.palette[:2]
    colours = LinearSegmentedColormap.from_list("answers", [orange, style.theme.paper, blue])
    end = math.log10(1 + _MOST_SHOWN) * 1.6  # never so dark that the text is lost
    sns.heatmap(
        shown, ax=axes, cmap=colours, vmin=-end, vmax=end, annot=texts, fmt="", cbar=False,
        linewidths=1.5, linecolor=style.theme.paper,
        annot_kws={"size": 7.5, "color": style.theme.ink},
        xticklabels=[_strongest(outcome, fault.name) for fault in faults],
        yticklabels=[_row_name(outcome, metric) for metric in metrics],
    )  # fmt: skip
    axes.tick_params(length=0, labelrotation=0, labelcolor=style.theme.ink)
    axes.xaxis.tick_top()
    detections: tuple[Detection, ...] = ("sees", "misled")
    marks = [Patch(color=_colour(one, style), alpha=0.6, label=_MEANINGS[one])
             for one in detections]  # fmt: skip
    figure.legend(handles=marks, loc="outside lower center", ncols=2)
    return figure


def _strongest(outcome: Outcome, fault: str) -> str:
    last = next(item for item in outcome.faults if item.name == fault).strengths[-1]
    return f"{fault}\n{last.label}"


def _row_name(outcome: Outcome, metric: Metric) -> str:
    column = columns.column(metric.name)
    return f"{column.heading(outcome.backbone)} {column.arrow}"


def _wrapped(text: str, width: int = 22) -> str:
    return "\n".join(textwrap.wrap(text, width))
