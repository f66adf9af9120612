"""Steps that leave no trace: all that they change of a run is put back, to the last bit."""

from __future__ import annotations

import copy
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch.optim import Optimizer

    from ganbench.machine.device import Device
    from ganbench.training.state import TrainState

__all__ = ["without_trace"]

_PLAIN = (bool, int, float, str, tuple, type(None))  # attributes that can only be replaced


@contextmanager
def without_trace(
    state: TrainState, device: Device, *, keeps_moments: bool = False
) -> Iterator[None]:
    """Put everything back that steps inside a `with` change, each tensor where it lies in memory.

    That is all that a checkpoint holds, and plain numbers that modules have as attributes; not what
    a variant keeps elsewhere. Meanwhile a copy lies on the host, so that a card needs no more
    memory than the steps.

    Args:
        state: What the steps change.
        device: Where they run.
        keeps_moments: Whether moments that the optimizers begin within stay where they are, as
            zeros, since a captured step writes to them; for Adam that is as if there were none.
    """
    tensors = [(values, _on_host(values)) for values in state.tensors() if not _is_expanded(values)]
    known = {id(values) for values in state.tensors()}
    undo = [
        *(_module_undo(module) for network in _networks(state) for module in network.modules()),
        *(_groups_undo(optimizer) for optimizer in state.optimizers.values()),
    ]
    if not keeps_moments:
        undo += [_moments_undo(optimizer) for optimizer in state.optimizers.values()]
        undo += [_gradients_undo(network) for network in state.networks.values()]
    scales = None if state.scaling is None else state.scaling.state_dict()
    random = device.rng_state()
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        for put_back in undo:
            put_back()
        with torch.no_grad():
            for values, earlier in tensors:
                values.copy_(earlier)
            for values in state.tensors():
                if id(values) not in known:
                    values.zero_()
        if state.scaling is not None and scales is not None:
            state.scaling.load_state_dict(scales)
        device.set_rng_state(random)


def _networks(state: TrainState) -> list[nn.Module]:
    averages = [] if state.average is None else [*state.average.networks.values()]
    return [*state.networks.values(), *averages]


def _on_host(values: Tensor) -> Tensor:
    return values.detach().to("cpu", copy=True)


def _is_expanded(values: Tensor) -> bool:
    """Whether entries share memory, so that nothing can write to them."""
    pairs = zip(values.shape, values.stride(), strict=True)
    return any(size > 1 and stride == 0 for size, stride in pairs)


def _module_undo(module: nn.Module) -> Callable[[], None]:
    """Puts back which tensors are buffers, plain attributes and extra state."""
    held = vars(module)
    buffers = dict(held["_buffers"])
    plain = {name: value for name, value in held.items() if isinstance(value, _PLAIN)}
    has_extra = type(module).get_extra_state is not nn.Module.get_extra_state
    extra = copy.deepcopy(module.get_extra_state()) if has_extra else None

    def put_back() -> None:
        held["_buffers"].update(buffers)
        held.update(plain)
        if has_extra:
            module.set_extra_state(extra)

    return put_back


def _groups_undo(optimizer: Optimizer) -> Callable[[], None]:
    """Puts back the numbers of parameter groups."""
    groups = [
        {name: value for name, value in group.items() if name != "params"}
        for group in optimizer.param_groups
    ]

    def put_back() -> None:
        for group, earlier in zip(optimizer.param_groups, groups, strict=True):
            group.update(earlier)

    return put_back


def _moments_undo(optimizer: Optimizer) -> Callable[[], None]:
    """Puts back what an optimizer holds for each weight: nothing, where it held nothing."""
    before: dict[Any, dict[str, Any]] = {
        weight: {
            name: value if isinstance(value, Tensor) else copy.deepcopy(value)
            for name, value in slots.items()
        }
        for weight, slots in optimizer.state.items()
    }

    def put_back() -> None:
        optimizer.state.clear()
        optimizer.state.update(before)

    return put_back


def _gradients_undo(network: nn.Module) -> Callable[[], None]:
    """Puts back which gradients there are."""
    before = [(weight, weight.grad) for weight in network.parameters()]

    def put_back() -> None:
        for weight, gradient in before:
            weight.grad = gradient

    return put_back
