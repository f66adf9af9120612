"""Chart of samples: images of the same latents as training goes on."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from ganbench.report.charts.style import canvas
from ganbench.report.moments import first_with_samples, shared_moments
from ganbench.report.sample_images import first_cells, generated_panel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from matplotlib.figure import Figure

    from ganbench.report.charts.style import ChartStyle
    from ganbench.report.groups import Group

__all__ = ["SAMPLES_DPI", "first_cells", "generated_panel", "samples"]

SAMPLES_DPI = 100  # the images are drawn pixel by pixel, and the file stays small
_MOST_MOMENTS = 6
_CELL_PIXELS = 140
_GAP_PIXELS = 10
_CAPTION_PIXELS = 16
_NAME_PIXELS = 130


def samples(group: Group, style: ChartStyle) -> Figure | None:
    """One strip per variant: the first images of a few grids, from the first seed with any.

    A column is one moment of training: a variant that draws more rarely than others shows the last
    samples that it had drawn by then.
    """
    strips = first_with_samples(group, group.labels)
    if not strips:
        return None
    moments = shared_moments(strips, _MOST_MOMENTS)
    across = len(moments.texts)
    row_pixels = _CELL_PIXELS + _CAPTION_PIXELS + _GAP_PIXELS
    width = (_NAME_PIXELS + max(across, 3) * (_CELL_PIXELS + _GAP_PIXELS)) / SAMPLES_DPI
    figure = canvas(
        width, row_pixels * len(strips) / SAMPLES_DPI,
        f"Samples as training goes on · {group.title}",
        "the same latents each time; one seed per variant", style, SAMPLES_DPI,
    )  # fmt: skip
    figure.set_layout_engine("none")  # every cell has its place in pixels
    full = figure.get_size_inches() * SAMPLES_DPI
    for row, (label, entry) in enumerate(strips.items()):
        bottom = (len(strips) - row - 1) * row_pixels + _GAP_PIXELS // 2
        size = entry.result.recipe.get("image_size")
        figure.text(
            (_NAME_PIXELS - 10) / full[0], (bottom + _CELL_PIXELS / 2) / full[1], label,
            ha="right", va="center", size=9, weight="bold", color=style.colour(label), wrap=True,
        )  # fmt: skip
        for place in range(across):
            moment = moments.shown(label, place)
            left = _NAME_PIXELS + place * (_CELL_PIXELS + _GAP_PIXELS)
            if moment is None:
                figure.text(
                    (left + _CELL_PIXELS / 2) / full[0], (bottom + _CELL_PIXELS / 2) / full[1],
                    moments.not_yet(label), ha="center", va="center", size=7.5,
                    color=style.theme.muted,
                )  # fmt: skip
                continue
            if entry.result.is_of_points:
                cell = _cell(moment.path, generated_panel, style)
            else:
                known = size if isinstance(size, int) and size > 0 else None
                cell = _cell(moment.path, partial(first_cells, size=known), style)
            figure.figimage(np.asarray(cell), left, bottom)
            figure.text(
                (left + _CELL_PIXELS / 2) / full[0], (bottom + _CELL_PIXELS + 4) / full[1],
                moment.text, ha="center", size=7.5, color=style.theme.muted,
            )  # fmt: skip
    return figure


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
