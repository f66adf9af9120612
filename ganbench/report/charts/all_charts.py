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

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

    from ganbench.report.gather import Results
    from ganbench.report.groups import Group

__all__ = ["CHARTS", "Chart", "Drawn", "draw_all"]


_PAGE_DPI = 100


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
        dark: In dark colours, for the page.
        kind: Media type of the two for the page.
        width: On the page, in CSS pixels, so that the letters of all charts are of one size.
    """

    group: str
    file: str
    caption: str
    png: bytes
    light: bytes
    dark: bytes
    kind: str
    width: int


def draw_all(results: Results) -> list[Drawn]:
    """Draw every chart that the runs have something for, group by group."""
    labels = tuple(results.labels)
    return [
        drawn
        for group in results.groups
        for chart in CHARTS
        if (drawn := _draw(chart, group, labels)) is not None
    ]


def _draw(chart: Chart, group: Group, labels: tuple[str, ...]) -> Drawn | None:
    def figure(style: ChartStyle) -> Figure | None:
        return chart.draw(group, style)

    light, dark = draw(figure, ChartStyle(LIGHT, labels)), draw(figure, ChartStyle(DARK, labels))
    if light is None or dark is None:
        return None
    png = encode(light, "exact" if chart.has_images else "drawing")
    return Drawn(
        group=group.slug,
        file=f"{chart.name}-{group.slug}.png",
        caption=f"{chart.caption}: {group.title}",
        png=png,
        light=encode(light, "photo") if chart.has_images else png,
        dark=encode(dark, "photo" if chart.has_images else "drawing"),
        kind="image/webp" if chart.has_images else "image/png",
        width=round(light.width * _PAGE_DPI / (SAMPLES_DPI if chart.has_images else DPI)),
    )
