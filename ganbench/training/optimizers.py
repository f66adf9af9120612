"""Optimizers as the recipe says, and the numbers of theirs that change over the budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ganbench.errors import ContractError, unknown
from ganbench.training.lean_adam import LeanAdam, LeanAdamW, is_possible
from ganbench.variant.schedule import value_at

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from ganbench.variant.definition import Update
    from ganbench.variant.recipe import Recipe

__all__ = ["Schedules", "build_optimizer", "parameter_groups"]

_RATE = {"generator": "lr_g", "discriminator": "lr_d"}


class Schedules:
    """The optimizers' numbers that change over the budget."""

    def __init__(self) -> None:
        self._followed: list[tuple[Optimizer, int, str, tuple[float | str, ...]]] = []

    def follow(self, optimizer: Optimizer, recipe: Recipe, rates: Sequence[str]) -> None:
        """Note what changes of an optimizer.

        Args:
            optimizer: One of a run.
            recipe: Gives the numbers.
            rates: Field of the recipe behind the learning rate of each of its parameter groups.
        """
        for index, (group, rate) in enumerate(zip(optimizer.param_groups, rates, strict=False)):
            if isinstance(getattr(recipe, rate), str):
                self._followed.append((optimizer, index, "lr", (getattr(recipe, rate),)))
            betas = (recipe.beta1, recipe.beta2)
            if "betas" in group and any(isinstance(beta, str) for beta in betas):
                self._followed.append((optimizer, index, "betas", betas))

    @property
    def change_betas(self) -> bool:
        """Whether a number changes that a captured graph holds as a constant."""
        return any(key == "betas" for _, _, key, _ in self._followed)

    def set(self, share: float) -> None:
        """Give the numbers their values after a share of the budget, in [0, 1], is used up."""
        for optimizer, index, key, numbers in self._followed:
            values = tuple(value_at(number, share) for number in numbers)
            group = optimizer.param_groups[index]
            if key == "betas":
                group["betas"] = values
            elif isinstance(group["lr"], Tensor):  # captured: the graph reads it from its place
                group["lr"].fill_(values[0])
            else:
                group["lr"] = values[0]


def parameter_groups(
    recipe: Recipe,
    update: Update,
    networks: Mapping[str, nn.Module],
    learning_rates: Mapping[str, str],
) -> list[dict[str, Any]]:
    """Sort the parameters that an update trains by their learning rates.

    Args:
        recipe: Gives the rates.
        update: `"generator"` or `"discriminator"`.
        networks: What it trains, by name.
        learning_rates: As `Variant.learning_rates`; the longest name that fits decides.

    Returns:
        For each rate `params`, `lr` at the beginning, and `rate`, its field of the recipe.

    Raises:
        UsageError: A field is none of the recipe's.
        ContractError: The update has nothing to train.
    """
    for name in learning_rates.values():
        if name not in type(recipe).model_fields:
            raise unknown("recipe key in learning_rates", name, type(recipe).model_fields)
    sorted_by_rate: dict[str, list[nn.Parameter]] = {}
    for network_name, network in networks.items():
        for name, parameter in network.named_parameters():
            path = f"{network_name}.{name}"
            fitting = [part for part in learning_rates if f"{path}.".startswith(f"{part}.")]
            rate = learning_rates[max(fitting, key=len)] if fitting else _RATE[update]
            sorted_by_rate.setdefault(rate, []).append(parameter)
    if not sorted_by_rate:
        raise ContractError(f"the {update} has no parameters to train")
    return [
        {"params": parameters, "lr": value_at(getattr(recipe, rate), 0.0), "rate": rate}
        for rate, parameters in sorted_by_rate.items()
    ]


def build_optimizer(
    recipe: Recipe, groups: list[dict[str, Any]], *, fused: bool, capturable: bool
) -> Optimizer:
    """Make the optimizer that a recipe names.

    Args:
        recipe: Gives its kind and numbers.
        groups: From `parameter_groups`.
        fused: Whether one kernel updates all parameters, where the optimizer can.
        capturable: Whether its step will be captured as a CUDA graph.
    """
    for group in groups:
        changes = isinstance(getattr(recipe, group.pop("rate")), str)
        if capturable and changes:  # a captured step reads it from its place on the device
            device = group["params"][0].device
            group["lr"] = torch.tensor(group["lr"], dtype=torch.float32, device=device)
    beta1, beta2 = value_at(recipe.beta1, 0.0), value_at(recipe.beta2, 0.0)
    decay = recipe.weight_decay
    if recipe.optimizer in ("adam", "adamw"):
        usual, lean = (
            (torch.optim.Adam, LeanAdam)
            if recipe.optimizer == "adam"
            else (torch.optim.AdamW, LeanAdamW)
        )
        kind = lean if fused and not capturable and is_possible(groups) else usual
        return kind(
            groups,
            betas=(beta1, beta2),
            eps=recipe.eps,
            weight_decay=decay,
            fused=fused,
            capturable=capturable,
        )
    if recipe.optimizer == "rmsprop":
        return torch.optim.RMSprop(
            groups,
            alpha=beta2,
            eps=recipe.eps,
            weight_decay=decay,
            momentum=beta1,
            capturable=capturable,
        )
    return torch.optim.SGD(groups, momentum=beta1, weight_decay=decay, fused=fused)
