"""What scores need of the real images alone: the same for all generators of one seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from ganbench.machine.whole_files import save_torch
from ganbench.scoring.metrics.checks import choose
from ganbench.scoring.metrics.constants import DENSITY_K
from ganbench.scoring.metrics.copies import held_out_distance
from ganbench.scoring.metrics.kid import KernelSums, kernel_sums
from ganbench.scoring.metrics.neighbours import NEIGHBOUR_LIMIT, nearest

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

__all__ = ["RealSide"]


@dataclass(frozen=True)
class RealSide:
    """Numbers of the real images that are compared with generated ones.

    Attributes:
        nearest: Distances of each to its nearest other ones, float64 (n, k), the nearest first.
        rows: Which these are, int64 (n, k).
        kernel_sums: Those of KID; None where it is not computed.
        held_out_distance: The median distance of held-out images to the nearest training image;
            None without held-out images.
    """

    nearest: Tensor
    rows: Tensor
    kernel_sums: KernelSums | None
    held_out_distance: float | None

    @classmethod
    def of(
        cls, real: Tensor, fake_count: int, held_out: Tensor | None, *, seed: int, has_kid: bool
    ) -> RealSide:
        """Compute them.

        Args:
            real: Features of the training images, (n, entries).
            fake_count: Generated images that are compared with them.
            held_out: Features of held-out images, if there are some.
            seed: Decides which images are chosen.
            has_kid: Whether KID is among the scores.
        """
        some = choose(real, min(len(real), fake_count, NEIGHBOUR_LIMIT), seed)
        distances, rows = nearest(some, min(DENSITY_K + 1, len(some) - 1))
        return cls(
            distances,
            rows,
            kernel_sums(some, min(fake_count, len(some)), seed=seed) if has_kid else None,
            None if held_out is None else held_out_distance(real, held_out, seed=seed),
        )

    @classmethod
    def load(cls, path: Path) -> RealSide:
        """Read what `save` has written.

        Raises:
            KeyError, OSError, RuntimeError, pickle.UnpicklingError: There is no such file, or it
                is damaged.
        """
        values = torch.load(path, weights_only=True)
        sums = values["kernel_sums"]
        return cls(
            values["nearest"],
            values["rows"],
            None if sums is None else KernelSums(*map(tuple, sums)),
            values["held_out_distance"],
        )

    def save(self, path: Path) -> None:
        """Write a file that spares the next process the work."""
        sums = self.kernel_sums
        values = {
            "nearest": self.nearest,
            "rows": self.rows,
            "kernel_sums": None if sums is None else [list(sums.subsets), list(sums.blocks)],
            "held_out_distance": self.held_out_distance,
        }
        save_torch(values, path)
