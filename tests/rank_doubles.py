"""Sessions that two processes train together, and the same sessions in one process."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from doubles import tiny_spec, tiny_split
from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from ganbench.launch.follow import obey
from ganbench.machine.device import choose
from ganbench.machine.ranks import Ranks, join, whole_mean
from ganbench.training.session import Session
from ganbench.training.settle import average_statistics
from ganbench.training.state import TrainState
from ganbench.variant.budget import Budget
from ganbench.variant.registry import resolve

SPEC = tiny_spec(count=40)
SMALL = {
    "generator_width": 8, "discriminator_width": 8, "latent_dim": 8, "image_size": 16,
    "batch_size": 16,
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """A variant with some numbers.

    `without_norms` takes layers out that look at several images of a batch at a time.
    """

    variant: str
    numbers: dict[str, Any] = field(default_factory=dict)
    without_norms: bool = True
    steps: int = 3
    streamed: bool = False


def session(case: Case, ranks: Ranks | None = None) -> Session:
    (found,) = resolve([case.variant])
    recipe = found.variant.recipe.override({**SMALL, **case.numbers})
    state = TrainState.create(found.variant, recipe, SPEC, torch.device("cpu"), 0)
    if case.without_norms:
        copies = {} if state.average is None else state.average.networks
        for network in (*state.networks.values(), *copies.values()):
            without_norms(network)
    state.train()
    return Session(
        state, tiny_split(SPEC, 16), SPEC, choose("cpu"), 0,
        budget=Budget(100, "steps"), ranks=ranks, streamed=case.streamed,
    )  # fmt: skip


def without_norms(network: nn.Module) -> None:
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, _NormBase):
                setattr(module, name, nn.Identity())


def train(one: Session, steps: int) -> dict[str, Any]:
    """Train, and give all that is left: tensors as arrays, by name."""
    one.begin_together()
    for _ in range(steps):
        one.advance()
    stored = one.checkpoint()
    one.part()
    return stored


def numbers_of(stored: dict[str, Any]) -> dict[str, Any]:
    """The networks' tensors by name, as float64 arrays, which travel between processes."""
    return {
        f"{network}.{name}": values.double().numpy()
        for network, held in stored["networks"].items()
        if isinstance(held, dict)
        for name, values in held.items()
        if isinstance(values, torch.Tensor)
    }


@dataclass(frozen=True)
class TrainTask:
    """One of two processes that train some cases, one after the other."""

    rank: int
    folder: Path
    cases: tuple[Case, ...]
    label: str = ""

    def carry_out(self, _display: Any) -> list[tuple[dict[str, Any], list[dict[str, float]]]]:
        """What is left of each case in this process, and its history."""
        left = []
        for number, case in enumerate(self.cases):
            ranks = join(self.rank, 2, self.folder / f"meeting-{number}", "cpu")
            one = session(case, ranks)
            if ranks.leads:
                left.append((numbers_of(train(one, case.steps)), one.history))
                continue
            ranks.hear()
            one.restore(ranks.receive())
            obey(one, ranks)
            left.append((numbers_of(one._stored()), one.history))
        return left


@dataclass(frozen=True)
class RowsTask:
    """One of two processes, each with half of the rows of a batch, that evaluates an expression.

    `rows` are its rows, `ranks` the processes, and `state` a state that is one network alone.
    """

    rank: int
    meeting: Path
    rows: Any
    expression: str
    label: str = ""

    def carry_out(self, _display: Any) -> Any:
        ranks = join(self.rank, 2, self.meeting, "cpu")
        rows = torch.from_numpy(self.rows).requires_grad_()
        names = {
            "rows": rows,
            "ranks": ranks,
            "whole_mean": whole_mean,
            "average_statistics": average_statistics,
            "state": lambda network, ranks: SimpleNamespace(
                networks={"network": network}, average=None, ranks=ranks
            ),
            "torch": torch,
        }
        torch.manual_seed(5)
        with ranks.together(len(rows)):
            return eval(self.expression, names).detach().numpy()
