"""The training step of each built-in variant, data included, and beside it the plain loop's."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Protocol

import pytest

from .plain import PlainLoop
from .workloads import Workload, built_in

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from ganbench.machine.device import Device

PLAIN = ("mlp", "dcgan")
_WARMUP_STEPS = 3
_SHORT_SECONDS = 0.05  # a shorter step is timed with others, as the clock is coarse
_STEPS_TOGETHER = 50  # one of which is measured, as in a run


class Loop(Protocol):
    """A training loop that can be timed."""

    @property
    def images_seen(self) -> int:
        """Real images consumed so far."""

    def advance(self) -> None:
        """Do one step."""


def cases() -> list[object]:
    """Each variant with each loop that trains it: one group per variant."""
    return [
        pytest.param(name, loop, marks=pytest.mark.benchmark(group=f"training {name}"))
        for name in built_in()
        for loop in ("ganbench", "plain")
        if loop == "ganbench" or name in PLAIN
    ]


def time_steps(benchmark: BenchmarkFixture, loop: Loop, device: Device) -> None:
    """Time steps in steady state, with the device idle at both edges."""

    def do_steps(steps: int) -> int:
        before = loop.images_seen
        for _ in range(steps):
            loop.advance()
        device.synchronize()
        return loop.images_seen - before

    # Warm up, and see how long a step takes
    steps = 1
    if benchmark.enabled:
        do_steps(_WARMUP_STEPS)
        begun = time.perf_counter()
        do_steps(1)
        if time.perf_counter() - begun < _SHORT_SECONDS:
            steps = _STEPS_TOGETHER

    images = benchmark(do_steps, steps)
    assert images > 0
    benchmark.extra_info["steps_a_round"] = steps
    if benchmark.stats is not None:
        median = benchmark.stats.stats.median
        benchmark.extra_info["step_seconds"] = median / steps
        benchmark.extra_info["images_per_second"] = images / median


@pytest.mark.parametrize(("name", "loop"), cases())
def test_step(
    name: str, loop: str, benchmark: BenchmarkFixture, device: Device, *, tiny: bool
) -> None:
    """Time `Session.advance`, or one step of the plain loop."""
    work = Workload.sized(name, device, tiny=tiny)
    benchmark.extra_info.update(
        device=device.name,
        dataset=f"noise shaped as {work.spec.name}",
        train_images=work.spec.train_count,
        recipe=work.recipe.model_dump(),
    )
    if loop == "ganbench":
        session = work.session(device)
        time_steps(benchmark, session, device)
        session.clock.pause()
    else:
        plain = PlainLoop(work.variant, work.recipe, work.spec, work.native, device.torch)
        time_steps(benchmark, plain, device)
        assert all(map(math.isfinite, plain.losses))
