"""A run between its first step and its last: feeding it images, and storing where it stands."""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ganbench.errors import ContractError
from ganbench.machine.random_streams import generator, stream_seed
from ganbench.training.batches import BatchSource, Resident, Rows, Streamed
from ganbench.training.calls import Batch
from ganbench.training.clock import TrainingClock
from ganbench.training.compiled_step import Stepper
from ganbench.training.contract import require_images
from ganbench.training.execution import EAGER, Execution
from ganbench.training.settle import average_statistics, require_equal
from ganbench.training.state import TrainState
from ganbench.training.step import MEASURES, Batches, Mark, gather, no_mark
from ganbench.training.step_profile import PhaseClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ganbench.data.dataset import Split
    from ganbench.machine.device import Device
    from ganbench.machine.ranks import Ranks
    from ganbench.variant.budget import Budget
    from ganbench.variant.definition import DatasetSpec

__all__ = [
    "BEGIN",
    "END",
    "HISTORY_COLUMNS",
    "MEASURED_AT_FIRST",
    "PREPARE",
    "SETTLE",
    "STEP",
    "Diverged",
    "Session",
]

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
_FEW = 4  # images that are looked at when a run has ended
BEGIN, PREPARE, STEP, SETTLE, END = range(1, 6)  # what the first of several processes says


class Diverged(Exception):  # noqa: N818 - an outcome, not an error
    """A loss is not finite any more."""


