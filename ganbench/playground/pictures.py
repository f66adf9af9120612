"""What is drawn, as the page shows it: single images as PNG, points on a plane, sheets to save."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ganbench.data.points import mixture_of
from ganbench.scoring import draw
from ganbench.scoring.draw_points import Canvas
from ganbench.scoring.pictures import pictures_of
from ganbench.visible import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from ganbench.variant.definition import DatasetSpec

__all__ = ["as_png", "data_url", "plane", "points_on_plane", "sheet"]

_LONGEST_TITLE = 200  # characters
_SMALL = 128  # pixels across, below which a picture that is saved is enlarged


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
        if spec.kind == "image" and values.shape[-1] < _SMALL:
            times = _SMALL // values.shape[-1] if len(values) == 1 else 2
            shown_values = values.repeat_interleave(times, dim=2).repeat_interleave(times, dim=3)
        else:
            shown_values = values
        parts.append(pictures_of(spec).alone(shown_values, shown))
    whole = parts[0]
    for part in parts[1:]:
        whole = draw.beside(whole, part)
    return whole


def plane(spec: DatasetSpec) -> dict[str, Any] | None:
    """The plane on which points are shown: its modes, and how far it reaches; None for images."""
    if spec.kind != "points":
        return None
    mixture = mixture_of(spec.name)
    canvas = Canvas(mixture)
    return {
        "reach": canvas.reach,
        "modes": canvas.on_plane(mixture.centres).round(4).tolist(),
        "radius": 3 * float(mixture.deviations.max()),
        "is_projection": canvas.is_projection,
    }


def points_on_plane(spec: DatasetSpec, points: Tensor) -> list[tuple[float, float, bool]]:
    """Coordinates of points (n, dimensions) on the plane, and whether each is of high quality."""
    mixture = mixture_of(spec.name)
    distances, _ = mixture.nearest(points)
    places = Canvas(mixture).on_plane(points)
    return [
        (round(float(x), 4), round(float(y), 4), bool(distance < mixture.threshold))
        for (x, y), distance in zip(places, distances, strict=True)
    ]


def _picture(image: Tensor) -> Image.Image:
    pixels = image.permute(1, 2, 0).contiguous().numpy()
    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
