"""An observer of training that draws a grid of the same latents again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganbench.experiment.store import writing
from ganbench.launch.failures import variant_code
from ganbench.scoring import draw

if TYPE_CHECKING:
    from pathlib import Path

    from PIL.Image import Image
    from torch import Tensor

    from ganbench.experiment.plan import Job
    from ganbench.launch.seconds_outside import SecondsOutside
    from ganbench.training.loop import Event
    from ganbench.training.session import Session

__all__ = ["SampleGrids"]

_GRID_COUNT = 64


class SampleGrids:
    """Writes grids of a run's samples as `samples/step-<number>.png`.

    Args:
        job: What is run.
        folder: Of the run that is not finished.
        outside: Counts what this takes.
    """

    def __init__(self, job: Job, folder: Path, outside: SecondsOutside) -> None:
        self._job = job
        self._folder = folder
        self._outside = outside

    def __call__(self, event: Event) -> None:
        """Write a grid where one is due."""
        if event.kind == "sample":
            self.draw(event.session)

    def draw(self, session: Session) -> None:
        """Write a grid of the run as it is now.

        Raises:
            VariantFailure: The variant's generator raised something.
            UsageError: The file cannot be written.
        """
        with self._outside.measure("samples"):
            picture = draw.grid(self._samples(session))
            self._write(picture, f"step-{session.steps:07d}.png")

    def draw_beside_real(self, session: Session) -> None:
        """Write `real-and-fake.png`: real images on the left, generated ones on the right.

        Raises:
            VariantFailure: The variant's generator raised something.
            UsageError: The file cannot be written.
        """
        with self._outside.measure("samples"):
            real = draw.titled(draw.grid(session.real_examples(_GRID_COUNT)), "real")
            fake = draw.titled(draw.grid(self._samples(session)), "generated")
            self._write(draw.beside(real, fake), "real-and-fake.png")

    def _samples(self, session: Session) -> Tensor:
        """Images of the same latents each time, class after class where there are classes."""
        with variant_code(self._job), session.isolated_rng("samples"):
            latent = draw.latents(session.state, _GRID_COUNT, session.seed, "fixed noise")
            conditions = None
            if session.conditions is not None:
                conditions = draw.in_turn(session.conditions.cpu(), _GRID_COUNT)
            return draw.draw(session.state, session.device, latent, conditions)

    def _write(self, picture: Image, name: str) -> None:
        target = self._folder / "samples" / name
        with writing(target):
            target.parent.mkdir(exist_ok=True)
            picture.save(target, optimize=True)
