"""Gradient scaling: keeps small float16 gradients from vanishing and large ones from being used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from ganbench.machine.ranks import Ranks

__all__ = ["Scaling", "update"]


class Scaling:
    """A scale for each of the two networks, as their gradients differ in size.

    A step whose gradients overflow is skipped, and its scale halved (Micikevicius et al. 2018,
    arXiv:1710.03740). Where the discriminator's was skipped, the generator's is too, so that it
    never learns twice from the same discriminator. All of that happens on the device.

    Args:
        device: Kind of the device, for example `cuda`.
        discriminator_optimizer: A fused one, which skips without waiting for the device.
        generator_optimizer: Likewise.
    """

    def __init__(
        self, device: str, discriminator_optimizer: Optimizer, generator_optimizer: Optimizer
    ) -> None:
        self.discriminator = torch.amp.GradScaler(device)
        self.generator = torch.amp.GradScaler(device)
        self._skipped: Tensor | None = None  # 1 where this step's discriminator was skipped
        discriminator_optimizer.register_step_pre_hook(self._note)
        generator_optimizer.register_step_pre_hook(self._join)

    def _note(self, optimizer: Any, *_: Any) -> None:
        overflow: Tensor = optimizer.found_inf
        self._skipped = (
            overflow if self._skipped is None else torch.maximum(self._skipped, overflow)
        )

    def _join(self, optimizer: Any, *_: Any) -> None:
        if self._skipped is not None:
            optimizer.found_inf = torch.maximum(optimizer.found_inf, self._skipped)
        self._skipped = None

    def state_dict(self) -> dict[str, Any]:
        """Both scales and how long they have held."""
        return {
            "discriminator": self.discriminator.state_dict(),
            "generator": self.generator.state_dict(),
        }

    def load_state_dict(self, values: dict[str, Any]) -> None:
        """Go back to stored scales, in place where they are on the device already."""
        self.discriminator.load_state_dict(values["discriminator"])
        self.generator.load_state_dict(values["generator"])


def update(
    loss: Tensor,
    optimizer: Optimizer,
    scaler: torch.amp.GradScaler | None,
    ranks: Ranks | None = None,
) -> None:
    """Move an optimizer's weights down the gradient of a loss; gradients are left unscaled.

    Where several processes share the run, the gradient is the mean of theirs.
    """
    _forget_gradients(optimizer)
    if scaler is None:
        loss.backward()
        if ranks is not None:
            ranks.average_gradients(optimizer)
        optimizer.step()
        return
    scaler.scale(loss).backward()
    if ranks is not None:  # before it is looked at, so that all skip a step or none does
        ranks.average_gradients(optimizer)
    scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()


def _forget_gradients(optimizer: Optimizer) -> None:
    """`zero_grad`, without what torch puts around it: it took a hundredth of a step of `mlp`."""
    if type(optimizer).zero_grad is not torch.optim.Optimizer.zero_grad:
        optimizer.zero_grad(set_to_none=True)
        return
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            parameter.grad = None
