"""One training step, the same for every variant: tensors in, tensors out, no waiting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ganbench.machine.random_streams import stream_seed
from ganbench.training.execution import EAGER, Execution
from ganbench.training.gradient_scaling import Scaling, update

if TYPE_CHECKING:
    from ganbench.variant.definition import Condition, DatasetSpec, Losses, Recipe, Variant

__all__ = ["MEASURES", "Batch", "Mark", "Parts", "TrainState", "no_mark", "train_step"]

Mark = Callable[[str], None]

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
    """The networks, their optimizers and all else that a step changes.

    `autocast` is the format of the networks' arithmetic, None for float32; `scaling` belongs to
    float16 alone. `parts` are what the step calls to draw images and to judge them.
    """

    recipe: Recipe
    generator: nn.Module
    discriminator: nn.Module
    generator_optimizer: torch.optim.Optimizer
    discriminator_optimizer: torch.optim.Optimizer
    losses: Losses
    condition: Condition | None
    average: AveragedModel | None
    is_logit: bool
    autocast: torch.dtype | None
    scaling: Scaling | None
    parts: Parts

    @classmethod
    def create(
        cls,
        variant: Variant,
        recipe: Recipe,
        spec: DatasetSpec,
        device: torch.device,
        seed: int,
        execution: Execution = EAGER,
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
        adams = [
            torch.optim.Adam(
                network.parameters(),
                rate,
                (recipe.beta1, recipe.beta2),
                fused=True,
                capturable=execution.cuda_graphs,
            )
            for network, rate in ((generator, recipe.lr_g), (discriminator, recipe.lr_d))
        ]
        average = None
        if recipe.ema_decay > 0:
            average = AveragedModel(
                generator, multi_avg_fn=get_ema_multi_avg_fn(recipe.ema_decay), use_buffers=True
            )
        return cls(
            recipe=recipe,
            generator=generator,
            discriminator=discriminator,
            generator_optimizer=adams[0],
            discriminator_optimizer=adams[1],
            losses=variant.losses(recipe, spec),
            condition=variant.condition(recipe, spec) if variant.condition else None,
            average=average,
            is_logit=variant.output == "logit",
            autocast=None if execution.precision == "fp32" else execution.dtype,
            scaling=(
                Scaling(device.type, adams[1], adams[0]) if execution.precision == "fp16" else None
            ),
            parts=Parts(),
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
            "scaling": None if self.scaling is None else self.scaling.state_dict(),
        }

    def load_state_dict(self, values: dict[str, Any]) -> None:
        """Go back to a stored state."""
        self.generator.load_state_dict(values["generator"])
        self.discriminator.load_state_dict(values["discriminator"])
        self.generator_optimizer.load_state_dict(values["generator_optimizer"])
        self.discriminator_optimizer.load_state_dict(values["discriminator_optimizer"])
        if self.average is not None:
            self.average.load_state_dict(values["average"])
        if self.scaling is not None:
            self.scaling.load_state_dict(values["scaling"])


class _Bound:
    """A discriminator bound to its condition, which notes its output on given images."""

    def __init__(self, network: nn.Module, condition: Tensor | None) -> None:
        self._network = network
        self._condition = () if condition is None else (condition,)
        self._notes: list[tuple[Tensor, Tensor]] = []

    def __call__(self, images: Tensor) -> Tensor:
        output: Tensor = self._network(images, *self._condition).float()
        self._notes.append((images, output.detach()))
        return output

    def output_on(self, images: Tensor) -> Tensor | None:
        """Output on the very tensor `images`; None if it was never judged."""
        for judged, output in self._notes:
            if judged is images:
                return output
        return None


def _format(state: TrainState, images: Tensor) -> AbstractContextManager[Any]:
    """The number format of the networks' arithmetic; losses stay float32."""
    if state.autocast is None:
        return _AS_IT_IS
    return torch.autocast(images.device.type, state.autocast)


def _draw(state: TrainState, latent: Tensor, condition: Tensor | None) -> Tensor:
    with _format(state, latent):
        fake: Tensor = state.generator(latent, *(() if condition is None else (condition,)))
    return fake.float()


