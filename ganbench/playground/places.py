"""Places in latent space: a latent, between two of them, and moved along directions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from pydantic import BaseModel, ConfigDict, Field

from ganbench.machine.random_streams import generator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from ganbench.training.state import TrainState

__all__ = ["MOST_MOVES", "SAMPLES", "Place", "Seeded", "latents_at", "spherical"]

SAMPLES = 1024
"""Latents of one seed. They are always drawn together, so that each is the same however many of
them are shown, and the same in all runs whose latents have equal size and distribution."""

MOST_MOVES = 6
_TINY = 1e-12
_PARALLEL = 1e-4  # sine of the angle below which two latents are joined by a straight line


class Seeded(BaseModel):
    """One of the latents of a seed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(ge=0, lt=2**53)  # what a page's numbers hold exactly
    index: int = Field(ge=0, lt=SAMPLES)


class Place(Seeded):
    """A place in latent space.

    Attributes:
        toward: Another latent, on the way to which it lies; None to stay at the first.
        share: How far it lies on that way, 0 to 1.
        moves: How far it is moved along each direction, in standard deviations of a latent's
            entry.
    """

    toward: Seeded | None = None
    share: float = Field(0.0, ge=0, le=1)
    moves: tuple[float, ...] = Field((), max_length=MOST_MOVES)


def latents_at(
    state: TrainState, places: Sequence[Place], directions: Tensor | None = None
) -> Tensor:
    """The latents at places, float32 of shape (places, latent_dim), on the CPU.

    Between two normal latents the way is an arc, as the middle of a straight line would have a
    length that the generator has hardly seen (White 2016, arXiv:1609.04468); between latents of
    other distributions it is straight.

    Args:
        state: Draws the latents.
        places: At least one.
        directions: float32 of shape (n, latent_dim), of length 1; needed where there are moves.

    Raises:
        ValueError: There are moves and no direction for one of them.
    """
    drawn = {
        seed: state.latents(SAMPLES, generator(seed, "play"))
        for place in places
        for seed in (place.seed, *([place.toward.seed] if place.toward else []))
    }
    is_normal = state.latent_sampler is None and state.recipe.latent == "normal"
    latents = []
    for place in places:
        latent = drawn[place.seed][place.index]
        if place.toward is not None:
            other = drawn[place.toward.seed][place.toward.index]
            between = spherical if is_normal else torch.lerp
            latent = between(latent, other, place.share)
        if any(place.moves):
            if directions is None or len(directions) < len(place.moves):
                raise ValueError(f"{len(place.moves)} moves were given without their directions")
            scale = float(drawn[place.seed].std())
            latent = latent + scale * torch.tensor(place.moves) @ directions[: len(place.moves)]
        latents.append(latent)
    return torch.stack(latents)


def spherical(start: Tensor, end: Tensor, share: float) -> Tensor:
    """A point on the arc between two vectors; its length changes evenly from one's to the other's.

    Args:
        start: float32 of shape (entries,).
        end: Of the same shape.
        share: 0 gives `start`, 1 gives `end`.
    """
    lengths = start.norm(), end.norm()
    product = lengths[0] * lengths[1]
    angle = (start @ end / product.clamp_min(_TINY)).clamp(-1, 1).acos()
    if float(product) < _TINY or float(angle.sin()) < _PARALLEL:  # no arc, or no single one
        return torch.lerp(start, end, share)
    first = ((1 - share) * angle).sin() / angle.sin() * (start / lengths[0])
    second = (share * angle).sin() / angle.sin() * (end / lengths[1])
    on_arc: Tensor = torch.lerp(lengths[0], lengths[1], share) * (first + second)
    return on_arc
