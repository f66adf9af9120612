"""What is drawn, as the page shows it: single images as PNG, points on a plane, sheets to save."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ganbench.data.points import mixture_of
from ganbench.errors import UsageError
from ganbench.scoring import draw
from ganbench.scoring.draw_points import Canvas
from ganbench.scoring.pictures import pictures_of
from ganbench.visible import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from ganbench.data.points import Mixture
    from ganbench.variant.definition import DatasetSpec

__all__ = ["as_png", "data_url", "plane", "points_on_plane", "sheet"]

_LONGEST_TITLE = 200  # characters
_LARGE, _SMALL = 256, 64  # pixels across, to which one image, or each of many, is enlarged
_ONE_ROW, _COLUMNS = 9, 8  # images that stand in one row, as an interpolation does


def data_url(image: Tensor) -> str:
    """A uint8 image (channels, height, width) as a PNG in the text of an address."""
    content = as_png(_picture(image))
    return "data:image/png;base64," + base64.b64encode(content).decode()


def as_png(picture: Image.Image, said: str = "") -> bytes:
    """A picture as the bytes of a PNG, with what is said of it in its text field."""
    info = PngInfo()
    if said:
        info.add_itxt("Description", said)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


def sheet(drawn: Sequence[tuple[str, DatasetSpec, Tensor]]) -> Image.Image:
    """One picture of what one or two generators have drawn, each under its title.

    Args:
        drawn: Titles, datasets, and images or points.
    """
    parts = []
    for title, spec, values in drawn:
        shown = visible(title)[:_LONGEST_TITLE]
        if spec.kind == "points":
            parts.append(pictures_of(spec).alone(values, shown))
            continue
        wanted = _LARGE if len(values) == 1 else _SMALL
        times = max(1, wanted // values.shape[-1])
        enlarged = values.repeat_interleave(times, dim=2).repeat_interleave(times, dim=3)
        columns = len(values) if len(values) <= _ONE_ROW else _COLUMNS
        parts.append(draw.titled(draw.grid(enlarged, columns), shown))
    whole = parts[0]
    for part in parts[1:]:
        whole = draw.beside(whole, part)
    return whole


def plane(spec: DatasetSpec) -> dict[str, Any] | None:
    """The plane on which points are shown: its modes, and how far it reaches; None for images."""
    if spec.kind != "points":
        return None
    mixture = _mixture(spec)
    canvas = Canvas(mixture)
    return {
        "reach": canvas.reach,
        "modes": canvas.on_plane(mixture.centres).round(4).tolist(),
        "radius": 3 * float(mixture.deviations.max()),
        "is_projection": canvas.is_projection,
    }


def points_on_plane(spec: DatasetSpec, points: Tensor) -> list[tuple[float, float, bool]]:
    """Coordinates of points (n, dimensions) on the plane, and whether each is of high quality."""
    mixture = _mixture(spec)
    distances, _ = mixture.nearest(points)
    places = Canvas(mixture).on_plane(points)
    return [
        (round(float(x), 4), round(float(y), 4), bool(distance < mixture.threshold))
        for (x, y), distance in zip(places, distances, strict=True)
    ]


def _mixture(spec: DatasetSpec) -> Mixture:
    """The mixture that points are of.

    Raises:
        UsageError: The run's record names none that there is.
    """
    try:
        return mixture_of(spec.name)
    except KeyError as error:
        raise UsageError(f"{spec.name} holds points of no mixture that ganbench knows") from error


def _picture(image: Tensor) -> Image.Image:
    pixels = image.permute(1, 2, 0).contiguous().numpy()
    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