def _judge_both(
    state: TrainState, real: Tensor, fake: Tensor, condition: Tensor | None
) -> tuple[Tensor, Tensor | None, Tensor | None]:
    """The discriminator's loss, and its outputs on real and generated images."""
    judge = _Bound(state.discriminator, condition)
    with _format(state, real):
        loss = state.losses.d_loss(judge, real, fake)
    return loss, judge.output_on(real), judge.output_on(fake)


def _judge_fake(
    state: TrainState, real: Tensor, fake: Tensor, condition: Tensor | None
) -> tuple[Tensor, Tensor | None]:
    """The generator's loss, and the discriminator's output on generated images."""
    judge = _Bound(state.discriminator, condition)
    with _format(state, real):
        loss = state.losses.g_loss(judge, real, fake)
    return loss, judge.output_on(fake)


@dataclass(frozen=True)
class Parts:
    """The differentiable parts of a step; each is a function of tensors alone."""

    draw: Callable[..., Tensor] = _draw
    judge_both: Callable[..., tuple[Tensor, Tensor | None, Tensor | None]] = _judge_both
    judge_fake: Callable[..., tuple[Tensor, Tensor | None]] = _judge_fake

    @classmethod
    def compiled(cls) -> Self:
        """Translate each by `torch.compile` when it is called first."""
        torch.compiler.reset()  # what other networks left would count against a limit
        translate = partial(torch.compile, dynamic=False)
        return cls(translate(_draw), translate(_judge_both), translate(_judge_fake))


_AS_IT_IS = nullcontext()


def _gradient_norm(network: nn.Module) -> Tensor:
    gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
    return torch.nn.utils.get_total_norm(gradients)


def _mean(state: TrainState, output: Tensor | None, like: Tensor) -> Tensor:
    """How real images are taken to be, on average; not a number if they were never judged."""
    if output is None:
        return like.new_full((), torch.nan)
    return (output.sigmoid() if state.is_logit else output).mean()


def no_mark(_phase: str) -> None:
    """For steps that are not split into phases."""


def train_step(
    state: TrainState,
    batches: Sequence[Batch],
    *,
    measure: bool = False,
    mark: Mark = no_mark,
) -> Tensor | None:
    """Update the discriminator once a batch, then the generator once.

    The generator is judged on the images of the last batch, by the discriminator as it is after
    its update; its own weights stay as they are while the generator's gradient passes through.

    Args:
        state: Changed in place.
        batches: One a discriminator step, at least one.
        measure: Whether to compute the numbers named in `MEASURES`.
        mark: Told the name of each phase when it ends: `discriminator` (drawing the images that it
            judges included), `generator`, `average` where there is one, and `measures`.

    Returns:
        The measures as a float32 tensor on the device, or None.
    """
    parts, scaling = state.parts, state.scaling

    # The discriminator
    for index, batch in enumerate(batches):
        with torch.set_grad_enabled(index == len(batches) - 1):
            fake = parts.draw(state, batch.latent, batch.condition)
        detached = fake.detach()
        d_loss, on_real, on_fake = parts.judge_both(state, batch.real, detached, batch.condition)
        update(d_loss, state.discriminator_optimizer, scaling.discriminator if scaling else None)
    mark("discriminator")
    d_norm = None
    if measure:
        d_norm = _gradient_norm(state.discriminator)
        mark("measures")

    # The generator
    weights = [weight for weight in state.discriminator.parameters() if weight.requires_grad]
    for weight in weights:
        weight.requires_grad = False
    g_loss, on_fake_after = parts.judge_fake(state, batch.real, fake, batch.condition)
    update(g_loss, state.generator_optimizer, scaling.generator if scaling else None)
    for weight in weights:
        weight.requires_grad = True
    mark("generator")

    # The moving average
    if state.average is not None:
        state.average.update_parameters(state.generator)
        mark("average")

    if d_norm is None:
        return None
    rows = [
        d_loss.detach(),
        g_loss.detach(),
        _mean(state, on_real, fake),
        _mean(state, on_fake, fake),
        _mean(state, on_fake_after, fake),
        d_norm,
        _gradient_norm(state.generator),
    ]
    measures = torch.stack([row.float() for row in rows])
    mark("measures")
    return measures
