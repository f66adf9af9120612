"""Doing one step after the other as it was asked for: eagerly, compiled, or as a captured graph."""

from __future__ import annotations

import time
import warnings
from dataclasses import fields
from typing import TYPE_CHECKING

from torch import Tensor

from ganbench.errors import ExecutionError
from ganbench.training.calls import EAGER_CALLS, Batch, Calls
from ganbench.training.settle import require_equal
from ganbench.training.step import Batches, Mark, prepare_step, run_step, train_step
from ganbench.training.without_trace import without_trace

if TYPE_CHECKING:
    from collections.abc import Callable

    from ganbench.machine.device import Device
    from ganbench.training.execution import Execution
    from ganbench.training.state import TrainState

__all__ = ["Stepper"]

_PREPARING_STEPS = 2  # the second finds what the first has changed


def _copy(batch: Batch) -> Batch:
    """The same numbers in memory of their own, laid out alike."""
    condition, labels = (
        None if values is None else values.clone() for values in (batch.condition, batch.labels)
    )
    return Batch(batch.real.clone(), batch.latent.clone(), condition, labels)


def _fill(held: Batch, batch: Batch) -> None:
    """Copy the numbers of a batch to where a captured step reads them."""
    for item in fields(batch):
        target, value = getattr(held, item.name), getattr(batch, item.name)
        if target is not None and value is not None:
            target.copy_(value)


class Stepper:
    """Carries out steps.

    Before the first one the step is prepared on its images, which leaves no trace in the networks.

    Args:
        state: What the steps change.
        device: Where they run.
        execution: How.
        seconds: Spent preparing before, when a run resumes.
    """

    def __init__(
        self,
        state: TrainState,
        device: Device,
        execution: Execution,
        seconds: float = 0.0,
    ) -> None:
        self._state = state
        self._device = device
        self._execution = execution
        self._replay: Callable[[], None] | None = None
        self._inputs = Batches(())
        self._recorded: dict[str, Tensor] = {}
        self._calls = EAGER_CALLS
        self.seconds = seconds

    def prepare(self, batches: Batches, *, number: int = 1, share: float = 0.0) -> None:
        """Compile and capture what was asked for, or do an eager step once, and take it back.

        Args:
            batches: Of the next step; they stay as they are.
            number: Number of that step, from 1.
            share: Share of the budget that is used up, in [0, 1].

        Raises:
            ExecutionError: The variant's networks or losses cannot be compiled or captured, or the
                compiler fails.
        """
        self._device.synchronize()
        begun = time.perf_counter()
        copies = Batches(
            [_copy(batch) for batch in batches.discriminator],
            [_copy(batch) for batch in batches.generator],
        )
        with (
            self._device.training(),
            without_trace(self._state, self._device, keeps_moments=self._execution.cuda_graphs),
        ):
            if self._execution.is_prepared:
                self._compile_and_capture(copies)
            else:
                train_step(self._state, copies, number=number, share=share)
                require_equal(self._state)
        self._device.synchronize()
        self.seconds += time.perf_counter() - begun

    def _compile_and_capture(self, batches: Batches) -> None:
        try:
            with warnings.catch_warnings(action="ignore"):  # the compiler's, of its own doing
                if self._execution.compile:
                    self._compile(batches)
                if self._execution.cuda_graphs:
                    self._capture(batches)
        except Exception as error:
            how = " and ".join(name for name in ("compile", "cuda_graphs") if self._asks(name))
            lines = str(error).strip().splitlines() or ["no reason was given"]
            raise ExecutionError(
                f"the step cannot be carried out with {how} ({type(error).__name__}: {lines[0]}); "
                "leave that out"
            ) from error

    def _asks(self, name: str) -> bool:
        return bool(getattr(self._execution, name))

    def _compile(self, batches: Batches) -> None:
        self._calls = Calls.compiled()
        for _ in range(_PREPARING_STEPS):
            train_step(self._state, batches, measure=True, calls=self._calls)

    def _capture(self, batches: Batches) -> None:
        if self._state.schedules.change_betas:
            raise ExecutionError("beta1 or beta2 changes over the budget, and a graph holds it")
        self._inputs = batches

        def step() -> None:
            self._recorded = run_step(
                self._state, self._inputs, calls=self._calls, is_captured=True
            )

        self._replay = self._device.capture(step)

    def step(
        self, batches: Batches, *, number: int, share: float, measure: bool, mark: Mark
    ) -> dict[str, Tensor]:
        """Do one step; see `train_step`. A measured step is never a captured one.

        A captured step has one phase, `step`, as it cannot be split.
        """
        with self._device.training():
            if self._replay is None or measure:
                return train_step(
                    self._state,
                    batches,
                    number=number,
                    share=share,
                    measure=measure,
                    mark=mark,
                    calls=self._calls,
                )
            prepare_step(self._state, number, share)
            for held, batch in zip(
                [*self._inputs.discriminator, *self._inputs.generator],
                [*batches.discriminator, *batches.generator],
                strict=True,
            ):
                _fill(held, batch)
            self._replay()
        mark("step")
        return self._recorded
