"""Initial weights: the DCGAN paper's, Glorot and Bengio's, and any network drawn anew."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TypeGuard, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.nn.utils.parametrize import is_parametrized

from ganbench.errors import UsageError

__all__ = ["draw_anew", "initialise_dcgan", "initialise_xavier"]

_Drawn = nn.Conv2d | nn.ConvTranspose2d | nn.Linear
_Norm = nn.BatchNorm1d | nn.BatchNorm2d | nn.GroupNorm | nn.LayerNorm
_Network = TypeVar("_Network", bound=nn.Module)

_DCGAN_DEVIATION = 0.02
_POWER_ITERATIONS = 15  # as torch's spectral norm takes when it is put on a layer


def initialise_dcgan(network: _Network, *, norms: bool = True) -> _Network:
    """Draw weights as the DCGAN paper does: N(0, 0.02), BatchNorm scales N(1, 0.02), biases 0.

    Args:
        network: Changed in place, and returned.
        norms: Whether BatchNorm is drawn too; else it begins as PyTorch's does.
    """
    for module in network.modules():
        if isinstance(module, _Drawn):
            nn.init.normal_(module.weight, 0.0, _DCGAN_DEVIATION)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif norms and isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, _DCGAN_DEVIATION)
            nn.init.zeros_(module.bias)
    return network


def initialise_xavier(layer: nn.Conv2d | nn.Linear, gain: float) -> nn.Conv2d | nn.Linear:
    """Draw uniform weights as Glorot and Bengio 2010 do, times `gain`; biases 0. In place."""
    nn.init.xavier_uniform_(layer.weight, gain)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


def draw_anew(network: nn.Module, scheme: str) -> None:
    """Draw the weights of all convolutions and linear layers, whatever they were, in place.

    Norms begin at a scale of 1 (with `"normal"` at BatchNorm scales from N(1, 0.02), as the DCGAN
    paper has them) and a shift of 0. Embeddings, and what needs no gradient, stay as they are.

    Args:
        network: In training mode.
        scheme: `"pytorch"`, uniform within 1 / sqrt(fan in); `"normal"`, N(0, 0.02) (Radford et al.
            2016, arXiv:1511.06434); `"xavier"`, uniform (Glorot and Bengio 2010); or
            `"orthogonal"` (Saxe et al. 2014, arXiv:1312.6120). Biases are 0, but with `"pytorch"`.

    Raises:
        UsageError: A weight stands in a layer of another kind, of which its author alone knows how
            it is to be drawn.
    """
    layers = [layer for layer in network.modules() if _can_be_drawn(layer)]
    for path, kind in _others(network, layers):
        raise UsageError(
            f"initial_weights={scheme} does not fit: {path} is a weight of {kind}, and only "
            "those of plain convolutions and linear layers can be drawn anew: leave it at own"
        )
    for layer in layers:
        weight = _draw(torch.empty_like(layer.weight), scheme)
        _put(layer, weight)
        if layer.bias is None:
            continue
        nn.init.zeros_(layer.bias)
        if scheme == "pytorch":
            bound = weight[0].numel() ** -0.5  # of a fan in as PyTorch counts it
            nn.init.uniform_(layer.bias, -bound, bound)
    for norm in network.modules():
        if isinstance(norm, _Norm) and norm.weight is not None and norm.weight.requires_grad:
            nn.init.ones_(norm.weight)
            if norm.bias is not None:
                nn.init.zeros_(norm.bias)
            if scheme == "normal" and isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
                nn.init.normal_(norm.weight, 1.0, _DCGAN_DEVIATION)


def _can_be_drawn(layer: nn.Module) -> TypeGuard[_Drawn]:
    """Whether the layer has a weight of its own, or one behind a parametrisation, to be learnt."""
    if not isinstance(layer, _Drawn):
        return False
    if is_parametrized(layer, "weight"):
        return True
    is_own = isinstance(layer.weight, nn.Parameter) and not is_lazy(layer.weight)
    return is_own and layer.weight.requires_grad


def _others(network: nn.Module, layers: list[_Drawn]) -> Iterator[tuple[str, str]]:
    """Weights that are to be learnt, by name, and the kinds of layers that have them."""
    left: list[nn.Module] = [*layers]
    left += [one for one in network.modules() if isinstance(one, nn.Embedding | _Norm)]
    known = {id(weight) for layer in left for weight in layer.parameters()}
    for name, module in network.named_modules():
        for key, weight in module.named_parameters(recurse=False):
            if id(weight) in known or not weight.requires_grad:
                continue
            if is_lazy(weight) or weight.dim() > 1:
                yield f"{name}.{key}".lstrip("."), type(module).__name__


def _draw(weight: Tensor, scheme: str) -> Tensor:
    if scheme == "pytorch":
        return nn.init.kaiming_uniform_(weight, math.sqrt(5))
    if scheme == "normal":
        return nn.init.normal_(weight, 0.0, _DCGAN_DEVIATION)
    if scheme == "xavier":
        return nn.init.xavier_uniform_(weight)
    if scheme == "orthogonal":
        return nn.init.orthogonal_(weight)
    raise ValueError(f"initial weights {scheme!r} are unknown")


@torch.no_grad()
def _put(layer: _Drawn, weight: Tensor) -> None:
    """Give a layer its weight, through what stands before it: a spectral norm, for example."""
    if not is_parametrized(layer, "weight"):
        layer.weight.copy_(weight)
        return
    layer.weight = weight
    for _ in range(_POWER_ITERATIONS):
        _ = layer.weight  # each look in training is a step towards the largest singular value
