"""A run between its first step and its last: feeding it images, and storing where it stands."""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ganbench.machine.random_streams import generator, stream_seed
from ganbench.training.batches import Feed, Resident, Streamed
from ganbench.training.clock import TrainingClock
from ganbench.training.compiled_step import Stepper
from ganbench.training.execution import EAGER, Execution
from ganbench.training.step import MEASURES, Batch, Mark, TrainState, no_mark
from ganbench.training.step_profile import PhaseClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ganbench.data.dataset import Split
    from ganbench.machine.device import Device

__all__ = ["HISTORY_COLUMNS", "MEASURED_AT_FIRST", "Diverged", "Session"]

HISTORY_COLUMNS = (
    "step",
    "epoch",
    "images_seen",
    "seconds",
    *MEASURES,
    "images_per_second",
)
MEASURED_AT_FIRST = 50  # steps that are all measured, before the interval begins
_MEASURE_EVERY = 50
_PHASES_AFTER = 10  # steps that warm up


class Diverged(Exception):  # noqa: N818 - an outcome, not an error
    """A loss is not finite any more."""


@dataclass
class Session:
    """A run between its first step and its last: all that is needed to go on.

    Args:
        state: The networks and optimizers.
        train: The training split at the size of the recipe: on the device, or on the host where
            it is streamed.
        captions: The caption of each class.
        device: Where the steps run.
        seed: Of the run.
        execution: How its steps are carried out.
        streamed: Whether images are sent to the device as they are needed.
    """

    state: TrainState
    train: Split
    captions: tuple[str, ...]
    device: Device
    seed: int
    execution: Execution = EAGER
    steps: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    streamed: bool = False

    def __post_init__(self) -> None:
        where = self.device.torch
        labelled = self.state.takes_condition
        self._feed: Feed = (
            Streamed(self.train, self.seed, self.device, labelled=labelled)
            if self.streamed
            else Resident(self.train, self.seed, labelled=labelled)
        )
        self._latents = generator(self.seed, "training latents", device=where)
        self.clock = TrainingClock(self.device)
        self._phases = PhaseClock(self.device)
        self._stepper = Stepper(self.state, self.device, self.execution)
        self.conditions: Tensor | None = None
        if self.state.condition is not None:
            encoded = [self.state.condition.encode(caption) for caption in self.captions]
            self.conditions = torch.stack(encoded).to(where)
        torch.manual_seed(stream_seed(self.seed, "training"))

    @property
    def images_a_step(self) -> int:
        """Real images that one step consumes."""
        return self.state.recipe.batch_size * self.state.recipe.d_steps

    @property
    def images_seen(self) -> int:
        """Real images consumed so far."""
        return self.steps * self.images_a_step

    @property
    def epochs(self) -> float:
        """Epochs done so far."""
        return self.images_seen / len(self.train)

    def real_examples(self, count: int) -> Tensor:
        """The first images of the first epoch: uint8 of shape (count, channels, size, size)."""
        return self._feed.first(count)

    def batches(self) -> list[Batch]:
        """Gather what the next step consumes."""
        recipe = self.state.recipe
        found = []
        for index in range(recipe.d_steps):
            start = self.images_seen + index * recipe.batch_size
            stored, labels = self._feed.take(start, recipe.batch_size)
            condition = None
            if labels is not None and self.conditions is not None:
                condition = self.conditions[labels]
            latent = torch.randn(
                recipe.batch_size,
                recipe.latent_dim,
                generator=self._latents,
                device=self.device.torch,
            )
            found.append(Batch(stored.to(torch.float32).div_(127.5).sub_(1.0), latent, condition))
        return found

    def advance(self) -> None:
        """Do one step, and add a row to the history where this step is measured.

        Raises:
            Diverged: A loss is not finite.
        """
        number = self.steps + 1
        measure = number <= MEASURED_AT_FIRST or number % _MEASURE_EVERY == 0
        mark = self._phases_of(number, measure=measure)
        batches = self.batches()
        mark("data")
        if not self._stepper.is_ready:
            self._prepare(batches)
        values = self._stepper.step(batches, measure=measure, mark=mark)
        self.steps = number
        self.clock.lap()
        if values is None:
            return
        row = self._row(dict(zip(MEASURES, values.tolist(), strict=True)))
        self.history.append(row)
        for name in ("d_loss", "g_loss"):
            if not math.isfinite(row[name]):
                raise Diverged(f"{name} is not finite at step {number}")

    def _phases_of(self, number: int, *, measure: bool) -> Mark:
        """Begin to split a step into its phases; most steps are not."""
        if self.execution.cuda_graphs:  # measured steps are not those that a run is made of
            is_split = number > MEASURED_AT_FIRST and number % _MEASURE_EVERY == 1
        else:
            is_split = measure and number > _PHASES_AFTER
        if not is_split or not self._stepper.is_ready:
            return no_mark
        self._phases.begin()
        return self._phases.mark

    def _prepare(self, batches: list[Batch]) -> None:
        """Compile and capture, outside of the training clock."""
        was_running = self.clock.is_running
        self.clock.pause()
        self._stepper.prepare(batches)
        self.device.reset_peak_memory()
        if was_running:
            self.clock.start()

    @property
    def compile_seconds(self) -> float | None:
        """Seconds that compiling and capturing took; None where nothing was."""
        return self._stepper.seconds

    @property
    def phase_seconds(self) -> dict[str, float]:
        """Mean seconds a step of each phase, over those steps that were split."""
        return self._phases.seconds_a_step

    def check_finite(self) -> None:
        """See that training has left usable networks.

        Raises:
            Diverged: A weight or a statistic of either network is not finite.
        """
        for name in ("generator", "discriminator"):
            for values in getattr(self.state, name).state_dict().values():
                if not bool(torch.isfinite(values).all()):
                    raise Diverged(f"the {name} is not finite after step {self.steps}")

    @contextmanager
    def aside(self, purpose: str) -> Iterator[None]:
        """Draw random numbers inside a `with` that training does not miss.

        A network that draws its own gets the same ones each time, by the seed and the purpose.
        """
        host, card = torch.get_rng_state(), self.device.rng_state()
        torch.manual_seed(stream_seed(self.seed, purpose))
        try:
            yield
        finally:
            torch.set_rng_state(host)
            self.device.set_rng_state(card)

    def _row(self, values: dict[str, float]) -> dict[str, float]:
        self.device.note_memory()
        seconds = self.clock.seconds
        last_seconds, last_images = 0.0, 0.0
        if self.history:
            last_seconds = self.history[-1]["seconds"]
            last_images = self.history[-1]["images_seen"]
        rate = (self.images_seen - last_images) / max(seconds - last_seconds, 1e-9)
        position = {
            "step": self.steps,
            "epoch": self.epochs,
            "images_seen": self.images_seen,
            "seconds": seconds,
        }
        return {**position, **values, "images_per_second": rate}

    def checkpoint(self) -> dict[str, Any]:
        """Everything that the next step depends on, for `torch.save`.

        The order of the data follows from the seed and the number of steps.
        """
        return {
            "networks": self.state.state_dict(),
            "steps": self.steps,
            "seed": self.seed,
            "latents": self._latents.get_state(),
            "rng": torch.get_rng_state(),
            "device_rng": self.device.rng_state(),
            "seconds": self.clock.seconds,
            "compile_seconds": self.compile_seconds,
            "phases": self._phases.state_dict(),
            "step_seconds": torch.tensor(self.clock.step_seconds, dtype=torch.float64),
            "history": torch.tensor(
                [[row[name] for name in HISTORY_COLUMNS] for row in self.history],
                dtype=torch.float64,
            ),
        }

    def restore(self, values: dict[str, Any]) -> None:
        """Go on where `checkpoint` was taken."""
        self.state.load_state_dict(values["networks"])
        self.steps = values["steps"]
        self._latents.set_state(values["latents"].cpu())
        torch.set_rng_state(values["rng"].cpu())
        self.device.set_rng_state(values["device_rng"])
        self.clock = TrainingClock(
            self.device, seconds=values["seconds"], step_seconds=values["step_seconds"].tolist()
        )
        if "phases" in values:
            self._phases.load_state_dict(values["phases"])
        self._stepper = Stepper(
            self.state, self.device, self.execution, values.get("compile_seconds")
        )
        self.history = [
            dict(zip(HISTORY_COLUMNS, row, strict=True)) for row in values["history"].tolist()
        ]
