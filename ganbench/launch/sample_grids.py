"""An observer of training that draws samples of the same latents again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL.Image import open as open_image

from ganbench.experiment.store import writing
from ganbench.launch.failures import variant_code
from ganbench.machine.whole_files import whole
from ganbench.scoring import draw
from ganbench.scoring.pictures import pictures_of

if TYPE_CHECKING:
    from pathlib import Path

    from PIL.Image import Image
    from torch import Tensor

    from ganbench.experiment.plan import Job
    from ganbench.launch.seconds_outside import SecondsOutside
    from ganbench.training.loop import Event
    from ganbench.training.session import Session

__all__ = ["REAL_AND_FAKE", "SampleGrids", "step_name"]

REAL_AND_FAKE = "real-and-fake.png"

_MOST_FRAMES = 60
_FRAME_MILLISECONDS = 150
_LAST_MILLISECONDS = 1500


def step_name(step: int) -> str:
    """Name of the file in `samples/` that holds the samples of a step."""
    return f"step-{step:07d}.png"


class SampleGrids:
    """Writes pictures of a run's samples as `samples/step-<number>.png`.

    Args:
        job: What is run.
        folder: Of the run that is not finished.
        outside: Counts what this takes.
    """

    def __init__(self, job: Job, folder: Path, outside: SecondsOutside) -> None:
        self._job = job
        self._folder = folder
        self._outside = outside
        self._pictures = pictures_of(job.spec)

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
            samples = self._samples(session)
            picture = self._pictures.at_step(self._real(session), samples, session.steps)
            self._write(picture, step_name(session.steps))

    def draw_beside_real(self, session: Session) -> None:
        """Write `real-and-fake.png`: real images on the left, generated ones on the right.

        Raises:
            VariantFailure: The variant's generator raised something.
            UsageError: The file cannot be written.
        """
        with self._outside.measure("samples"):
            picture = self._pictures.beside_real(self._real(session), self._samples(session))
            self._write(picture, REAL_AND_FAKE)

    def animate(self) -> None:
        """Write `animation.gif` from the pictures of all steps, where pictures of points show them.

        At most 60 of them, evenly chosen, the first and the last included.

        Raises:
            UsageError: The file cannot be written.
        """
        files = sorted((self._folder / "samples").glob("step-*.png"))
        if not self._pictures.is_animated or not files:
            return
        last, count = len(files) - 1, min(_MOST_FRAMES, len(files))
        chosen = [files[round(place * last / max(1, count - 1))] for place in range(count)]
        target = self._folder / "samples" / "animation.gif"
        with self._outside.measure("samples"), writing(target):
            first, *others = [_frame(file) for file in chosen]
            waits = [_FRAME_MILLISECONDS] * len(others) + [_LAST_MILLISECONDS]
            with whole(target) as temporary:
                first.save(temporary, save_all=True, append_images=others, duration=waits, loop=0)

    def _real(self, session: Session) -> Tensor:
        return session.real_examples(self._pictures.count)

    def _samples(self, session: Session) -> Tensor:
        """Images of the same latents each time, class after class where there are classes."""
        with variant_code(self._job), session.isolated_rng("samples"):
            count = self._pictures.count
            latent = draw.latents(session.state, count, session.seed, "fixed noise")
            conditions = None
            if session.conditions is not None:
                conditions = draw.in_turn(session.conditions.cpu(), count)
            return draw.draw(session.state, session.device, latent, conditions)

    def _write(self, picture: Image, name: str) -> None:
        target = self._folder / "samples" / name
        with writing(target):
            target.parent.mkdir(exist_ok=True)
            with whole(target) as temporary:
                picture.save(temporary, optimize=True)


def _frame(file: Path) -> Image:
    """A picture with the few colours that a GIF can hold."""
    with open_image(file) as picture:
        return picture.convert("RGB").quantize(64)
