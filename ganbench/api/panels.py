"""The axes of a chart, which Jupyter shows as the picture that they are parts of."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from matplotlib.backends.backend_agg import FigureCanvasAgg

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
    """

    def __init__(self, figure: Figure, style: ChartStyle) -> None:
        super().__init__(axes for axes in figure.axes if axes.get_visible())
        self.figure = figure
        self._style = style

    def savefig(self, path: str, dpi: float = 150) -> None:
        """Write the picture to a file, whose ending says the format: png, svg, pdf."""
        with self._style.applied():
            self.figure.savefig(path, dpi=dpi)

    def _repr_png_(self) -> bytes:
        """The picture, as Jupyter shows it."""
        png = io.BytesIO()
        with self._style.applied():
            FigureCanvasAgg(self.figure).print_png(png)  # type: ignore[no-untyped-call]  # matplotlib's stubs leave it out
        return png.getvalue()
