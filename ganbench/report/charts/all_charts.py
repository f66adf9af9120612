"""All charts of a report: which there are, and drawing them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ganbench.report.charts.best_over_trials import best_over_trials
from ganbench.report.charts.classes import class_histogram
from ganbench.report.charts.losses import losses
from ganbench.report.charts.over_training import over_training
from ganbench.report.charts.samples import samples
from ganbench.report.charts.scalars import scalars
from ganbench.report.charts.scores import quality, throughput
from ganbench.report.charts.step_profile import phases
from ganbench.report.charts.style import (
    LIGHT,
    NOTE,
    ChartStyle,
    encode,
    ignore_missing_signs,
    lay_out,
    render,
)
from ganbench.report.charts.tradeoff import tradeoff
from ganbench.report.charts.vector import inline_svg, saved
from ganbench.report.comparison.families import PRIMARY
from ganbench.report.comparison.ranking import best_of
from ganbench.report.scale import (
    MANY_RUNS,
    MOST_CHARTED,
    MOST_GROUPS_CHARTED,
    MOST_GROUPS_IN_FULL,
    MOST_OF_MANY,
    ONE_WIDTH_RUNS,
)
from ganbench.report.tunings import ShownTuning, shown_tunings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from matplotlib.figure import Figure

    from ganbench.report.gather import Results
    from ganbench.report.groups import Group

    Over = Callable[[Callable[[Any], Any], Sequence[Any]], Iterator[Any]]

__all__ = ["BEST_OVER_TRIALS", "CHARTS", "Chart", "Drawn", "draw_all"]


_MAIN_CHARTS = 1  # that of quality


@dataclass(frozen=True)
class Chart:
    """One kind of chart.

    Attributes:
        name: Begins the file's name.
        caption: What it shows, for those who cannot see it.
        draw: Makes it for a group, or for a tuning; returns None where the runs left nothing to
            show.
        has_images: Whether it holds generated images, whose pixels must stay as they are.
    """

    name: str
    caption: str
    draw: Callable[[Any, ChartStyle], Figure | None]
    has_images: bool = False


CHARTS = (
    Chart("quality", "Scores of quality and diversity by variant", quality),
    Chart("tradeoff", "Quality against training speed", tradeoff),
    Chart("throughput", "Images per second by variant, in training and in sampling", throughput),
    Chart("over-training", "Scores against images, steps and seconds of training", over_training),
    Chart("phases", "What a training step spends its time on, by variant", phases),
    Chart("losses", "Losses and the discriminator's output over the steps", losses),
    Chart("scalars", "What the variants' own losses record over the steps", scalars),
    Chart("classes", "Share of each class among generated and real images", class_histogram),
    Chart("samples", "Samples of the same latents as training goes on", samples, has_images=True),
)
BEST_OVER_TRIALS = Chart(
    "best-over-trials", "Best score over the number of trials, beside the default recipe",
    best_over_trials,
)  # fmt: skip
"""Of a tuning, in the place of a group."""


@dataclass(frozen=True)
class Drawn:
    """A chart of one group.

    Attributes:
        group: Slug of the group.
        name: Kind of the chart.
        file: Name of the PNG in `charts/`.
        caption: What it shows, and of which group.
        title: Its heading on the page.
        note: How to read it.
        png: In light colours, for the file.
        wide: As inline SVG, for the page; empty for a chart of pixels.
        narrow: The same for a telephone; empty where the page has the wide one only.
        vectors: The files that were asked for besides, by their endings.
    """

    group: str
    name: str
    file: str
    caption: str
    title: str
    note: str
    png: bytes
    wide: str = ""
    narrow: str = ""
    vectors: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True)
class _Request:
    """A chart that is to be drawn.

    Attributes:
        chart: Its kind.
        group: What of.
        labels: The variants of the whole report, which give each its colour.
        formats: Of files for papers.
        only_wide: Whether a page has it in one width.
    """

    chart: Chart
    group: Group | ShownTuning
    labels: tuple[str, ...]
    formats: tuple[str, ...]
    only_wide: bool = False


def draw_all(
    results: Results,
    score: str = PRIMARY,
    formats: Sequence[str] = (),
    report: Callable[[str, int, int], None] = lambda _text, _done, _total: None,
    over: Over = map,
) -> list[Drawn]:
    """Draw every chart that the runs have something for, group by group.

    Of very many variants, those that lead on `score` are drawn. A report of very many runs has all
    charts of its first group, and the main ones of some more.

    Args:
        results: The runs.
        score: The primary score.
        formats: Of files for papers, besides PNG: `svg` and `pdf`.
        report: Called with what is done, how much of it, and of how much.
        over: Calls a function with each of some items and gives what it returns, in their order:
            `map`, or what does the same in several processes.
    """
    requests = _requests(results, score, tuple(formats))
    report("drawing charts", 0, len(requests))
    drawn = []
    for count, made in enumerate(over(_draw, requests), 1):
        report("drawing charts", count, len(requests))
        drawn += [made] if made is not None else []
    return drawn


def _requests(results: Results, score: str, formats: tuple[str, ...]) -> list[_Request]:
    is_large = len(results.entries) > MANY_RUNS
    only_wide = len(results.entries) > ONE_WIDTH_RUNS
    most = MOST_OF_MANY if is_large else MOST_CHARTED
    requests = []
    for place, group in enumerate(results.groups):
        shown = best_of(group, most, score)
        labels = results.labels if len(results.labels) <= most else shown.all_labels
        requests += [
            _Request(chart, shown, tuple(labels), formats, only_wide)
            for chart in (_charts_of(place) if is_large else CHARTS)
        ]
    requests += [
        _Request(BEST_OVER_TRIALS, tuning, tuple(results.labels), formats)
        for tuning in shown_tunings(results)
    ]
    return requests


def _charts_of(place: int) -> tuple[Chart, ...]:
    """The charts of one of the groups in a report of very many runs."""
    if place < MOST_GROUPS_IN_FULL:
        return CHARTS
    return CHARTS[:_MAIN_CHARTS] if place < MOST_GROUPS_CHARTED else ()


def _draw(request: _Request) -> Drawn | None:
    chart, group = request.chart, request.group
    style, caption = ChartStyle(LIGHT, request.labels), f"{chart.caption}: {group.title}"
    stem = f"{chart.name}-{group.slug}"
    with style.applied(), warnings.catch_warnings():
        ignore_missing_signs()
        figure = chart.draw(group, style)
        if figure is None:
            return None
        png = encode(render(figure), "exact" if chart.has_images else "drawing")
        note = " ".join(text.get_text() for text in figure.texts if text.get_gid() == NOTE)
        vectors = tuple((kind, saved(figure, kind)) for kind in request.formats)
        wide = "" if chart.has_images else inline_svg(figure, caption, f"{stem}-wide")
        narrow = ""
        if wide and not request.only_wide:
            small = chart.draw(group, replace(style, is_narrow=True))
            if small is not None:
                lay_out(small)
                narrow = inline_svg(small, caption, f"{stem}-narrow")
    return Drawn(
        group.slug, chart.name, f"{stem}.png", caption, chart.caption, note, png, wide, narrow,
        vectors,
    )  # fmt: skip
