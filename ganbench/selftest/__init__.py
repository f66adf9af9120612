"""The metrics' self-test: known generators, and how each score answers them.

A score is worth what it sees. Here it meets generators whose faults are known, since they are made
of real images: new ones (the control, drawn many times, so that chance is known), few images
repeated, classes missing, training images copied, pixels spoilt, classes out of proportion. What
comes out says, for each score and fault, whether the score sees it, is blind to it, or is misled.

Importing this package loads nothing heavy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from ganbench.device import Device
    from ganbench.progress import Display
    from ganbench.selftest.outcome import Outcome

__all__ = ["CONTROLS", "DRAWS", "Request", "self_test"]

CONTROLS = 20
"""Draws of the control, from which chance is estimated."""

DRAWS = 5
"""Draws of every fault at every strength, where nothing else is asked for."""


@dataclass(frozen=True)
class Request:
    """What a self-test is asked for.

    Attributes:
        dataset: As `--dataset`.
        data_root: Where datasets are looked for.
        cache_root: Where judges and features are kept.
        backbone: As `--backbone`.
        inception_weights: A file, instead of a download.
        images: Images of each generator; None for as many as the dataset allows, at most 1,000.
        draws: Draws of each fault at each strength, at most as many as of the control.
        out: Where to publish; None for a folder in `results/`.
        command: As the user gave it.
    """

    dataset: str
    data_root: Path
    cache_root: Path
    backbone: str = "auto"
    inception_weights: Path | None = None
    images: int | None = None
    draws: int = DRAWS
    out: Path | None = None
    command: str = ""


def self_test(request: Request, device: Device, display: Display) -> tuple[Path, Outcome]:
    """Draw from every known generator, score it, and publish how the scores answer.

    Args:
        request: What to do.
        device: Where the networks run.
        display: Where progress is shown.

    Returns:
        The folder that was written, and what is in it.

    Raises:
        UsageError: The dataset or backbone is unknown or cannot be had, a class has too few images,
            or the folder cannot be written or holds something else.
    """
    from ganbench.selftest.work import work

    return work(request, device, display)
