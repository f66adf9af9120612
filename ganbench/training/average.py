"""The moving average of what the generator's update trains; nothing of it waits for the device."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ganbench.variant.schedule import value_at

if TYPE_CHECKING:
    from ganbench.variant.recipe import Recipe

__all__ = ["Average", "averages", "decay"]

_AVERAGED = ("running_mean", "running_var")


def averages(recipe: Recipe) -> bool:
    """Whether a recipe asks for a moving average."""
    return bool(recipe.ema_decay) or bool(recipe.ema_half_life_kimg)


def decay(recipe: Recipe, step: int, share: float) -> float:
    """The decay of the moving average in a training step.

    A half-life in images gives `0.5 ** (batch / half-life)` per step (Karras et al. 2020,
    arXiv:2006.06676). The half-life, also that of `ema_decay`, is at most `ema_ramp` of the images
    seen. The first step, and all until `ema_start`, copy.

    Args:
        recipe: Gives the numbers.
        step: Number of the step, from 1.
        share: Share of the budget that is used up, in [0, 1].
    """
    if step <= max(1, recipe.ema_start):
        return 0.0
    if recipe.ema_half_life_kimg:
        half_life = value_at(recipe.ema_half_life_kimg, share) * 1000
        images = recipe.batch_size * recipe.d_steps
        wanted = 0.5 ** (images / half_life) if half_life > 0 else 0.0
    else:
        wanted = value_at(recipe.ema_decay, share)
    ramped = 0.5 ** (1 / (recipe.ema_ramp * step)) if recipe.ema_ramp > 0 else 1.0
    return float(min(wanted, ramped))


class Average:
    """Copies of networks that follow them slowly.

    Parameters are averaged, and so are a BatchNorm's means and variances, which belong to them, as
    in StudioGAN; other buffers and extra state are copied. The weight of the new values lies on the
    device, so that an update can be captured.

    Args:
        recipe: Gives the decay.
        networks: What is averaged, by name.
        device: Where they are.

    Attributes:
        networks: The copies, by name.
    """

    def __init__(
        self, recipe: Recipe, networks: Mapping[str, nn.Module], device: torch.device
    ) -> None:
        self._recipe = recipe
        self.networks = {
            name: copy.deepcopy(network).requires_grad_(requires_grad=False)
            for name, network in networks.items()
        }
        self._weight = torch.ones((), device=device)

    def set(self, step: int, share: float) -> None:
        """Prepare the update of a step."""
        self._weight.fill_(1 - decay(self._recipe, step, share))

    @torch.no_grad()
    def update(self, networks: Mapping[str, nn.Module]) -> None:
        """Move the copies towards the networks."""
        for name, average in self.networks.items():
            network = networks[name]
            held: list[Tensor] = list(average.parameters())
            new: list[Tensor] = list(network.parameters())
            weights: Any = [self._weight] * len(held)  # torch's stubs know numbers alone
            torch._foreach_lerp_(held, new, weights)
            buffers = zip(average.named_buffers(), network.buffers(), strict=True)
            for (place, held_values), values in buffers:
                if place.rpartition(".")[2] in _AVERAGED:
                    held_values.lerp_(values, self._weight)
                else:
                    held_values.copy_(values)
            for held_module, module in zip(average.modules(), network.modules(), strict=True):
                if type(module).get_extra_state is not nn.Module.get_extra_state:
                    held_module.set_extra_state(module.get_extra_state())

    def state_dict(self) -> dict[str, Any]:
        """The copies' states, for a checkpoint."""
        return {name: network.state_dict() for name, network in self.networks.items()}

    def load_state_dict(self, values: Mapping[str, Any]) -> None:
        """Go back to a stored state."""
        for name, network in self.networks.items():
            network.load_state_dict(values[name])
