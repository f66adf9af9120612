"""Feature clouds whose quality is known: real and generated points of the sanity checks.

The distributions are those of Räisä et al. 2025 (arXiv:2505.22450), at fewer strengths: from 1 to
some hundred dimensions, none of them images. Every function takes a strength and gives 1,000 real
and as many generated points, or as many as it is asked for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F

from ganbench.machine.random_streams import generator

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    Cloud = tuple[Tensor, Tensor]
    """Real and generated points, float64 (count, dimensions) each."""

__all__ = [
    "Source",
    "discrete",
    "disjoint_dimension",
    "hypercubes",
    "hypersphere",
    "invented_modes",
    "modes_dropped_at_once",
    "modes_dropped_one_by_one",
    "one_mode_for_two",
    "pareto_beside",
    "scaled_dimension",
    "shifted",
    "sphere_and_torus",
    "widened",
]

_MODES = 10
_MODE_WIDTH = {1: 1 / 6, 64: 1.0}  # by dimensions, so that modes overlap little in each
_INVENTED_FROM = 5
_OVERLAP = 0.2  # of the volume of two cubes
_DISJOINT = 6.0  # standard deviations between two clouds that share no point
_PARETO = 1.01  # the exponent of a tail so heavy that it has a mean and no variance


@dataclass(frozen=True)
class Source:
    """Random numbers of a check, the same ones at each strength; real and fake have their own.

    Attributes:
        key: Names the check and its setting.
        count: Points of each kind.
    """

    key: str
    count: int

    def normal(self, side: str, dimensions: int) -> Tensor:
        """Standard normal numbers, float64 (count, dimensions)."""
        shape, stream = (self.count, dimensions), self._stream(f"{side} normal")
        return torch.randn(shape, generator=stream, dtype=torch.float64)

    def uniform(self, side: str, dimensions: int) -> Tensor:
        """Numbers in [0, 1), float64 (count, dimensions)."""
        shape, stream = (self.count, dimensions), self._stream(f"{side} uniform")
        return torch.rand(shape, generator=stream, dtype=torch.float64)

    def modes(self, side: str, shares: Sequence[float]) -> Tensor:
        """A mode for each point, int64 (count,), drawn in proportion to `shares`."""
        stream = self._stream(f"{side} modes")
        weights = torch.tensor(shares, dtype=torch.float64)
        return torch.multinomial(weights, self.count, replacement=True, generator=stream)

    def _stream(self, name: str) -> torch.Generator:
        return generator(0, "sanity check", self.key, name)


def shifted(dimensions: int, outlier: str, far: float) -> Callable[[float, Source], Cloud]:
    """Standard normal clouds; the fake one is shifted in each dimension.

    Args:
        dimensions: Of the clouds.
        outlier: Which side has one point at `far` in each dimension: `real`, `fake` or neither.
        far: As far out as the largest shift.
    """

    def make(shift: float, source: Source) -> Cloud:
        real, fake = source.normal("real", dimensions), source.normal("fake", dimensions) + shift
        if outlier:
            {"real": real, "fake": fake}[outlier][0] = far
        return real, fake

    return make


def widened(dimensions: int) -> Callable[[float, Source], Cloud]:
    """Normal clouds; the fake one has another standard deviation."""
    return lambda width, source: (
        source.normal("real", dimensions),
        source.normal("fake", dimensions) * width,
    )


def modes_dropped_at_once(dimensions: int) -> Callable[[float, Source], Cloud]:
    """Ten modes in a row; all but the first lose the same share of their points."""

    def make(lost: float, source: Source) -> Cloud:
        shares = [1.0] + [1 - lost] * (_MODES - 1)
        return _row_of_modes(source, "real", dimensions), _row_of_modes(
            source, "fake", dimensions, shares
        )

    return make


def modes_dropped_one_by_one(dimensions: int) -> Callable[[float, Source], Cloud]:
    """Ten modes in a row, of which so many at the end are missing."""

    def make(missing: float, source: Source) -> Cloud:
        shares = [1.0 if place < _MODES - missing else 0.0 for place in range(_MODES)]
        return _row_of_modes(source, "real", dimensions), _row_of_modes(
            source, "fake", dimensions, shares
        )

    return make


def _row_of_modes(
    source: Source, side: str, dimensions: int, shares: Sequence[float] = (1.0,) * _MODES
) -> Tensor:
    """Modes at 0 to 10 on the diagonal."""
    centres = torch.linspace(0, _MODES, _MODES, dtype=torch.float64)[source.modes(side, shares)]
    return centres[:, None] + source.normal(side, dimensions) * _MODE_WIDTH[dimensions]


def invented_modes(modes: float, source: Source) -> Cloud:
    """Five modes in the plane, on a circle of ten places; so many fake ones, the five first."""
    angles = 2 * math.pi * torch.arange(_MODES, dtype=torch.float64) / _MODES
    centres = 20 * torch.stack([angles.cos(), angles.sin()], dim=1)

    def cloud(side: str, count: int) -> Tensor:
        shares = [1.0 if place < count else 0.0 for place in range(_MODES)]
        chosen: Tensor = centres[source.modes(side, shares)]
        return chosen + source.normal(side, 2) / 4

    return cloud("real", _INVENTED_FROM), cloud("fake", round(modes))


def one_mode_for_two(dimensions: int) -> Callable[[float, Source], Cloud]:
    """Two normal modes so far apart; the fake cloud is one mode, as wide as both together."""

    def make(apart: float, source: Source) -> Cloud:
        signs = source.modes("real", (1.0, 1.0)) - 0.5
        real = source.normal("real", dimensions) + apart * signs[:, None]
        return real, source.normal("fake", dimensions) * math.sqrt(1 + apart**2)

    return make


def hypersphere(dimensions: int) -> Callable[[float, Source], Cloud]:
    """Points on the surface of a sphere of radius 1, and of another radius."""

    def surface(source: Source, side: str) -> Tensor:
        return F.normalize(source.normal(side, dimensions), dim=1)

    return lambda radius, source: (surface(source, "real"), radius * surface(source, "fake"))


def hypercubes(dimensions: int) -> Callable[[float, Source], Cloud]:
    """Two cubes that share a fifth of their volume, of so many points each."""

    def make(count: float, source: Source) -> Cloud:
        shift = 1 - _OVERLAP ** (1 / dimensions)
        sized = Source(source.key, round(count))
        return sized.uniform("real", dimensions), sized.uniform("fake", dimensions) + shift

    return make


def sphere_and_torus(real: str) -> Callable[[float, Source], Cloud]:
    """A ball of radius 0.8 inside a ring; the fake points fill the same of the two, or the other.

    Args:
        real: `ball` or `ring`, which the real points fill.
    """

    def ball(source: Source, side: str) -> Tensor:
        directions = F.normalize(source.normal(side, 3), dim=1)
        radii = source.uniform(side, 1).pow(1 / 3)
        return 0.8 * radii * directions

    def ring(source: Source, side: str) -> Tensor:
        """A tube of radius 0.1 around the unit circle."""
        turn, angle, depth = source.uniform(side, 3).T
        away = 0.1 * depth.sqrt()
        out = 1 + away * (2 * math.pi * angle).cos()
        height = away * (2 * math.pi * angle).sin()
        around = 2 * math.pi * turn
        return torch.stack([out * around.cos(), out * around.sin(), height], dim=1)

    shapes = {"ball": ball, "ring": ring}
    (other,) = shapes.keys() - {real}
    return lambda is_other, source: (
        shapes[real](source, "real"),
        shapes[other if is_other else real](source, "fake"),
    )


def scaled_dimension(scale: float, source: Source) -> Cloud:
    """Disjoint in the first of two dimensions; the unit of the second changes for both sides."""
    units = torch.tensor([1.0, scale], dtype=torch.float64)
    shift = torch.tensor([_DISJOINT, 0.0], dtype=torch.float64)
    return source.normal("real", 2) * units, source.normal("fake", 2) * units + shift


def pareto_beside(shift: float, source: Source) -> Cloud:
    """A normal dimension that is shifted, beside one with a Pareto tail that is right."""

    def cloud(side: str, mean: float) -> Tensor:
        tail = (1 - source.uniform(side, 1)).pow(-1 / _PARETO)
        return torch.cat([source.normal(side, 1) + mean, tail], dim=1)

    return cloud("real", 0.0), cloud("fake", shift)


def disjoint_dimension(others: float, source: Source) -> Cloud:
    """Disjoint in one dimension, beside so many that are right."""
    real, fake = (source.normal(side, 1 + round(others)) for side in ("real", "fake"))
    fake[:, 0] += _DISJOINT
    return real, fake


def discrete(which: str) -> Callable[[float, Source], Cloud]:
    """Normal numbers of so large a scale, which one side rounds to whole ones.

    Args:
        which: The side that is rounded: `real` or `fake`.
    """

    def make(scale: float, source: Source) -> Cloud:
        real, fake = (source.normal(side, 1) * scale for side in ("real", "fake"))
        return (real.round(), fake) if which == "real" else (real, fake.round())

    return make
