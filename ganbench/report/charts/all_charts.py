"""All charts of a report: which there are, and drawing them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ganbench.report.charts.classes import class_histogram
from ganbench.report.charts.losses import losses
from ganbench.report.charts.over_training import over_training
from ganbench.report.charts.samples import SAMPLES_DPI, samples
from ganbench.report.charts.scalars import scalars
from ganbench.report.charts.scores import quality, throughput
from ganbench.report.charts.step_profile import phases
from ganbench.report.charts.style import DARK, DPI, LIGHT, ChartStyle, draw, encode
from ganbench.report.charts.tradeoff import tradeoff
from ganbench.report.comparison.families import PRIMARY
from ganbench.report.comparison.ranking import best_of
from ganbench.report.scale import (
    LIGHT_ONLY_RUNS,
    MANY_RUNS,
    MOST_CHARTED,
    MOST_GROUPS_CHARTED,
    MOST_GROUPS_IN_FULL,
    MOST_OF_MANY,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

    from ganbench.report.gather import Results
    from ganbench.report.groups import Group

__all__ = ["CHARTS", "Chart", "Drawn", "draw_all"]


_PAGE_DPI = 100
_MAIN_CHARTS = 1  # that of quality


@dataclass(frozen=True)
class Chart:
    """One kind of chart.

    Attributes:
        name: Begins the file's name.
        caption: What it shows, for those who cannot see it.
        draw: Makes it for a group, or returns None where the runs left nothing to show.
        has_images: Whether it holds generated images, whose pixels must stay as they are.
    """

    name: str
    caption: str
    draw: Callable[[Group, ChartStyle], Figure | None]
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


@dataclass(frozen=True)
class Drawn:
    """A chart of one group.

    Attributes:
        group: Slug of the group.
        file: Name of the PNG in `charts/`.
        caption: What it shows.
        png: In light colours, for the file.
        light: In light colours, for the page.
        dark: In dark colours, for the page; None where it has the light ones only.
        kind: Media type of the two for the page.
        width: On the page, in CSS pixels, so that the letters of all charts are of one size.
    """

    group: str
    file: str
    caption: str
    png: bytes
    light: bytes
    dark: bytes | None
    kind: str
    width: int


def draw_all(
    results: Results,
    score: str = PRIMARY,
    report: Callable[[str, int, int], None] = lambda _text, _done, _total: None,
) -> list[Drawn]:
    """Draw every chart that the runs have something for, group by group.

    Of very many variants, those that lead on `score` are drawn. A report of very many runs has all
    charts of its first group, and the main ones of some more, in light colours only.
    """
    is_large = len(results.entries) > MANY_RUNS
    only_light = len(results.entries) > LIGHT_ONLY_RUNS
    most = MOST_OF_MANY if is_large else MOST_CHARTED
    drawn = []
    of_groups = [_charts_of(place) if is_large else CHARTS for place in range(len(results.groups))]
    count, total = 0, sum(map(len, of_groups))
    for group, charts in zip(results.groups, of_groups, strict=True):
        shown = best_of(group, most, score)
        labels = results.labels if len(results.labels) <= most else shown.all_labels
        for chart in charts:
            report("drawing charts", count, total)
            count += 1
            done = _draw(chart, shown, tuple(labels), only_light=only_light)
            if done is not None:
                drawn.append(done)
    report("drawing charts", total, total)
    return drawn


def _charts_of(place: int) -> tuple[Chart, ...]:
    """The charts of one of the groups in a report of very many runs."""
    if place < MOST_GROUPS_IN_FULL:
        return CHARTS
    return CHARTS[:_MAIN_CHARTS] if place < MOST_GROUPS_CHARTED else ()


def _draw(
    chart: Chart, group: Group, labels: tuple[str, ...], *, only_light: bool = False
) -> Drawn | None:
    def figure(style: ChartStyle) -> Figure | None:
        return chart.draw(group, style)

    light = draw(figure, ChartStyle(LIGHT, labels))
    dark = light if only_light else draw(figure, ChartStyle(DARK, labels))
    if light is None or dark is None:
        return None
    png = encode(light, "exact" if chart.has_images else "drawing")
    page = encode(light, "photo") if chart.has_images else png
    return Drawn(
        group=group.slug,
        file=f"{chart.name}-{group.slug}.png",
        caption=f"{chart.caption}: {group.title}",
        png=png,
        light=page,
        dark=None if only_light else encode(dark, "photo" if chart.has_images else "drawing"),
        kind="image/webp" if chart.has_images else "image/png",
        width=round(light.width * _PAGE_DPI / (SAMPLES_DPI if chart.has_images else DPI)),
    )
