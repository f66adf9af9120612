"""Small sessions of any variant on any device."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doubles import tiny_spec, tiny_split

from ganbench.data.dataset import Split
from ganbench.training.execution import EAGER, Execution
from ganbench.training.session import Session
from ganbench.training.state import TrainState
from ganbench.variant.budget import Budget
from ganbench.variant.registry import entries, resolve

if TYPE_CHECKING:
    import torch

    from ganbench.machine.device import Device

BUILT_IN = [entry.name for entry in entries() if entry.kind == "built-in"]
SPEC = tiny_spec(channels=3)
_SMALL = {"batch_size": 8, "generator_width": 8, "discriminator_width": 8, "image_size": 32}


def session(
    name: str,
    device: Device,
    execution: Execution = EAGER,
    *,
    streamed: bool = False,
    **changes: object,
) -> Session:
    """A run of a variant with narrow networks, on 40 made-up colour images."""
    (found,) = resolve([name])
    recipe = found.variant.recipe.override({**_SMALL, **changes})
    state = TrainState.create(found.variant, recipe, SPEC, device.torch, 0, execution)
    split = tiny_split(SPEC)
    if not streamed:
        split = Split(split.images.to(device.torch), split.labels.to(device.torch))
    budget = Budget(60, "steps")
    return Session(state, split, SPEC, device, 0, execution, streamed=streamed, budget=budget)


def learnt(one: Session) -> dict[str, torch.Tensor]:
    """All weights and buffers of a run's networks, and of the averaged generator, on the CPU."""
    networks = {**one.state.networks, "sampler": one.state.sampler}
    return {
        f"{name}.{key}": values.detach().cpu().clone()
        for name, network in networks.items()
        for key, values in network.state_dict().items()
    }


def advance(one: Session, steps: int) -> Session:
    """Do some steps."""
    one.clock.start()
    for _ in range(steps):
        one.advance()
    one.clock.pause()
    return one
