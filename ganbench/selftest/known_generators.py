"""The known generators: every fault, with its strengths from weak to strong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import torch

from ganbench.machine.random_streams import generator
from ganbench.selftest import pixels

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.selftest.splits import Splits

__all__ = ["CONTROL", "Fakes", "Fault", "Strength", "control", "known_generators"]

CONTROL = "control"

_NOISE = (8, 16, 32, 64)
_BLUR = (0.02, 0.04, 0.08, 0.16)
_CONTRAST = (0.1, 0.25, 0.5, 0.75)
_COPIED = (0.1, 0.25, 0.5, 1.0)
_RATIOS = (2, 5, 20, 100)
_DISTINCT = (2, 10, 100)  # generated images per distinct one
_MOST_STEPS = 10


@dataclass(frozen=True)
class Fakes:
    """What a generator drew: rows of the chosen images, and what was done to their pixels."""

    rows: Tensor
    change: Callable[[Tensor], Tensor] | None = None


@dataclass(frozen=True)
class Strength:
    """One strength of a fault.

    Attributes:
        value: The number in `responses.csv`, in the fault's unit.
        label: The number as people read it.
        make: Draws images, given the splits and the number of the draw.
    """

    value: float
    label: str
    make: Callable[[Splits, int], Fakes]


@dataclass(frozen=True)
class Fault:
    """One way to fail.

    Attributes:
        name: In tables and on axes.
        what: What the generator does, in one clause.
        unit: What the strengths are.
        strengths: The weakest first.
    """

    name: str
    what: str
    unit: str
    strengths: tuple[Strength, ...]


def control(splits: Splits, draw: int) -> Fakes:
    """New real images: what a perfect generator draws."""
    return Fakes(_some(splits.pool, splits.count, "control", draw))


def known_generators(splits: Splits) -> list[Fault]:
    """All faults that the images allow, each of which is a generator at several strengths."""
    classes, count = len(splits.classes), splits.count
    steps = min(classes, _MOST_STEPS)
    kept = dict.fromkeys(torch.linspace(classes, 1, steps).round().int().tolist())
    distinct = dict.fromkeys([*(max(1, count // times) for times in _DISTINCT), 1])
    faults = [
        Fault("repeated", "draws few images again and again", "distinct images",
              tuple(Strength(n, f"{n}", partial(_repeated, n)) for n in distinct)),
        Fault("classes", "draws k of the classes only", f"classes of {classes}",
              tuple(Strength(k, f"{k}", partial(_classes, k)) for k in kept)),
        Fault("imbalance", "draws the classes out of proportion, in geometric steps",
              "ratio of the first class to the last",
              tuple(Strength(r, f"{r}", partial(_imbalance, r)) for r in _RATIOS)),
        Fault("memorised", "copies real images that it is compared with", "share of copies",
              tuple(Strength(s, f"{s:.0%}", partial(_memorised, s)) for s in _COPIED)),
        Fault("noise", "adds Gaussian noise", "standard deviation, in grey values",
              tuple(Strength(d, f"{d}", partial(_noise, d)) for d in _NOISE)),
        Fault("blur", "blurs with a Gaussian", "standard deviation, as a share of the width",
              tuple(Strength(s, f"{s:.0%}", partial(_blur, s)) for s in _BLUR)),
        Fault("contrast", "loses contrast", "share that is lost",
              tuple(Strength(s, f"{s:.0%}", partial(_contrast, s)) for s in _CONTRAST)),
        Fault("unseen", "is perfect, and new to the classifier: draws from the test split", "",
              (Strength(1, "new", _unseen),)),
    ]  # fmt: skip
    return faults if len(splits.unseen) else faults[:-1]


def _some(rows: Tensor, count: int, *key: str | int) -> Tensor:
    """Choose rows, none twice; the same key of a random stream chooses the same ones."""
    return rows[torch.randperm(len(rows), generator=generator(0, "self-test", *key))[:count]]


def _order(splits: Splits, draw: int) -> list[int]:
    """The classes in an order of their own for each draw."""
    order = torch.randperm(len(splits.classes), generator=generator(0, "self-test classes", draw))
    return [splits.classes[place] for place in order.tolist()]


def _repeated(distinct: int, splits: Splits, draw: int) -> Fakes:
    rows = _some(splits.pool, distinct, "repeated", distinct, draw)
    return Fakes(rows.repeat(-(-splits.count // distinct))[: splits.count])


def _classes(kept: int, splits: Splits, draw: int) -> Fakes:
    """Within one draw, the classes of a smaller k are among those of a larger one."""
    wanted = torch.isin(splits.labels[splits.pool], torch.tensor(_order(splits, draw)[:kept]))
    return Fakes(_some(splits.pool[wanted], splits.count, "classes", kept, draw))


def _imbalance(ratio: float, splits: Splits, draw: int) -> Fakes:
    """The long tail of Cui et al. 2019 (arXiv:1901.05555), times the classes' own shares."""
    order, labels = _order(splits, draw), splits.labels[splits.pool]
    steps = torch.arange(len(order)) / (len(order) - 1)
    shares = torch.bincount(labels, minlength=max(order) + 1)[order] * ratio**-steps
    random = generator(0, "self-test imbalance", str(ratio), draw)
    drawn = torch.multinomial(shares, splits.count, replacement=True, generator=random)
    parts = [
        _some(splits.pool[labels == label], int((drawn == place).sum()), "imbalance", label, draw)
        for place, label in enumerate(order)
    ]
    return Fakes(torch.cat(parts))


def _memorised(share: float, splits: Splits, draw: int) -> Fakes:
    copies = round(share * splits.count)
    new = _some(splits.pool, splits.count - copies, "control", draw)
    return Fakes(torch.cat([_some(splits.real, copies, "memorised", draw), new]))


# Changed images are those of the control in the same draw: only their pixels differ.


def _noise(deviation: float, splits: Splits, draw: int) -> Fakes:
    random = generator(0, "self-test noise", str(deviation), draw)
    change = partial(pixels.add_noise, deviation=deviation, random=random)
    return Fakes(control(splits, draw).rows, change)


def _blur(share: float, splits: Splits, draw: int) -> Fakes:
    return Fakes(control(splits, draw).rows, partial(pixels.blur, share=share))


def _contrast(lost: float, splits: Splits, draw: int) -> Fakes:
    return Fakes(control(splits, draw).rows, partial(pixels.lose_contrast, lost=lost))


def _unseen(splits: Splits, draw: int) -> Fakes:
    """Another part of the test split for each draw, as long as there are unused images."""
    start = draw * splits.count
    if start + splits.count <= len(splits.unseen):
        return Fakes(splits.unseen[start : start + splits.count])
    return Fakes(_some(splits.unseen, splits.count, "unseen", draw))
