"""Which images each step sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from ganbench.streams import generator

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["DataOrder"]


class DataOrder:
    """Which images each step sees: one shuffled epoch after the other, in whole batches.

    A batch may hold the end of one epoch and the beginning of the next, so that each step has the
    same size and no image is left out. The order follows from the seed and the step alone.
    """

    def __init__(self, count: int, seed: int, device: torch.device) -> None:
        self._count = count
        self._seed = seed
        self._device = device
        self._epochs: dict[int, Tensor] = {}

    def _epoch(self, number: int) -> Tensor:
        if number not in self._epochs:
            stream = generator(self._seed, "data order", number)
            order = torch.randperm(self._count, generator=stream).to(self._device)
            kept = {key: value for key, value in self._epochs.items() if key == number - 1}
            self._epochs = {**kept, number: order}
        return self._epochs[number]

    def indices(self, start: int, size: int) -> Tensor:
        """Positions, in the training split, of images number `start` to `start + size`."""
        parts = []
        while size > 0:
            epoch, offset = divmod(start, self._count)
            part = self._epoch(epoch)[offset : offset + size]
            parts.append(part)
            start, size = start + len(part), size - len(part)
        return parts[0] if len(parts) == 1 else torch.cat(parts)
