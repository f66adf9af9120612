"""The style of all charts: colours, markers, layout, and encoding as PNG."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import seaborn as sns
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from matplotlib.axes import Axes

__all__ = ["DARK", "DPI", "LIGHT", "ChartStyle", "Theme", "canvas", "draw", "encode", "heading"]

DPI = 150
_TITLE_INCHES = 0.62
_COLOURS_IN_PNG = 256
_WEBP_QUALITY = 88

_SIGNS_THAT_THE_FONT_LACKS = ("Glyph ", "Matplotlib currently does not support ")

Kind = Literal["drawing", "exact", "photo"]

# Okabe and Ito's colours (https://jfly.uni-koeln.de/color/), which colour-blind people can tell
# apart, without the yellow, which is lost on white.
_PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#8c6bb1", "#7f7f7f")
# The same hues, lighter, to be read on dark paper.
_BRIGHT = ("#3f9fe5", "#f0823c", "#2dbf90", "#e29ac4", "#a3dcf8", "#f4bb45", "#b59be3", "#aaaaaa")
_MARKERS = ("o", "s", "D", "^", "v", "P", "X", "*", "h", "p", "<", ">", "d")


@dataclass(frozen=True)
class Theme:
    """Colours of all that is not data."""

    name: str
    paper: str
    ink: str
    muted: str
    grid: str
    palette: tuple[str, ...]


LIGHT = Theme("light", "#ffffff", "#1f2430", "#667085", "#e7e9ee", _PALETTE)
DARK = Theme("dark", "#171a21", "#e8eaf0", "#9aa3b2", "#2c313c", _BRIGHT)


@dataclass(frozen=True)
class ChartStyle:
    """A theme, and one colour and one marker per variant, the same in all charts of a report."""

    theme: Theme
    labels: tuple[str, ...]

    def colour(self, label: str) -> str:
        """A variant's colour; the ninth variant takes the first again, with another marker."""
        palette = self.theme.palette
        return palette[self.labels.index(label) % len(palette)]

    def marker(self, label: str) -> str:
        """A variant's marker."""
        return _MARKERS[self.labels.index(label) % len(_MARKERS)]

    def applied(self) -> AbstractContextManager[None]:
        """Draw in this theme inside a `with`; nothing global stays changed."""
        return rc_context(self._settings())  # type: ignore[arg-type]  # keys known only at run time

    def _settings(self) -> dict[str, Any]:
        theme = self.theme
        return {
            **sns.axes_style("whitegrid"),
            **sns.plotting_context("paper"),
            "axes.axisbelow": True,
            "axes.edgecolor": theme.grid,
            "axes.facecolor": theme.paper,
            "axes.labelcolor": theme.muted,
            "axes.labelsize": 8.5,
            "axes.spines.right": False,
            "axes.spines.top": False,
            "axes.titlecolor": theme.ink,
            "axes.titlelocation": "left",
            "axes.titlesize": 9.5,
            "axes.titleweight": "bold",
            "figure.facecolor": theme.paper,
            "font.sans-serif": ["DejaVu Sans"],  # ships with matplotlib: the same on every machine
            "grid.color": theme.grid,
            "grid.linewidth": 0.8,
            "legend.fontsize": 8.5,
            "legend.frameon": False,
            "legend.labelcolor": theme.ink,
            "savefig.dpi": "figure",
            "text.color": theme.ink,
            "text.parse_math": False,  # a dollar in a name is a dollar
            "xtick.color": theme.muted,
            "xtick.labelsize": 8,
            "ytick.color": theme.muted,
            "ytick.labelsize": 8,
        }


def canvas(
    width: float, height: float, title: str, subtitle: str, style: ChartStyle, dpi: int = DPI
) -> Figure:
    """An empty figure with a heading.

    Args:
        width: In inches.
        height: In inches, without the heading.
        title: What is shown.
        subtitle: How to read it.
        style: Colours.
        dpi: Pixels per inch.
    """
    full = height + _TITLE_INCHES
    figure = Figure(figsize=(width, full), layout="constrained", dpi=dpi)
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.set(rect=(0.005, 0.005, 0.99, height / full - 0.005), w_pad=0.06, h_pad=0.06)  # type: ignore[call-arg]  # matplotlib's stubs know only the base class
    figure.text(0.012, 1 - 0.1 / full, title, size=12, weight="bold", va="top")
    figure.text(0.012, 1 - 0.35 / full, subtitle, size=8.5, color=style.theme.muted, va="top")
    return figure


def heading(axes: Axes, text: str, note: str, style: ChartStyle) -> None:
    """Title of one panel, with a note in small print behind it."""
    axes.set_title(text)
    axes.annotate(
        note, (1, 1), xycoords="axes fraction", xytext=(0, 4.5), textcoords="offset points",
        ha="right", size=7.5, color=style.theme.muted,
    )  # fmt: skip


def draw(chart: Callable[[ChartStyle], Figure | None], style: ChartStyle) -> Image.Image | None:
    """Draw a chart in a style; None where there is nothing to draw."""
    with style.applied(), warnings.catch_warnings():
        for start in _SIGNS_THAT_THE_FONT_LACKS:  # they are drawn as boxes
            warnings.filterwarnings("ignore", start, UserWarning)
        figure = chart(style)
        if figure is None:
            return None
        # `savefig` would draw twice, since it settles the layout first, and encode in between.
        sheet = FigureCanvasAgg(figure)
        sheet.draw()  # type: ignore[no-untyped-call]  # matplotlib's stubs leave it out
        raster = np.asarray(sheet.buffer_rgba())  # type: ignore[no-untyped-call]  # matplotlib's stubs leave it out
    return Image.fromarray(raster).convert("RGB")


def encode(image: Image.Image, kind: Kind) -> bytes:
    """Store a drawn chart in few bytes.

    Args:
        image: RGB.
        kind: `drawing` is a PNG of 256 colours, a quarter as large without a visible loss; `exact`
            is a PNG that keeps every pixel, for images that people look at closely; `photo` is
            a WebP that nearly keeps them, for pages that should stay small.
    """
    small = io.BytesIO()
    if kind == "photo":
        image.save(small, format="webp", quality=_WEBP_QUALITY, method=4)
    elif kind == "exact":
        image.save(small, format="png", optimize=True)
    else:
        flat = image.quantize(_COLOURS_IN_PNG, dither=Image.Dither.NONE)
        flat.save(small, format="png", optimize=True)
    return small.getvalue()
