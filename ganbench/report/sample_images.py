"""Parts of the pictures of samples: single images of a grid, one of two panels, their moments."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np
from PIL import Image

from ganbench.scoring.metrics.constants import PANEL, PANEL_LEFT, PANEL_TOP

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pandas as pd

__all__ = ["evenly", "first_cells", "generated_panel", "moment_text", "real_part", "step_of_grid"]

_Item = TypeVar("_Item")

_CELLS = 2
_GRID_PADDINGS = (2, 0, 1, 3, 4)
_EPOCHS_WITHOUT_DECIMALS = 10
_BETWEEN, _TITLE = 16, 24  # pixels between two pictures side by side, and above each of them


def evenly(items: Sequence[_Item], most: int) -> list[_Item]:
    """A few of some items, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    return [items[round(place)] for place in np.linspace(0, len(items) - 1, most)]


def generated_panel(image: Image.Image) -> Image.Image:
    """The square of the generated points, of a picture with the real ones on its left."""
    left = image.width // 2 + PANEL_LEFT
    return _panel(image, left)


def _panel(image: Image.Image, left: int) -> Image.Image:
    return image.convert("RGB").crop((left, PANEL_TOP, left + PANEL, PANEL_TOP + PANEL))


def real_part(image: Image.Image, grid: tuple[int, int] | None) -> Image.Image:
    """The real half of a picture of real samples beside generated ones.

    Args:
        image: Real ones on the left.
        grid: Width and height of the grid of images in each half; None for points.
    """
    if grid is None:
        return _panel(image, PANEL_LEFT)
    width, height = grid
    if image.size == (2 * width + _BETWEEN, height + _TITLE):
        return image.convert("RGB").crop((0, _TITLE, width, _TITLE + height))
    # The title of small images is wider than they are, and they stand in its middle
    half = (image.width - _BETWEEN) // 2
    left = max(0, (min(half, width) - width) // 2)
    return image.convert("RGB").crop((left, image.height - height, left + width, image.height))


def first_cells(image: Image.Image, size: int | None, cells: int = _CELLS) -> Image.Image:
    """The first images of a grid, as many in a row as in a column.

    Args:
        image: A grid of square images with an even padding around each.
        size: Height and width of one of them in pixels; unknown: a part of the grid is cut out.
        cells: How many in a row and in a column.
    """
    width, height = image.width, image.height
    rgb = image.convert("RGB")
    for padding in _GRID_PADDINGS if size else ():
        step = (size or 0) + padding
        if (width - padding) % step == 0 and (height - padding) % step == 0:
            count = min(cells, (width - padding) // step, (height - padding) // step)
            end = padding + count * step
            return rgb.crop((0, 0, end, end))
    end = min(width, height, max(1, max(width, height) * cells // 8))
    return rgb.crop((0, 0, end, end))


def step_of_grid(file: Path) -> int:
    """The step at which a picture was drawn, by its name."""
    return int("".join(filter(str.isdecimal, file.stem)) or 0)


def moment_text(file: Path, history: pd.DataFrame | None) -> str:
    """The step of a grid, and its epoch where the history records it."""
    step = step_of_grid(file)
    if history is None or "epoch" not in history:
        return f"step {step:,}"
    near = history.iloc[int((history["step"] - step).abs().to_numpy().argmin())]
    epoch = near["epoch"] * step / near["step"] if near["step"] else 0.0
    return f"step {step:,} · epoch {epoch:.{0 if epoch >= _EPOCHS_WITHOUT_DECIMALS else 1}f}"
