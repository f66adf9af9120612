"""Chart of samples: images of the same latents, through training where they were drawn."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from ganbench.report.charts.letters import broken
from ganbench.report.charts.style import canvas
from ganbench.report.moments import first_with_samples, shared_moments
from ganbench.report.sample_images import first_cells, generated_panel

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from matplotlib.figure import Figure

    from ganbench.report.charts.style import ChartStyle
    from ganbench.report.groups import Group
    from ganbench.report.rows import Entry

__all__ = ["SAMPLES_DPI", "first_cells", "generated_panel", "samples"]

SAMPLES_DPI = 100  # the images are drawn pixel by pixel, and the file stays small
_MOST_MOMENTS = 6
_CELL_PIXELS = 140
_GAP_PIXELS = 10
_CAPTION_PIXELS = 16
_NAME_PIXELS = 130
_NAME_FONT = (9, "bold")


def samples(group: Group, style: ChartStyle) -> Figure | None:
    """One strip per variant: the first images of a few grids, from the first seed with any.

    A column is one moment of training: a variant that draws more rarely than others shows the last
    samples that it had drawn by then. Where there is a single moment, variants stand side by side.
    """
    strips = first_with_samples(group, group.labels)
    if not strips:
        return None
    moments = shared_moments(strips, _MOST_MOMENTS)
    across = len(moments.texts)
    layout = _side_by_side(strips) if across == 1 else _below_each_other(strips, across)
    title, note = "Samples as training goes on", "the same latents each time; one seed per variant"
    if across == 1:
        title, note = "Samples", "one seed per variant"
    figure = canvas(
        layout.width / SAMPLES_DPI, layout.height / SAMPLES_DPI, f"{title} · {group.title}",
        note, style, SAMPLES_DPI,
    )  # fmt: skip
    figure.set_layout_engine("none")  # every cell has its place in pixels
    full = figure.get_size_inches() * SAMPLES_DPI

    def say(text: str, right: float, up: float, **how: Any) -> None:
        figure.text(right / full[0], up / full[1], text, **how)

    for label, entry in strips.items():
        place = layout.places[label]
        size, weight = _NAME_FONT
        colour = style.colour(label)
        say(place.name, *place.at, **place.how, size=size, weight=weight, color=colour)
        part = _part(entry)
        for column, left in enumerate(place.lefts):
            moment, middle = moments.shown(label, column), left + _CELL_PIXELS / 2
            small = {"ha": "center", "size": 7.5, "color": style.theme.muted}
            if moment is None:
                up = place.bottom + _CELL_PIXELS / 2
                say(moments.not_yet(label), middle, up, va="center", **small)
                continue
            figure.figimage(np.asarray(_cell(moment.path, part, style)), left, place.bottom)
            say(moment.text, middle, place.bottom + _CELL_PIXELS + 4, **small)
    return figure


def _part(entry: Entry) -> Callable[[Image.Image], Image.Image]:
    """What is shown of a run's pictures."""
    if entry.result.is_of_points:
        return generated_panel
    known = entry.result.recipe.get("image_size")
    size = known if isinstance(known, int) and known > 0 else None
    return partial(first_cells, size=size)


@dataclass(frozen=True)
class _Place:
    """Where the name and the cells of a variant lie, in pixels from the lower left corner."""

    name: str
    at: tuple[float, float]
    how: Mapping[str, Any]
    lefts: tuple[int, ...]
    bottom: int


@dataclass(frozen=True)
class _Layout:
    """The size of all cells together, in pixels, and the place of each variant."""

    width: int
    height: int
    places: Mapping[str, _Place]


def _name(label: str, pixels: int) -> str:
    """A variant's name in lines of a width."""
    return "\n".join(broken(label, *_NAME_FONT, pixels / SAMPLES_DPI, is_name=True))


def _below_each_other(labels: Collection[str], moments: int) -> _Layout:
    """A row per variant, its name before the cells."""
    row_pixels = _CELL_PIXELS + _CAPTION_PIXELS + _GAP_PIXELS
    across = _CELL_PIXELS + _GAP_PIXELS
    lefts = tuple(_NAME_PIXELS + column * across for column in range(moments))
    how = {"ha": "right", "va": "center"}
    places = {}
    for row, label in enumerate(labels):
        bottom = (len(labels) - row - 1) * row_pixels + _GAP_PIXELS // 2
        at = (_NAME_PIXELS - 10, bottom + _CELL_PIXELS / 2)
        name = _name(label, _NAME_PIXELS - 2 * _GAP_PIXELS)
        places[label] = _Place(name, at, how, lefts, bottom)
    return _Layout(_NAME_PIXELS + max(moments, 3) * across, len(labels) * row_pixels, places)


def _side_by_side(labels: Collection[str]) -> _Layout:
    """A cell per variant, its name above it."""
    names = {label: _name(label, _CELL_PIXELS) for label in labels}
    lines = max(name.count("\n") + 1 for name in names.values())
    name_pixels = lines * _CAPTION_PIXELS
    row_pixels = name_pixels + _CAPTION_PIXELS + _CELL_PIXELS + _GAP_PIXELS
    columns = min(len(labels), _MOST_MOMENTS)
    rows = -(-len(labels) // columns)
    how = {"ha": "center", "va": "bottom"}
    places = {}
    for index, label in enumerate(labels):
        row, column = divmod(index, columns)
        bottom = (rows - row - 1) * row_pixels + _GAP_PIXELS // 2
        left = _GAP_PIXELS + column * (_CELL_PIXELS + _GAP_PIXELS)
        at = (left + _CELL_PIXELS / 2, bottom + _CELL_PIXELS + _CAPTION_PIXELS + 2)
        places[label] = _Place(names[label], at, how, (left,), bottom)
    width = _GAP_PIXELS + max(columns, 3) * (_CELL_PIXELS + _GAP_PIXELS)
    return _Layout(width, rows * row_pixels, places)


def _cell(file: Path, part: Callable[[Image.Image], Image.Image], style: ChartStyle) -> Image.Image:
    """A part of a picture in the middle of a cell, enlarged by a whole number if small.

    The cell of an unreadable picture stays empty.
    """
    cell = Image.new("RGB", (_CELL_PIXELS, _CELL_PIXELS), style.theme.paper)
    try:
        with Image.open(file) as grid:
            image = part(grid)
    except Exception:  # noqa: BLE001 - whatever a damaged picture makes its decoder raise
        return cell
    scale = _CELL_PIXELS // max(image.size)
    if scale > 1:
        image = image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)
    elif not scale:
        image.thumbnail((_CELL_PIXELS, _CELL_PIXELS), Image.Resampling.LANCZOS)
    cell.paste(image, ((_CELL_PIXELS - image.width) // 2, (_CELL_PIXELS - image.height) // 2))
    return cell
