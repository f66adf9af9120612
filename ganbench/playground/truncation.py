"""Truncation: latents drawn towards their middle, for cleaner and less diverse images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import nn

from ganbench.machine.random_streams import generator

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.training.state import TrainState

__all__ = ["TruncatedMapping", "Truncation", "mean_style", "truncation_of"]

_MEAN_OF = 4096


@dataclass(frozen=True)
class Truncation:
    """How a generator's latents are truncated, if that makes sense.

    Attributes:
        kind: `"latent"` scales latents; `"mapping"` draws what the mapping network gives towards
            its mean; `"none"` is for generators to which a scaled latent means nothing.
        said: What it does, or why it makes no sense, in one sentence.
    """

    kind: Literal["latent", "mapping", "none"]
    said: str


def truncation_of(state: TrainState) -> Truncation:
    """Say how the latents of a generator are truncated.

    Args:
        state: Whose `sampler` draws. One that has the methods `styles` and `synthesis`, which
            together are the generator, has a mapping network.
    """
    network = state.sampler
    has_mapping = callable(getattr(network, "styles", None)) and callable(
        getattr(network, "synthesis", None)
    )
    if has_mapping and not state.takes_condition:
        return Truncation(
            "mapping",
            "Draws w, which the mapping network makes of the latent, towards its mean; the latent "
            "itself is normalised, so that scaling it would change nothing (StyleGAN2).",
        )
    if has_mapping:
        return Truncation(
            "none", "The mapping network's mean would be one of all conditions together."
        )
    if state.latent_sampler is not None:
        return Truncation(
            "none", "This variant draws latents of its own; scaled ones are none that it knows."
        )
    if state.recipe.latent == "uniform":
        return Truncation(
            "latent",
            "Scales the latents, which are uniform in a cube: its middle is no more likely than "
            "its edges, so images need not become cleaner.",
        )
    if state.form.kind == "points":
        return Truncation(
            "latent",
            "Scales the latents; between the modes of a mixture that makes nothing better.",
        )
    return Truncation(
        "latent",
        "Scales the latents: below 1 they lie nearer to the middle than those of training, and "
        "images are often cleaner and less diverse; above 1 the other way round.",
    )


class TruncatedMapping(nn.Module):
    """A generator whose w is drawn towards its mean (Karras et al. 2019, arXiv:1812.04948).

    Args:
        generator: With the methods `styles` and `synthesis`, in evaluation mode.
        mean: The mean of w, (1, entries).
        share: What stays of the difference from the mean: 0 is the mean, 1 changes nothing.
    """

    def __init__(self, generator: nn.Module, mean: Tensor, share: float) -> None:
        super().__init__()
        self.generator = generator
        self._mean = mean
        self._share = share

    def forward(self, latents: Tensor) -> Tensor:
        """Map latents (batch, latent_dim) to images."""
        network: Any = self.generator
        images: Tensor = network.synthesis(
            torch.lerp(self._mean, network.styles(latents), self._share)
        )
        return images


def mean_style(state: TrainState, device: torch.device) -> Tensor:
    """The mean of what the mapping network makes of many latents, (1, entries)."""
    network: Any = state.sampler
    with torch.inference_mode():
        latents = state.latents(_MEAN_OF, generator(0, "mean of the mapping")).to(device)
        mean: Tensor = network.styles(latents).mean(dim=0, keepdim=True)
    return mean
