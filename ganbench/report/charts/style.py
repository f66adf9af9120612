"""The style of all charts: colours, markers, layout, and encoding as PNG."""

from __future__ import annotations

import colorsys
import io
import math
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import seaborn as sns
from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.markers import MarkerStyle
from PIL import Image

from ganbench.report.charts.letters import broken, fonts

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from matplotlib.axes import Axes

__all__ = [
    "DARK",
    "DPI",
    "HEADING",
    "LIGHT",
    "NOTE",
    "ChartStyle",
    "Theme",
    "canvas",
    "draw",
    "encode",
    "heading",
    "ignore_missing_signs",
    "lay_out",
    "render",
]

DPI = 150
HEADING, NOTE = "heading", "note"
"""Mark the texts above a chart, which the page says in its own letters."""
_NARROW_INCHES = 3.6
_TITLE_SIZE, _SUBTITLE_SIZE = 12, 8.5
_LINE_INCHES = 0.2
_COLOURS_IN_PNG = 256
_WEBP_QUALITY = 88

_SIGNS_THAT_THE_FONT_LACKS = ("Glyph ", "Matplotlib currently does not support ")

Kind = Literal["drawing", "exact", "photo"]

# Okabe and Ito's colours (https://jfly.uni-koeln.de/color/), which colour-blind people can tell
# apart, without the yellow, which is lost on white.
_PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#8c6bb1", "#7f7f7f")
# The same hues, lighter, to be read on dark paper.
_BRIGHT = ("#3f9fe5", "#f0823c", "#2dbf90", "#e29ac4", "#a3dcf8", "#f4bb45", "#b59be3", "#aaaaaa")
_SHADES = (0.0, -0.38, 0.3)  # of the colours: as they are, darker, lighter
_DASHES = ("-", (0, (4, 1.5)), (0, (1.2, 1.2)))
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
    """A theme, and one colour and one marker per variant, the same in all charts of a report.

    Attributes:
        theme: Colours of the paper.
        labels: The variants.
        is_narrow: Whether a chart is for a telephone: panels below each other, not side by side.
    """

    theme: Theme
    labels: tuple[str, ...]
    is_narrow: bool = False

    def colour(self, label: str) -> str:
        """A variant's colour; the ninth variant takes the first in a darker shade."""
        palette = self.theme.palette
        shade, place = divmod(self.labels.index(label), len(palette))
        return _shaded(palette[place], _SHADES[shade % len(_SHADES)])

    def marker(self, label: str) -> str:
        """A variant's marker."""
        return _MARKERS[self.labels.index(label) % len(_MARKERS)]

    def marker_size(self, label: str, size: float) -> float:
        """The size at which a variant's marker covers as much as a disc of another size."""
        return size * _equal_size(self.marker(label))

    def dashes(self, label: str) -> Any:
        """The dashes of a variant's line: the first eight are whole."""
        return _DASHES[self.labels.index(label) // len(self.theme.palette) % len(_DASHES)]

    def width(self, inches: float) -> float:
        """The width of a chart that is so wide where there is room."""
        return min(inches, _NARROW_INCHES) if self.is_narrow else inches

    def across(self, most: int, narrow: int = 1) -> int:
        """How many panels stand side by side."""
        return min(most, narrow) if self.is_narrow else most

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
            "font.sans-serif": list(fonts()),
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


@lru_cache(maxsize=512)
def _shaded(colour: str, by: float) -> str:
    """A colour darker (-1: black) or lighter (1: white)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    hue, light, saturation = colorsys.rgb_to_hls(*parts)
    light = light * (1 + by) if by < 0 else light + (1 - light) * by
    mixed = colorsys.hls_to_rgb(hue, light, saturation)
    return "#" + "".join(f"{round(255 * part):02x}" for part in mixed)


@lru_cache(maxsize=64)
def _equal_size(marker: str) -> float:
    """By what a marker's size is multiplied to cover as much as a disc of this size."""
    style = MarkerStyle(marker)
    area = 0.0
    for polygon in style.get_path().transformed(style.get_transform()).to_polygons():
        x, y = np.asarray(polygon).T
        area += abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2
    return math.sqrt(math.pi / 4 / area) if area else 1.0


def canvas(
    width: float, height: float, title: str, subtitle: str, style: ChartStyle, dpi: int = DPI
) -> Figure:
    """An empty figure with a heading, whose lines are broken where they are wider than it.

    Args:
        width: In inches.
        height: In inches, without the heading.
        title: What is shown.
        subtitle: How to read it.
        style: Colours.
        dpi: Pixels per inch.
    """
    lines = broken(title, _TITLE_SIZE, "bold", width - 0.2)
    below = broken(subtitle, _SUBTITLE_SIZE, "normal", width - 0.2)
    head = 0.22 + _LINE_INCHES * (len(lines) + len(below))
    full = height + head
    figure = Figure(figsize=(width, full), layout="constrained", dpi=dpi)
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.set(rect=(0.005, 0.005, 0.99, height / full - 0.005), w_pad=0.06, h_pad=0.06)  # type: ignore[call-arg]  # matplotlib's stubs know only the base class
    top = 0.1
    for text, size, weight in [
        *((line, _TITLE_SIZE, "bold") for line in lines),
        *((line, _SUBTITLE_SIZE, "normal") for line in below),
    ]:
        colour = style.theme.ink if weight == "bold" else style.theme.muted
        figure.text(
            0.012 * min(1, 7 / width), 1 - top / full, text, size=size, weight=weight, va="top",
            color=colour, gid=HEADING if weight == "bold" else NOTE,
        )  # fmt: skip
        top += _LINE_INCHES + (0.05 if weight == "bold" else 0)
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
        ignore_missing_signs()
        figure = chart(style)
        return None if figure is None else render(figure)


def ignore_missing_signs() -> None:
    """Signs that no font has are drawn as boxes, without a warning."""
    for start in _SIGNS_THAT_THE_FONT_LACKS:
        warnings.filterwarnings("ignore", start, UserWarning)


def render(figure: Figure) -> Image.Image:
    """The pixels of a figure, inside the `applied` style that it was made in."""
    # `savefig` would draw twice, since it settles the layout first, and encode in between.
    sheet = FigureCanvasAgg(figure)
    sheet.draw()  # type: ignore[no-untyped-call]  # matplotlib's stubs leave it out
    raster = np.asarray(sheet.buffer_rgba())  # type: ignore[no-untyped-call]  # matplotlib's stubs leave it out
    return Image.fromarray(raster).convert("RGB")


def lay_out(figure: Figure) -> None:
    """Give the axes of a figure their places, as drawing it does, without drawing it."""
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)


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
        _in_few_colours(image).save(small, format="png")
    return small.getvalue()


def _in_few_colours(image: Image.Image) -> Image.Image:
    """A drawn chart with a palette, in which its paper keeps its exact colour."""
    # An octree is ten times as quick as a median cut, and nearer to these pictures, which have few
    # colours: but it gives the mean of all that are near to each other.
    flat = image.quantize(_COLOURS_IN_PNG, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    colours = np.array(flat.getpalette()).reshape(-1, 3)
    colours[np.asarray(flat)[0, 0]] = np.asarray(image)[0, 0]
    flat.putpalette(colours.ravel().tolist())
    return flat
