"""What all jobs of one command share, as plain values that travel to another process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ganbench.experiment.store import ResultsFolder

__all__ = ["CommandContext"]


@dataclass(frozen=True)
class CommandContext:
    """What all jobs of one command share.

    Attributes:
        folder: Where results go.
        device: The device that was chosen, as on the command line: `cpu`, `mps` or `cuda:1`.
        data_root: Where datasets are looked for.
        cache_root: Where decoded images, classifiers and features are kept.
        inception_weights: A file with the Inception weights, or None.
        command: As the user gave it.
        track: Names of the trackers that follow each run.
    """

    folder: ResultsFolder
    device: str
    data_root: Path
    cache_root: Path
    inception_weights: Path | None = None
    command: str = ""
    track: tuple[str, ...] = ()
