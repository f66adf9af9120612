"""Steps that leave no trace: for what has to be run before it can be compiled or captured."""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ganbench.device import Device
    from ganbench.step import TrainState

__all__ = ["rehearsal"]


@contextmanager
def rehearsal(state: TrainState, device: Device) -> Iterator[None]:
    """Put everything back that steps within change, each tensor where it lies in memory.

    Afterwards the optimizers hold moments that are zero, where they held none before: for Adam
    that is the same.
    """
    tensors = _tensors(state)
    before = [values.clone() for values in tensors]
    known = {id(values) for values in tensors}
    scales = None if state.scaling is None else state.scaling.state_dict()
    random = device.rng_state()
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        with torch.no_grad():
            for values, earlier in zip(tensors, before, strict=True):
                values.copy_(earlier)
            for values in _tensors(state):
                if id(values) not in known:
                    values.zero_()
        if state.scaling is not None and scales is not None:
            state.scaling.load_state_dict(scales)
        device.set_rng_state(random)


def _tensors(state: TrainState) -> list[Tensor]:
    networks = [state.generator, state.discriminator, state.average]
    held = [
        itertools.chain(network.parameters(), network.buffers())
        for network in networks
        if network is not None
    ]
    moments = [
        values
        for optimizer in (state.generator_optimizer, state.discriminator_optimizer)
        for slots in optimizer.state.values()
        for values in slots.values()
        if isinstance(values, Tensor)
    ]
    return [*itertools.chain.from_iterable(held), *moments]
