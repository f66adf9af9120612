"""What the processes of one run make equal: the statistics of layers, and nothing else may differ.

A process sees its own rows of each batch. Gradients are averaged in each update, so that weights
and moments are equal; random streams are equal too. What layers such as BatchNorm keep of the
batches is each process's own until it is averaged here, which training does not see.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from ganbench.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ganbench.training.state import TrainState

__all__ = ["average_statistics", "require_equal"]

_MOST_NAMES = 3


def average_statistics(state: TrainState) -> None:
    """Replace the running means and variances of normalisation layers by their means."""
    if state.ranks is not None:
        state.ranks.average(list(_statistics(state)))


def require_equal(state: TrainState) -> None:
    """See that all else is equal in all processes, and take over the first one's last digits.

    Raises:
        ContractError: It is not: the variant changes it by what one process alone has seen.
    """
    if state.ranks is None:
        return
    own = {id(values) for values in _statistics(state)}
    tensors = [values for values in state.tensors() if id(values) not in own]
    unequal = state.ranks.take_over(tensors)
    if not unequal:
        return
    names = _names(state)
    known = sorted({names.get(id(tensors[place]), "an optimizer") for place in unequal})
    more = ", …" if len(known) > _MOST_NAMES else ""
    count = state.ranks.count
    raise ContractError(
        f"{', '.join(known[:_MOST_NAMES])}{more}: not the same in the {count} processes "
        "of the run, as each sees its share of a batch; take means over a batch by "
        "ganbench.losses.whole_mean, or leave out --processes-per-run"
    )


def _modules(state: TrainState) -> dict[str, nn.Module]:
    average = state.average
    copies = {} if average is None else average.networks
    return {**state.networks, **{f"average of {name}": each for name, each in copies.items()}}


def _statistics(state: TrainState) -> Iterator[Tensor]:
    """The running means and variances of layers."""
    for network in _modules(state).values():
        for module in network.modules():
            if isinstance(module, _NormBase):
                held = (module.running_mean, module.running_var)
                yield from (values for values in held if values is not None)


def _names(state: TrainState) -> dict[int, str]:
    return {
        id(values): f"{owner}.{name}"
        for owner, network in _modules(state).items()
        for name, values in (*network.named_parameters(), *network.named_buffers())
    }
