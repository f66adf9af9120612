"""What the contract asks of a variant's networks and losses."""

from __future__ import annotations

import copy
import io
import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ganbench.check.trial import require
from ganbench.training.calls import EAGER_CALLS
from ganbench.training.contract import require_images

if TYPE_CHECKING:
    from ganbench.check.trial import Trial
    from ganbench.training.state import TrainState

__all__ = [
    "begins_elsewhere",
    "draws",
    "has_finite_losses",
    "moves",
    "repeats",
    "reports",
    "restores",
]

_MAIN = ("generator", "discriminator")


def draws(trial: Trial) -> None:
    """The generator draws images of the right shape in [-1, 1], in training and after it.

    Points may lie anywhere.
    """
    state = trial.create()
    require_images(state, trial.spec, trial.batch(state))
    batch = trial.batch(state, number=1)
    with torch.no_grad():
        images = EAGER_CALLS.draw(state, batch.latent, batch.condition)
    wanted = (len(batch.latent), *trial.shape)
    given = tuple(images.shape)
    require(given == wanted, f"draws {given} in training and not {wanted}")
    low, high = float(images.min()), float(images.max())
    require(math.isfinite(low + high), "draws pixels that are not finite in training")
    in_range = state.clamp or not state.form.is_bounded or (low >= -1 and high <= 1)
    require(in_range, f"pixels lie between {low:.3g} and {high:.3g} in training")


def has_finite_losses(trial: Trial) -> None:
    """Both losses are finite scalars, and leave the images as they are."""
    state = trial.create()
    batch = trial.batch(state)
    fake = EAGER_CALLS.draw(state, batch.latent, batch.condition)
    real = batch.real.clone()
    tries = (
        ("d_loss", EAGER_CALLS.d_objective, fake.detach()),
        ("g_loss", EAGER_CALLS.g_objective, fake),
    )
    for name, objective, images in tries:
        before = images.detach().clone()
        loss, *_ = objective(state, batch, images, lambda: (1, 0.0))
        is_scalar = isinstance(loss, Tensor) and loss.shape == ()
        require(is_scalar, f"{name} returns no scalar tensor")
        require(bool(loss.isfinite()), f"{name} is {float(loss.detach())}")
        untouched = torch.equal(real, batch.real) and torch.equal(images.detach(), before)
        require(untouched, f"{name} changes the images that it is given")


def reports(trial: Trial) -> None:
    """A step reports D(x) and D(G(z)), finite like all else that it records."""
    for name, value in trial.step(trial.create()).items():
        require(value.shape == (), f"{name} is recorded with shape {tuple(value.shape)}")
        require(bool(value.isfinite()), f"{name} is {float(value)}")


def _states(state: TrainState) -> dict[str, dict[str, Any]]:
    """A copy of what each network holds: parameters, buffers, extra state."""
    return {name: copy.deepcopy(network.state_dict()) for name, network in state.networks.items()}


def _same(first: Any, second: Any) -> bool:
    if not (isinstance(first, Tensor) and isinstance(second, Tensor)):
        return bool(first == second)
    if first.shape != second.shape:
        return False
    return torch.equal(torch.nan_to_num(first), torch.nan_to_num(second))


def _differ(first: dict[str, Any], second: dict[str, Any]) -> bool:
    return any(not _same(value, second[name]) for name, value in first.items())


def moves(trial: Trial) -> None:
    """A training step changes parameters of each network that it trains, by finite gradients."""
    state = trial.create()
    before = {
        name: [weight.detach().clone() for weight in network.parameters()]
        for name, network in state.networks.items()
    }
    trial.step(state)
    for name, network in state.networks.items():
        for weight_name, weight in network.named_parameters():
            finite = weight.grad is None or bool(weight.grad.isfinite().all())
            require(finite, f"the gradient of the {name}'s {weight_name} is not finite")
        pairs = zip(before[name], network.parameters(), strict=True)
        moved = any(not torch.equal(old, new.detach()) for old, new in pairs)
        is_trained = state.updates[name] != "none" and bool(before[name])
        require(moved or not is_trained, f"the {name} does not move")


def repeats(trial: Trial) -> None:
    """Two steps from the same seed end with the same weights to the last bit."""
    ends = []
    for _ in range(2):
        state = trial.create()
        for number in range(2):
            trial.step(state, number)
        ends.append(_states(state))
    for name, first in ends[0].items():
        require(
            not _differ(first, ends[1][name]),
            f"the {name} ends with other weights when two steps are repeated",
        )


def begins_elsewhere(trial: Trial) -> None:
    """Another seed gives both networks other weights."""
    first, second = (_states(trial.create(seed)) for seed in (0, 1))
    for name in _MAIN:
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
    first, second = _states(state), _states(later)
    for name, values in first.items():
        require(
            not _differ(values, second[name]),
            f"the {name} goes on differently after it was stored and read",
        )
