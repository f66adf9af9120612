"""Charts as SVG in a page: marks named by their variant, colours as variables, few bytes."""

from __future__ import annotations

import html
import io
import re
import zlib
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from matplotlib import rc_context

from ganbench.report.charts.style import DARK, HEADING, LIGHT, NOTE, ChartStyle

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from re import Match

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.legend import Legend

__all__ = [
    "INTERVAL",
    "VECTOR_FORMATS",
    "colour_variables",
    "inline_svg",
    "mark",
    "mark_legend",
    "mark_name",
    "mark_rows",
    "saved",
    "series",
]

INTERVAL = "interval"
"""Marks what the page's switch for intervals hides."""

VECTOR_FORMATS = ("svg", "pdf")
"""Formats of charts for papers."""
_PAGE_PIXELS_PER_INCH = 120
_POINTS_PER_INCH = 72
_NOT_SHOWN = re.compile(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<!--.*?-->|<metadata>.*?</metadata>", re.S)
_ID = re.compile(r'<g id="([^"]*)"')
_TAG = re.compile(r"<[^>]+>")
_LONG_NUMBER = re.compile(r"-?\d+\.\d{2,}")
_COLOUR = re.compile(r"#[0-9a-f]{6}")
_FONT_FAMILY = re.compile(r"font-family: [^;\"]*;? ?")
_EMPTY = re.compile(r"<g>\s*</g>")


def mark(artists: Artist | Iterable[Artist], label: str, title: str = "", kind: str = "") -> None:
    """Say of which variant an artist is, so that the page can hide it.

    Args:
        artists: One or several.
        label: The variant.
        title: What the page says where the pointer is on it; of a line of markers alone, one line
            of text for each.
        kind: `INTERVAL` for what the switch of intervals hides.
    """
    for artist in artists if hasattr(artists, "__iter__") else (artists,):
        artist.set_gid("/".join(["mark", *(quote(part, safe="") for part in (label, title, kind))]))


def series(artists: Artist | Iterable[Artist], label: str, title: str) -> None:
    """As `mark`, of a line: the page adds the number under the pointer to the title."""
    mark(artists, label, title, "series")


def mark_legend(legend: Legend, labels: Iterable[str]) -> None:
    """Say of which variants the entries of a legend are."""
    for label, text, handle in zip(labels, legend.get_texts(), legend.legend_handles, strict=False):
        mark(text, label)
        if handle is not None:
            mark(handle, label)


def mark_rows(axes: Axes, labels: Sequence[str]) -> None:
    """Say that axes hold one row per variant, the first at 0, so that the page can close them up.

    Args:
        axes: With a linear vertical axis; rows of other things may follow.
        labels: The variants, from above.
    """
    axes.set_gid("/".join(["rows", *(quote(label, safe="") for label in labels)]))


def mark_name(axes: Axes) -> None:
    """Say that the name of a vertical axis stays where it is when the page moves its panel."""
    axes.yaxis.label.set_gid("name")


def colour_variables() -> str:
    """The colours of charts as CSS variables, each for light and for dark paper."""
    return " ".join(
        f"--chart-{name}: light-dark({light}, {dark});"
        for name, light, dark in _colours()
    )  # fmt: skip


def _colours() -> list[tuple[str, str, str]]:
    """Name, light and dark form of every colour that charts have."""
    pairs = [
        (name, getattr(LIGHT, name), getattr(DARK, name))
        for name in ("paper", "ink", "muted", "grid")
    ]
    count = 3 * len(LIGHT.palette)
    names = tuple(map(str, range(count)))
    light, dark = ChartStyle(LIGHT, names), ChartStyle(DARK, names)
    pairs += [(name, light.colour(name), dark.colour(name)) for name in names]
    return pairs


def saved(figure: Figure, kind: str) -> bytes:
    """A figure, inside the style that it was made in, as a file for papers.

    Args:
        figure: With its heading.
        kind: `svg` or `pdf`.
    """
    file = io.BytesIO()
    settings = {"svg.hashsalt": "ganbench", "pdf.fonttype": 42}
    with rc_context(settings):  # type: ignore[arg-type]  # keys known only at run time
        dates: dict[str, None] = {"Date": None} if kind == "svg" else {"CreationDate": None}
        figure.savefig(file, format=kind, metadata=dates)
    made = file.getvalue()
    return _numbered(made.decode(), "ganbench").encode() if kind == "svg" else made


def inline_svg(figure: Figure, caption: str, salt: str) -> str:
    """A figure as an `<svg>` that can stand in a page, without its heading.

    Args:
        figure: Laid out.
        caption: For those who cannot see it.
        salt: Unlike that of any other chart of the page, whose definitions it is told apart from.
    """
    width, height = figure.get_size_inches()
    head = _head_inches(figure)
    with rc_context({"figure.constrained_layout.use": False, "figure.autolayout": False}):
        figure.set_layout_engine(None)  # with one, if only to keep its places, it is drawn twice
    for text in figure.texts:
        if text.get_gid() in (HEADING, NOTE):
            text.set_visible(False)
    for axes in figure.axes:
        axes.set_gid(_scale_of(axes, (width, height)))
    file = io.StringIO()
    settings = {"svg.fonttype": "none", "svg.hashsalt": salt, "path.simplify_threshold": 0.4}
    with rc_context(settings):  # type: ignore[arg-type]  # keys known only at run time
        figure.savefig(file, format="svg", metadata={"Date": None})
    return _numbered(_small(file.getvalue(), caption, width, height, head), salt)


def _head_inches(figure: Figure) -> float:
    """How much of a figure's height its heading takes, which its layout leaves free."""
    engine = figure.get_layout_engine()
    _, bottom, _, height = engine.get()["rect"] if engine else (0, 0, 1, 1)
    return float(figure.get_figheight() * (1 - bottom - height))


def _scale_of(axes: Axes, inches: Iterable[float]) -> str:
    """The scale of both axes, so that the page can turn a place into two numbers."""
    box = axes.get_position()
    width, height = (_POINTS_PER_INCH * side for side in inches)
    places = (box.x0 * width, box.x1 * width, (1 - box.y0) * height, (1 - box.y1) * height)
    numbers = [*places, *axes.get_xlim(), *axes.get_ylim()]
    scales = [axes.get_xscale(), axes.get_yscale()]
    texts = (axes.get_xlabel(), axes.get_ylabel(), axes.get_label())
    names = [quote(str(text), safe="") for text in texts]
    _, *rows = (axes.get_gid() or "").split("/")
    numbers_text = " ".join(f"{number:.6g}" for number in numbers)
    return "/".join(["axes", numbers_text, *scales, *names, *rows])


def _small(text: str, caption: str, width: float, height: float, head: float) -> str:
    body = _NOT_SHOWN.sub("", text)
    body = body[body.index(">", body.index("<svg")) + 1 :]
    body = _ID.sub(_named, body)
    body = _TAG.sub(_short_tag, body)
    body = re.sub(r">\s+<", "><", body)
    while _EMPTY.search(body):
        body = _EMPTY.sub("", body)
    points = [round(_POINTS_PER_INCH * side, 1) for side in (width, height - head)]
    top = round(_POINTS_PER_INCH * head, 1)
    shown = (
        f'viewBox="0 {top} {points[0]} {points[1]}" width="{round(width * _PAGE_PIXELS_PER_INCH)}"'
    )
    label = html.escape(caption, quote=True)
    return f'<svg {shown} role="img" aria-label="{label}">{body.strip()}'


def _numbered(svg: str, salt: str) -> str:
    """An `<svg>` whose definitions are numbered in their order.

    matplotlib calls them by hashes of places, whose last digits differ from drawing to drawing.
    """
    chart = f"{zlib.crc32(salt.encode()):x}"
    names = dict.fromkeys(re.findall(r' id="([^"]+)"', svg))
    numbers = {name: f"d{chart}-{place}" for place, name in enumerate(names)}

    def renamed(found: Match[str]) -> str:
        return found[1] + numbers.get(found[2], found[2])

    return re.sub(r'( id="|"#|\(#)([^")]+)', renamed, svg)


def _named(found: Match[str]) -> str:
    """A group of the chart, with what the page has to know of it."""
    kind, *parts = html.unescape(found[1]).split("/")
    parts = [html.escape(unquote(part), quote=True) for part in parts]
    if kind == "mark":
        label, title, what = parts
        shown = f' data-title="{title}"' if title else ""
        also = f' class="{what}"' if what else ""
        return f'<g data-variant="{label}"{shown}{also}'
    if kind == "axes":
        numbers, x_scale, y_scale, x_name, y_name, label, *rows = parts
        of_one = f' data-variant="{label}"' if label else ""
        if rows:
            ends = [float(number) for number in numbers.split()[-2:]]
            count = round(abs(ends[1] - ends[0]))
            of_one += f' data-rows="{"&#10;".join(rows)}" data-count="{count}"'
        return (
            f'<g data-axes="{numbers}" data-scales="{x_scale} {y_scale}" data-x="{x_name}" '
            f'data-y="{y_name}"{of_one}'
        )
    return '<g class="axis-name"' if kind == "name" else "<g"


def _short_tag(found: Match[str]) -> str:
    """A tag with fewer digits and without what the page says elsewhere."""
    tag = found[0]
    if 'data-axes="' in tag:
        return tag
    head, title, rest = tag.partition('data-title="')
    tag = head.replace("\n", " ").replace("xlink:href", "href")
    tag = _FONT_FAMILY.sub("", _LONG_NUMBER.sub(_rounded, tag))
    tag = _COLOUR.sub(lambda colour: _VARIABLES.get(colour[0], colour[0]), tag)
    return tag + title + rest


def _rounded(found: Match[str]) -> str:
    return f"{float(found[0]):.2f}".rstrip("0").rstrip(".")


_VARIABLES = {light: f"var(--chart-{name})" for name, light, _ in _colours()}
