"""Pictures of what a generator draws: grids of images, or points over their modes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ganbench.data.points import mixture_of
from ganbench.scoring import draw
from ganbench.scoring.draw_points import Canvas, picture

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

    from ganbench.variant.definition import DatasetSpec

__all__ = ["GridPictures", "Pictures", "PointPictures", "pictures_of"]

_GRID_COUNT = 64
_POINT_COUNT = 2500


class Pictures(Protocol):
    """How samples of one kind are drawn.

    Attributes:
        count: Samples in one picture.
        is_animated: Whether the pictures of a run make an animation.
    """

    count: int
    is_animated: bool

    def at_step(self, real: Tensor, generated: Tensor, step: int) -> Image:
        """One moment of a run."""

    def beside_real(self, real: Tensor, generated: Tensor) -> Image:
        """Real samples on the left, generated ones on the right."""

    def alone(self, generated: Tensor, title: str) -> Image:
        """Samples from a finished run, under a title."""


class GridPictures:
    """Images in rows."""

    count = _GRID_COUNT
    is_animated = False

    def at_step(self, _real: Tensor, generated: Tensor, _step: int) -> Image:
        """See `Pictures`."""
        return draw.grid(generated)

    def beside_real(self, real: Tensor, generated: Tensor) -> Image:
        """See `Pictures`."""
        left = draw.titled(draw.grid(real), "real")
        return draw.beside(left, draw.titled(draw.grid(generated), "generated"))

    def alone(self, generated: Tensor, title: str) -> Image:
        """See `Pictures`."""
        return draw.titled(draw.grid(generated, max(1, min(8, len(generated)))), title)


class PointPictures:
    """Points over the modes of their mixture, beside as many real ones.

    Args:
        name: The dataset.
    """

    count = _POINT_COUNT
    is_animated = True

    def __init__(self, name: str) -> None:
        self._canvas = Canvas(mixture_of(name))

    def at_step(self, real: Tensor, generated: Tensor, step: int) -> Image:
        """See `Pictures`."""
        return picture(self._canvas, real, generated, f"generated, step {step:,}")

    def beside_real(self, real: Tensor, generated: Tensor) -> Image:
        """See `Pictures`."""
        return picture(self._canvas, real, generated, "generated")

    def alone(self, generated: Tensor, title: str) -> Image:
        """See `Pictures`."""
        return self._canvas.panel(generated, title)


def pictures_of(spec: DatasetSpec) -> Pictures:
    """How samples of a dataset are drawn."""
    return PointPictures(spec.name) if spec.kind == "points" else GridPictures()