@dataclass
class Session:
    """A run between its first step and its last: all that is needed to go on.

    Args:
        state: The networks and optimizers.
        train: The training split at the size of the recipe: on the device, or on the host where
            it is streamed.
        spec: The dataset.
        device: Where the steps run.
        seed: Of the run.
        execution: How its steps are carried out.
        streamed: Whether images are sent to the device as they are needed.
        budget: How long the run will be, for what changes over the budget; None if nothing does.
        ranks: This process among those that share the run; None where it has the run for itself.
            The first one tells the others what to do (see `follow`): each step, and when all
            are made equal, which is before anything looks at the run.
    """

    state: TrainState
    train: Split
    spec: DatasetSpec
    device: Device
    seed: int
    execution: Execution = EAGER
    steps: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    streamed: bool = False
    budget: Budget | None = None
    ranks: Ranks | None = None

    def __post_init__(self) -> None:
        where = self.device.torch
        self.state.ranks = self.ranks
        rows = None
        if self.ranks is not None:
            rows = Rows(self.ranks.rank, self.ranks.count, self.state.share_of_batch)
        condition = self.state.condition
        labelled = condition is not None and condition.use != "latent"
        self._source: BatchSource = (
            Streamed(self.train, self.seed, self.device, labelled=labelled, rows=rows)
            if self.streamed
            else Resident(self.train, self.seed, labelled=labelled, rows=rows)
        )
        self._latents = generator(self.seed, "training latents", device=where)
        self.clock = TrainingClock(self.device)
        self._phases = PhaseClock()
        self._stepper = Stepper(self.state, self.device, self.execution)
        self._values: dict[str, Tensor] = {}  # the newest scalars, not yet read
        self._is_prepared = False
        self._next: Batches | None = None  # of the next step, where they were gathered already
        self._settled_at: int | None = None  # the step after which all processes were made equal
        conditions = self.state.conditions(self.spec)
        self.conditions = None if conditions is None else conditions.to(where)
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
        """The first images of the first epoch as they are stored, or points."""
        return self._source.first(count)

    @property
    def share(self) -> float:
        """Share of the budget that is used up, in [0, 1]; 0 where no budget is known."""
        if self.budget is None:
            return 0.0
        limit = self.budget.steps(batch_size=self.images_a_step, train_count=len(self.train))
        used = self.clock.seconds / self.budget.seconds if limit is None else self.steps / limit
        return min(1.0, used)

    def batches(self) -> Batches:
        """Gather what the next step consumes."""
        size = self.state.share_of_batch
        seen = self.steps * size * self.state.recipe.d_steps

        def take(index: int) -> tuple[Tensor, Tensor | None]:
            stored, labels = self._source.take(seen + index * size, size)
            return self.state.form.to_floats(stored), labels

        return gather(self.state, take, self._latents, self.conditions)

    def advance(self, share: float | None = None) -> None:
        """Do one step, and add a row to the history where this step is measured.

        Args:
            share: Share of the budget, as the first process has said; its own if left out.

        Raises:
            Diverged: A loss is not finite.
            ContractError: The variant does not keep what it promises.
        """
        number = self.steps + 1
        measure = number <= MEASURED_AT_FIRST or number % _MEASURE_EVERY == 0
        self.prepare()
        mark = self._mark_of(number, measure=measure)
        share = self.share if share is None else share
        self._tell(STEP, share)
        batches, self._next = self._next or self.batches(), None
        mark("data")
        values = self._stepper.step(batches, number=number, share=share, measure=measure, mark=mark)
        self.steps = number
        self._values.update(values)
        self.clock.lap(is_usual=not (measure and self.execution.cuda_graphs))
        if not measure:
            return
        done = self.device.event()
        read = self._read()
        self.clock.leave_out(done, self.device.event())
        written = self.device.event()
        row = self._row(read)
        self.history.append(row)
        self.clock.leave_out(written, self.device.event())
        for name in ("d_loss", "g_loss"):
            if not math.isfinite(row[name]):
                raise Diverged(f"{name} is not finite at step {number}")

    def _read(self) -> dict[str, float]:
        """Bring the newest scalars to the host, all at once."""
        names = [*MEASURES, *sorted(self._values.keys() - set(MEASURES))]
        stacked = torch.stack([self._values[name].float() for name in names])
        if self.ranks is not None:  # means over rows of the batch, of which each has a share
            self.ranks.average([stacked])
        values = dict(zip(names, stacked.tolist(), strict=True))
        self.device.note_memory()
        return values

    def _mark_of(self, number: int, *, measure: bool) -> Mark:
        """What splits a step into its phases: a measured one for the clock, some for the profile.

        Other steps are not split.
        """
        if self.execution.cuda_graphs:  # measured steps are not those that a run is made of
            is_profiled = number > MEASURED_AT_FIRST and number % _MEASURE_EVERY == 1
        else:
            is_profiled = measure and number > _PHASES_AFTER
        if not (measure or is_profiled):
            return no_mark
        last = self.device.event()
        if is_profiled:
            self._phases.begin(last)

        def mark(phase: str) -> None:
            nonlocal last
            moment = self.device.event()
            if phase == "measures":
                self.clock.leave_out(last, moment)
            if is_profiled:
                self._phases.mark(phase, moment)
            last = moment

        return mark

    def prepare(self, share: float | None = None) -> None:
        """Get ready for the next step, outside of the training clock; once is enough.

        See what the variant draws, compile and capture what is asked for, and do the next step once
        without a trace, so that no run is charged for what libraries set up when they are first
        used.

        Args:
            share: As of `advance`.

        Raises:
            ContractError: The variant does not keep what it promises.
            ExecutionError: The step cannot be compiled or captured.
        """
        if self._is_prepared:
            return
        was_running = self.clock.is_running
        self.clock.pause()
        share = self.share if share is None else share
        self._tell(PREPARE, share)
        self._next = self.batches()
        with self.isolated_rng("contract"):
            require_images(self.state, self.spec, self._next.discriminator[0])
        self.state.train()
        self._stepper.prepare(self._next, number=self.steps + 1, share=share)
        # what an eager step has freed is what the next one takes: to give it back costs time
        self.device.reset_peak_memory(release=self.execution.is_prepared)
        self._is_prepared = True
        if was_running:
            self.clock.start()

    @property
    def compile_seconds(self) -> float | None:
        """Seconds that compiling and capturing took; None where nothing was."""
        return self._stepper.seconds if self.execution.is_prepared else None

    @property
    def phase_seconds(self) -> dict[str, float]:
        """Mean seconds per step of each phase, over those steps that were split."""
        return self._phases.seconds_a_step

    def check_finite(self) -> None:
        """See that training has left usable networks.

        Raises:
            Diverged: A weight of a network, or a pixel that it draws, is not finite.
        """
        for name, network in self.state.networks.items():
            for weight in network.parameters():
                if not bool(torch.isfinite(weight).all()):
                    raise Diverged(f"the {name} is not finite after step {self.steps}")
        latent = self.state.latents(_FEW, generator(self.seed, "contract"))
        condition = None
        if self.conditions is not None:
            condition = self.conditions.repeat(_FEW, *[1] * (self.conditions.dim() - 1))[:_FEW]
        batch = Batch(latent, latent.to(self.device.torch), condition)
        try:
            with self.isolated_rng("contract"):
                require_images(self.state, self.spec, batch)
        except ContractError as error:
            raise Diverged(f"{error}, after step {self.steps}") from error

    @contextmanager
    def isolated_rng(self, purpose: str) -> Iterator[None]:
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

    @property
    def history_columns(self) -> list[str]:
        """Names of the columns of the history: the usual ones, then what the losses record."""
        further = {name for row in self.history for name in row} - set(HISTORY_COLUMNS)
        return [*HISTORY_COLUMNS, *sorted(further)]

    def _history_rows(self) -> list[list[float]]:
        """The history as rows of numbers; what a row does not have is not a number."""
        columns = self.history_columns
        return [[row.get(name, math.nan) for name in columns] for row in self.history]

    def _row(self, values: dict[str, float]) -> dict[str, float]:
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

    # --- Several processes

    def _tell(self, word: int, number: float = 0.0) -> None:
        if self.ranks is not None and self.ranks.leads:
            self.ranks.tell(word, number)

    def begin_together(self) -> None:
        """Give the other processes the run as it stands here, at its start or where it goes on."""
        if self.ranks is not None:
            self._tell(BEGIN)
            self.ranks.send(self._stored())
            self._settled_at = self.steps

    def settle(self) -> None:
        """Make the processes equal, before anything looks at the run: once after a step is enough.

        Each one has seen other rows: the statistics that normalisation layers keep are averaged.

        Raises:
            ContractError: Something else differs.
        """
        if self.ranks is None or self._settled_at == self.steps:
            return
        self._tell(SETTLE)
        average_statistics(self.state)
        require_equal(self.state)
        self._settled_at = self.steps

    def part(self) -> None:
        """Let the other processes go: training is over, and what follows is done here alone."""
        if self.ranks is not None:
            self._tell(END)
            self.ranks.leave()

    def checkpoint(self) -> dict[str, Any]:
        """Everything that the next step depends on, for `torch.save`.

        The order of the data follows from the seed and the number of steps, so that any number of
        processes can go on.
        """
        self.settle()
        return self._stored()

    def _stored(self) -> dict[str, Any]:
        return {
            "networks": self.state.state_dict(),
            "steps": self.steps,
            "seed": self.seed,
            "latents": self._latents.get_state(),
            "rng": torch.get_rng_state(),
            "device_rng": self.device.rng_state(),
            "clock": self.clock.state_dict(),
            "looked_at_share": self.state.looked_at_share,
            "compile_seconds": self.compile_seconds,
            "phases": self._phases.state_dict(),
            "values": {name: value.detach().clone() for name, value in self._values.items()},
            "history_columns": self.history_columns,
            "history": torch.tensor(self._history_rows(), dtype=torch.float64),
        }

    def restore(self, values: dict[str, Any]) -> None:
        """Go on where `checkpoint` was taken."""
        self.state.load_state_dict(values["networks"])
        self.state.looked_at_share = bool(values.get("looked_at_share", True))  # unknown at first
        self.steps = values["steps"]
        self._latents.set_state(values["latents"].cpu())
        torch.set_rng_state(values["rng"].cpu())
        self.device.set_rng_state(values["device_rng"])
        self.clock.load_state_dict(values["clock"])
        if "phases" in values:
            self._phases.load_state_dict(values["phases"])
        self._stepper = Stepper(
            self.state, self.device, self.execution, values.get("compile_seconds") or 0.0
        )
        self._is_prepared, self._next = False, None
        columns = values["history_columns"]
        self.history = [
            {name: value for name, value in zip(columns, row, strict=True) if not math.isnan(value)}
            for row in values["history"].tolist()
        ]
        self._values = {
            name: value.to(self.device.torch) for name, value in values["values"].items()
        }
