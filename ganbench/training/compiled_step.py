"""Doing one step after the other as it was asked for: eagerly, compiled, or as a captured graph."""

from __future__ import annotations

import itertools
import time
import warnings
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ganbench.errors import ExecutionError
from ganbench.training.step import Batch, Mark, Parts, train_step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ganbench.machine.device import Device
    from ganbench.training.execution import Execution
    from ganbench.training.step import TrainState

__all__ = ["Stepper", "rehearsal"]

_REHEARSALS = 2  # the second finds what the first has changed


def _copy(batch: Batch) -> Batch:
    """The same numbers in memory of their own, laid out alike."""
    condition = None if batch.condition is None else batch.condition.clone()
    return replace(batch, real=batch.real.clone(), latent=batch.latent.clone(), condition=condition)


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
        self._inputs: list[Batch] = []
        self.seconds = seconds
        self.is_ready = not execution.is_prepared

    def prepare(self, batches: Sequence[Batch]) -> None:
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
                rehearsal(self._state, self._device),
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

    def _compile(self, batches: Sequence[Batch]) -> None:
        self._state.parts = Parts.compiled()
        for _ in range(_REHEARSALS):
            train_step(self._state, batches, measure=True)

    def _capture(self, batches: Sequence[Batch]) -> None:
        self._inputs = [_copy(batch) for batch in batches]
        self._replay = self._device.capture(lambda: train_step(self._state, self._inputs))

    def step(self, batches: Sequence[Batch], *, measure: bool, mark: Mark) -> Tensor | None:
        """Do one step; see `train_step`. A measured step is never a captured one.

        A captured step has one phase, `step`, as it cannot be split.
        """
        with self._device.training():
            if self._replay is None or measure:
                return train_step(self._state, batches, measure=measure, mark=mark)
            for held, batch in zip(self._inputs, batches, strict=True):
                held.real.copy_(batch.real)
                held.latent.copy_(batch.latent)
                if held.condition is not None and batch.condition is not None:
                    held.condition.copy_(batch.condition)
            self._replay()
        mark("step")
        return None


@contextmanager
def rehearsal(state: TrainState, device: Device) -> Iterator[None]:
    """Put everything back that steps within change, each tensor where it lies in memory.

    Afterwards the optimizers hold moments that are zero, where they held none before: for Adam
    that is the same.
    """
    tensors = _tensors(state)
    before = [values.clone() for values in tensors]
    known = {id(values) for values in tensors}
    scales = None if state.scaling is None else state.scaling.state_dict()
    random = device.rng_state()
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        with torch.no_grad():
            for values, earlier in zip(tensors, before, strict=True):
                values.copy_(earlier)
            for values in _tensors(state):
                if id(values) not in known:
                    values.zero_()
        if state.scaling is not None and scales is not None:
            state.scaling.load_state_dict(scales)
        device.set_rng_state(random)


def _tensors(state: TrainState) -> list[Tensor]:
    networks = [state.generator, state.discriminator, state.average]
    held = [
        itertools.chain(network.parameters(), network.buffers())
        for network in networks
        if network is not None
    ]
    moments = [
        values
        for optimizer in (state.generator_optimizer, state.discriminator_optimizer)
        for slots in optimizer.state.values()
        for values in slots.values()
        if isinstance(values, Tensor)
    ]
    return [*itertools.chain.from_iterable(held), *moments]
