"""What the contract asks of a variant's networks and losses."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from ganbench.check.trial import require

if TYPE_CHECKING:
    from ganbench.check.trial import Trial
    from ganbench.training.step import Batch, TrainState

__all__ = [
    "begins_elsewhere",
    "draws",
    "has_finite_losses",
    "judges",
    "moves",
    "repeats",
    "restores",
]

_NETWORKS = ("generator", "discriminator")


def _generate(state: TrainState, batch: Batch) -> Tensor:
    given = () if batch.condition is None else (batch.condition,)
    images: Tensor = state.generator(batch.latent, *given)
    return images


def _judge(state: TrainState, batch: Batch) -> Callable[[Tensor], Tensor]:
    given = () if batch.condition is None else (batch.condition,)
    return lambda images: state.discriminator(images, *given)


def draws(trial: Trial) -> None:
    """The generator draws images of the right shape in [-1, 1], in training and after it."""
    state = trial.create()
    for is_training, count in ((True, 2), (False, 3)):
        state.generator.train(is_training)
        with torch.no_grad():
            images = _generate(state, trial.batch(state, count))
        wanted = (count, *trial.shape)
        require(tuple(images.shape) == wanted, f"draws {tuple(images.shape)} and not {wanted}")
        require(images.dtype == torch.float32, f"draws {images.dtype} and not float32")
        low, high = float(images.min()), float(images.max())
        in_range = math.isfinite(low + high) and low >= -1 and high <= 1
        require(in_range, f"pixels lie between {low:.3g} and {high:.3g}")


def judges(trial: Trial) -> None:
    """The discriminator gives one finite number an image, in training and after it."""
    state = trial.create()
    for is_training, count in ((True, 2), (False, 3)):
        state.discriminator.train(is_training)
        batch = trial.batch(state, count)
        with torch.no_grad():
            numbers = _judge(state, batch)(batch.real)
        given = tuple(numbers.shape)
        require(
            given in ((count,), (count, 1)),
            f"gives numbers of shape {given} to {count} images, not ({count},) or ({count}, 1)",
        )
        require(bool(numbers.isfinite().all()), "gives a number that is not finite")


def has_finite_losses(trial: Trial) -> None:
    """Both losses are finite scalars, and leave the images as they are."""
    state = trial.create()
    batch = trial.batch(state, trial.recipe.batch_size)
    fake = _generate(state, batch)
    real, judge = batch.real.clone(), _judge(state, batch)
    for name, images in (("d_loss", fake.detach()), ("g_loss", fake)):
        before = images.detach().clone()
        loss = getattr(state.losses, name)(judge, real, images)
        is_scalar = isinstance(loss, Tensor) and loss.shape == ()
        require(is_scalar, f"{name} returns no scalar tensor")
        require(bool(loss.isfinite()), f"{name} is {float(loss.detach())}")
        untouched = torch.equal(real, batch.real) and torch.equal(images.detach(), before)
        require(untouched, f"{name} changes the images that it is given")


def _weights(state: TrainState) -> dict[str, dict[str, Tensor]]:
    """A copy of both networks' parameters and buffers."""
    return {
        name: {key: value.clone() for key, value in getattr(state, name).state_dict().items()}
        for name in _NETWORKS
    }


def _differ(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return any(not torch.equal(value, second[name]) for name, value in first.items())


def moves(trial: Trial) -> None:
    """A training step changes parameters of both networks, with finite gradients."""
    state = trial.create()
    networks: dict[str, nn.Module] = {name: getattr(state, name) for name in _NETWORKS}
    before = {
        name: [weight.detach().clone() for weight in network.parameters()]
        for name, network in networks.items()
    }
    trial.step(state)
    for name, network in networks.items():
        for weight_name, weight in network.named_parameters():
            finite = weight.grad is None or bool(weight.grad.isfinite().all())
            require(finite, f"the gradient of the {name}'s {weight_name} is not finite")
        pairs = zip(before[name], network.parameters(), strict=True)
        moved = any(not torch.equal(old, new.detach()) for old, new in pairs)
        require(moved, f"the {name} does not move")


def repeats(trial: Trial) -> None:
    """Two steps from the same seed end with the same weights to the last bit."""
    ends = []
    for _ in range(2):
        state = trial.create()
        for number in range(2):
            trial.step(state, number)
        ends.append(_weights(state))
    for name in _NETWORKS:
        require(
            not _differ(ends[0][name], ends[1][name]),
            f"the {name} ends with other weights when two steps are repeated",
        )


def begins_elsewhere(trial: Trial) -> None:
    """Another seed gives both networks other weights."""
    first, second = (_weights(trial.create(seed)) for seed in (0, 1))
    for name in _NETWORKS:
        require(
            _differ(first[name], second[name]), f"the {name} has the same weights with any seed"
        )


def restores(trial: Trial) -> None:
    """A state that was stored and read goes on as the one that was not."""
    state, later = trial.create(seed=0), trial.create(seed=1)
    trial.step(state)
    file = io.BytesIO()
    torch.save(state.state_dict(), file)
    file.seek(0)
    later.load_state_dict(torch.load(file, weights_only=True))
    for each in (state, later):
        trial.step(each, number=1)
    first, second = _weights(state), _weights(later)
    for name in _NETWORKS:
        require(
            not _differ(first[name], second[name]),
            f"the {name} goes on differently after it was stored and read",
        )
