"""Draw points over the modes that they should lie on: real ones beside generated ones.

The axes are those of the mixture and never of the points, so that pictures of different steps and
variants can be laid over each other. Points of high quality are blue, others orange; where many
lie, the colour is deep. Points in more than two dimensions are projected on the plane in which the
centres of the modes lie farthest apart; their colours are those of all dimensions.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from ganbench.scoring.metrics.constants import PANEL, PANEL_LEFT, PANEL_TOP

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from ganbench.data.points import Mixture

__all__ = ["PANEL", "PANEL_LEFT", "PANEL_TOP", "Canvas", "picture"]

_BELOW = 44
_RIGHT = 12
_FINER = 2  # pixels are drawn so much finer, and then averaged
_DOT = 2.6  # radius of a point, in finer pixels
_OPACITY = 0.45
_MARGIN = 1.35  # times the farthest centre
_SMALLEST_MARK = 5.0  # radius in pixels of the circle around a mode
_BLUE, _ORANGE = (33, 102, 172), (217, 95, 14)
_INK, _MUTED, _MARK, _PAPER = (30, 30, 30), (110, 110, 110), (150, 150, 150), (255, 255, 255)


@dataclass(frozen=True, eq=False)
class Canvas:
    """The plane on which the points of a mixture are drawn.

    Args:
        mixture: Gives the modes.
    """

    mixture: Mixture

    @cached_property
    def _axes(self) -> tuple[Tensor, Tensor]:
        """Origin (dimensions,) and two directions (dimensions, 2)."""
        centres = self.mixture.centres.double()
        if centres.shape[1] == 2:  # noqa: PLR2004 - a plane
            return torch.zeros(2, dtype=torch.float64), torch.eye(2, dtype=torch.float64)
        middle = centres.mean(dim=0)
        directions = torch.linalg.svd(centres - middle, full_matrices=False).Vh[:2].T
        largest = directions.abs().argmax(dim=0)  # their signs are free, and are fixed so
        return middle, directions * directions.gather(0, largest[None]).sign()

    def on_plane(self, points: Tensor) -> NDArray[np.float64]:
        """Coordinates of points (n, dimensions) on the plane, (n, 2)."""
        origin, directions = self._axes
        flat: NDArray[np.float64] = ((points.double() - origin) @ directions).numpy()
        return flat

    @property
    def is_projection(self) -> bool:
        """Whether the points have more dimensions than the plane."""
        return self.mixture.centres.shape[1] > 2  # noqa: PLR2004 - a plane

    @cached_property
    def reach(self) -> float:
        """Half of the width that the axes show, around 0."""
        return _MARGIN * float(np.abs(self.on_plane(self.mixture.centres)).max())

    def panel(self, points: Tensor, title: str) -> Image.Image:
        """Draw points (n, dimensions) with a title above and what they score below."""
        distances, modes = self.mixture.nearest(points)
        is_high = (distances < self.mixture.threshold).numpy()
        flat = self.on_plane(points)
        places = (flat * (1, -1) / self.reach + 1) * (PANEL / 2)  # in pixels, downwards
        shown = self._shade(places, is_high)
        sheet = Image.new("RGB", (PANEL_LEFT + PANEL + _RIGHT, PANEL_TOP + PANEL + _BELOW), _PAPER)
        sheet.paste(shown, (PANEL_LEFT, PANEL_TOP))
        is_outside = (np.abs(flat) > self.reach).any(axis=1)
        found = len(modes[torch.from_numpy(is_high)].unique())
        said = f"{found} of {len(self.mixture.centres)} modes · {is_high.mean():.0%} high quality"
        if is_outside.any():
            said += f" · {is_outside.mean():.0%} off the picture"
        self._letter(sheet, title, said)
        return sheet

    def _shade(self, places: NDArray[np.float64], is_high: NDArray[np.bool_]) -> Image.Image:
        """The marks of the modes, and the points over them."""
        size = PANEL * _FINER
        base = Image.new("RGB", (size, size), _PAPER)
        pen = ImageDraw.Draw(base)
        centres = (self.on_plane(self.mixture.centres) * (1, -1) / self.reach + 1) * (size / 2)
        spread = 3 * float(self.mixture.deviations.max()) / self.reach * (size / 2)
        radius = max(spread, _SMALLEST_MARK * _FINER)
        for x, y in centres:
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), outline=_MARK, width=2)
        pixels = np.asarray(base, dtype=np.float64)
        for chosen, colour in ((~is_high, _ORANGE), (is_high, _BLUE)):
            strength = 1 - (1 - _OPACITY) ** _dots(places[chosen] * _FINER, size)
            pixels = pixels + strength[:, :, None] * (np.asarray(colour) - pixels)
        drawn = Image.fromarray(pixels.round().astype(np.uint8))
        ImageDraw.Draw(drawn).rectangle((0, 0, size - 1, size - 1), outline=_MUTED, width=_FINER)
        return drawn.resize((PANEL, PANEL), Image.Resampling.BOX)

    def _letter(self, sheet: Image.Image, title: str, said: str) -> None:
        """Write the title, the numbers of the axes, and what the points score."""
        pen, small = ImageDraw.Draw(sheet), ImageFont.load_default(size=11)
        middle = PANEL_LEFT + PANEL / 2
        pen.text((middle, 6), title, _INK, ImageFont.load_default(size=14), anchor="ma")
        tick = 10 ** np.floor(np.log10(self.reach))
        tick *= next(step for step in (4, 2, 1) if step * tick <= self.reach)
        for value in (-tick, 0, tick):
            text = f"{value:g}"
            offset = value / self.reach * PANEL / 2
            below = PANEL_TOP + PANEL
            pen.line((middle + offset, below, middle + offset, below + 3), _MUTED)
            pen.text((middle + offset, below + 5), text, _MUTED, small, anchor="ma")
            height = PANEL_TOP + PANEL / 2 - offset
            pen.line((PANEL_LEFT - 4, height, PANEL_LEFT - 1, height), _MUTED)
            pen.text((PANEL_LEFT - 7, height), text, _MUTED, small, anchor="rm")
        pen.text((middle, PANEL_TOP + PANEL + 24), said, _INK, small, anchor="ma")


def picture(canvas: Canvas, real: Tensor, generated: Tensor, title: str) -> Image.Image:
    """Draw real points on the left and generated ones on the right.

    Args:
        canvas: Of the mixture that the real points are of.
        real: (n, dimensions), on the CPU.
        generated: (m, dimensions), on the CPU.
        title: Stands above the generated points.
    """
    left = "real, projected on the modes' plane" if canvas.is_projection else "real"
    panels = [canvas.panel(real, left), canvas.panel(generated, title)]
    sheet = Image.new("RGB", (2 * panels[0].width, panels[0].height), _PAPER)
    for place, panel in enumerate(panels):
        sheet.paste(panel, (place * panel.width, 0))
    return sheet


def _dots(places: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """How many round dots lie over each pixel of a square, (size, size)."""
    whole = np.floor(places).astype(np.int64)
    counts = np.zeros((size, size))
    reach = int(_DOT)
    for across in range(-reach, reach + 1):
        for down in range(-reach, reach + 1):
            if across**2 + down**2 > _DOT**2:
                continue
            x, y = whole[:, 0] + across, whole[:, 1] + down
            inside = (x >= 0) & (x < size) & (y >= 0) & (y < size)
            np.add.at(counts, (y[inside], x[inside]), 1)
    return counts
