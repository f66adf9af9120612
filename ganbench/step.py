"""One training step, the same for every variant: tensors in, tensors out, no waiting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ganbench.streams import stream_seed

if TYPE_CHECKING:
    from ganbench.variant import Condition, DatasetSpec, Losses, Recipe, Variant

__all__ = ["MEASURES", "Batch", "TrainState", "train_step"]

MEASURES = (
    "d_loss",
    "g_loss",
    "d_real",
    "d_fake_before",
    "d_fake_after",
    "d_gradient_norm",
    "g_gradient_norm",
)


@dataclass(frozen=True)
class Batch:
    """What one discriminator step consumes, on the device.

    Attributes:
        real: float32 images in [-1, 1] of shape (batch, channels, size, size).
        latent: float32 of shape (batch, latent_dim), standard normal.
        condition: float32 of shape (batch, condition size), or None.
    """

    real: Tensor
    latent: Tensor
    condition: Tensor | None = None


@dataclass
class TrainState:
    """The networks, their optimizers and all else that a step changes."""

    recipe: Recipe
    generator: nn.Module
    discriminator: nn.Module
    generator_optimizer: torch.optim.Optimizer
    discriminator_optimizer: torch.optim.Optimizer
    losses: Losses
    condition: Condition | None
    average: AveragedModel | None
    is_logit: bool

    @classmethod
    def create(
        cls, variant: Variant, recipe: Recipe, spec: DatasetSpec, device: torch.device, seed: int
    ) -> Self:
        """Build both networks with the weights that `seed` gives, the same on every device."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(stream_seed(seed, "weights"))
            generator = variant.generator(recipe, spec)
            discriminator = variant.discriminator(recipe, spec)
        networks = [
            network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
            for network in (generator, discriminator)
        ]
        generator, discriminator = networks
        betas = (recipe.beta1, recipe.beta2)
        average = None
        if recipe.ema_decay > 0:
            average = AveragedModel(
                generator, multi_avg_fn=get_ema_multi_avg_fn(recipe.ema_decay), use_buffers=True
            )
        return cls(
            recipe=recipe,
            generator=generator,
            discriminator=discriminator,
            generator_optimizer=torch.optim.Adam(
                generator.parameters(), recipe.lr_g, betas, fused=True
            ),
            discriminator_optimizer=torch.optim.Adam(
                discriminator.parameters(), recipe.lr_d, betas, fused=True
            ),
            losses=variant.losses(recipe, spec),
            condition=variant.condition(recipe, spec) if variant.condition else None,
            average=average,
            is_logit=variant.output == "logit",
        )

    @property
    def takes_condition(self) -> bool:
        """Whether both networks take a condition as their second argument."""
        return self.condition is not None and self.condition.use == "input"

    @property
    def sampler(self) -> nn.Module:
        """The generator that samples are drawn from: its moving average where there is one."""
        return self.generator if self.average is None else self.average.module

    def state_dict(self) -> dict[str, Any]:
        """Everything that a step changes, as `torch.load(weights_only=True)` accepts it."""
        return {
            "generator": self.generator.state_dict(),
            "discriminator": self.discriminator.state_dict(),
            "generator_optimizer": self.generator_optimizer.state_dict(),
            "discriminator_optimizer": self.discriminator_optimizer.state_dict(),
            "average": None if self.average is None else self.average.state_dict(),
        }

    def load_state_dict(self, values: dict[str, Any]) -> None:
        """Go back to a stored state."""
        self.generator.load_state_dict(values["generator"])
        self.discriminator.load_state_dict(values["discriminator"])
        self.generator_optimizer.load_state_dict(values["generator_optimizer"])
        self.discriminator_optimizer.load_state_dict(values["discriminator_optimizer"])
        if self.average is not None:
            self.average.load_state_dict(values["average"])


class _Bound:
    """A discriminator bound to its condition, which notes its mean output on given images."""

    def __init__(self, state: TrainState, condition: Tensor | None, *, measure: bool) -> None:
        self._network = state.discriminator
        self._condition = () if condition is None else (condition,)
        self._is_logit = state.is_logit
        self._measure = measure
        self._notes: list[tuple[Tensor, Tensor]] = []

    def __call__(self, images: Tensor) -> Tensor:
        output: Tensor = self._network(images, *self._condition)
        if self._measure:
            self._notes.append((images, output.detach()))
        return output

    def mean_on(self, images: Tensor) -> Tensor:
        """Mean output on the very tensor `images`; not a number if it was never judged."""
        for judged, output in self._notes:
            if judged is images:
                return (output.sigmoid() if self._is_logit else output).mean()
        return images.new_full((), torch.nan)


def _gradient_norm(network: nn.Module) -> Tensor:
    gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
    return torch.nn.utils.get_total_norm(gradients)


def _generate(state: TrainState, batch: Batch) -> Tensor:
    condition = () if batch.condition is None else (batch.condition,)
    fake: Tensor = state.generator(batch.latent, *condition)
    return fake


def train_step(
    state: TrainState, batches: Sequence[Batch], *, measure: bool = False
) -> Tensor | None:
    """Update the discriminator once a batch, then the generator once.

    The generator is judged on the images of the last batch, by the discriminator as it is after
    its update; its own weights stay as they are while the generator's gradient passes through.

    Args:
        state: Changed in place.
        batches: One a discriminator step, at least one.
        measure: Whether to compute the numbers named in `MEASURES`.

    Returns:
        The measures as a float32 tensor on the device, or None.
    """
    # The discriminator
    for index, batch in enumerate(batches):
        with torch.set_grad_enabled(index == len(batches) - 1):
            fake = _generate(state, batch)
        detached = fake.detach()
        judge = _Bound(state, batch.condition, measure=measure)
        d_loss = state.losses.d_loss(judge, batch.real, detached)
        state.discriminator_optimizer.zero_grad(set_to_none=True)
        d_loss.backward()
        state.discriminator_optimizer.step()

    # The generator
    weights = [weight for weight in state.discriminator.parameters() if weight.requires_grad]
    d_norm = _gradient_norm(state.discriminator) if measure else None
    for weight in weights:
        weight.requires_grad = False
    critic = _Bound(state, batch.condition, measure=measure)
    g_loss = state.losses.g_loss(critic, batch.real, fake)
    state.generator_optimizer.zero_grad(set_to_none=True)
    g_loss.backward()
    state.generator_optimizer.step()
    for weight in weights:
        weight.requires_grad = True

    # The moving average
    if state.average is not None:
        state.average.update_parameters(state.generator)

    if d_norm is None:
        return None
    rows = [
        d_loss.detach(),
        g_loss.detach(),
        judge.mean_on(batch.real),
        judge.mean_on(detached),
        critic.mean_on(fake),
        d_norm,
        _gradient_norm(state.generator),
    ]
    return torch.stack([row.float() for row in rows])
