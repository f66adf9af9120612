"""The axes of a chart, which Jupyter shows as the picture that they are parts of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from ganbench.report.charts.style import encode

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ganbench.report.charts.style import ChartStyle

__all__ = ["Panels"]


class Panels(list["Axes"]):
    """The axes of a chart, from the upper left to the lower right.

    Args:
        figure: Theirs.
        style: In which it was drawn.
        has_images: Whether it holds generated images, whose pixels must stay as they are.
    """

    def __init__(self, figure: Figure, style: ChartStyle, *, has_images: bool = False) -> None:
        super().__init__(axes for axes in figure.axes if axes.get_visible())
        self.figure = figure
        self._style = style
        self._has_images = has_images

    def savefig(self, path: str, dpi: float = 150) -> None:
        """Write the picture to a file, whose ending says the format: png, svg, pdf."""
        with self._style.applied():
            self.figure.savefig(path, dpi=dpi)

    def _repr_png_(self) -> bytes:
        """The picture, as Jupyter shows it."""
        with self._style.applied():
            sheet = FigureCanvasAgg(self.figure)
            sheet.draw()  # type: ignore[no-untyped-call]  # matplotlib's stubs leave it out
            raster = np.asarray(sheet.buffer_rgba())  # type: ignore[no-untyped-call]  # as above
        picture = Image.fromarray(raster).convert("RGB")
        return encode(picture, "exact" if self._has_images else "drawing")
