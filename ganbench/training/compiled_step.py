"""Doing one step after the other as it was asked for: eagerly, compiled, or as a captured graph."""

from __future__ import annotations

import time
import warnings
from contextlib import contextmanager
from dataclasses import fields
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ganbench.errors import ExecutionError
from ganbench.training.calls import EAGER_CALLS, Batch, Calls
from ganbench.training.step import Batches, Mark, prepare_step, run_step, train_step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ganbench.machine.device import Device
    from ganbench.training.execution import Execution
    from ganbench.training.state import TrainState

__all__ = ["Stepper", "without_trace"]

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

    What has to be prepared is prepared on the images of the first step, which leaves no trace in
    the networks; `seconds` says how long that took.

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
        seconds: float | None = None,
    ) -> None:
        self._state = state
        self._device = device
        self._execution = execution
        self._replay: Callable[[], None] | None = None
        self._inputs = Batches(())
        self._recorded: dict[str, Tensor] = {}
        self._calls = EAGER_CALLS
        self.seconds = seconds
        self.is_ready = not execution.is_prepared

    def prepare(self, batches: Batches) -> None:
        """Compile and capture, where that was asked for, by steps on `batches`.

        Raises:
            ExecutionError: The variant's networks or losses do not let themselves, or the compiler
                fails.
        """
        self._device.synchronize()
        begun = time.perf_counter()
        try:
            with (
                warnings.catch_warnings(action="ignore"),  # the compiler's, of its own doing
                self._device.training(),
                without_trace(self._state, self._device),
            ):
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
        self._device.synchronize()
        self.seconds = (self.seconds or 0.0) + time.perf_counter() - begun
        self.is_ready = True

    def _asks(self, name: str) -> bool:
        return bool(getattr(self._execution, name))

    def _compile(self, batches: Batches) -> None:
        self._calls = Calls.compiled()
        for _ in range(_PREPARING_STEPS):
            train_step(self._state, batches, measure=True, calls=self._calls)

    def _capture(self, batches: Batches) -> None:
        if self._state.schedules.change_betas:
            raise ExecutionError("beta1 or beta2 changes over the budget, and a graph holds it")
        self._inputs = Batches(
            [_copy(batch) for batch in batches.discriminator],
            [_copy(batch) for batch in batches.generator],
        )

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


@contextmanager
def without_trace(state: TrainState, device: Device) -> Iterator[None]:
    """Put everything back that steps within change, each tensor where it lies in memory.

    Afterwards the optimizers hold moments that are zero, where they held none before: for Adam
    that is the same.
    """
    before = [(values, values.clone()) for values in state.tensors()]
    known = {id(values) for values, _ in before}
    scales = None if state.scaling is None else state.scaling.state_dict()
    random = device.rng_state()
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        with torch.no_grad():
            for values, earlier in before:
                values.copy_(earlier)
            for values in state.tensors():
                if id(values) not in known:
                    values.zero_()
        if state.scaling is not None and scales is not None:
            state.scaling.load_state_dict(scales)
        device.set_rng_state(random)
