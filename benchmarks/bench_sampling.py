"""Drawing images from each built-in variant's generator, as they are drawn to be scored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ganbench.scoring import draw

from .workloads import Workload, built_in

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from ganbench.machine.device import Device

_COUNT = 250  # as many as `ganbench.scoring.draw` draws at once
_TINY_COUNT = 4


@pytest.mark.benchmark(group="sampling")
@pytest.mark.parametrize("name", built_in())
def test_draw(name: str, benchmark: BenchmarkFixture, device: Device, *, tiny: bool) -> None:
    """From latents, and captions or classes where they are taken, to uint8 images on the host."""
    work = Workload.sized(name, device, tiny=tiny)
    state = work.state(device)
    count = _TINY_COUNT if tiny else _COUNT
    latent = draw.latents(state, count, 0, "benchmark")
    conditions = state.conditions(work.spec)
    if conditions is not None:
        conditions = draw.in_turn(conditions, count)
    if benchmark.enabled:
        draw.draw(state, device, latent, conditions)

    images = benchmark(draw.draw, state, device, latent, conditions)

    size = work.recipe.image_size
    assert images.shape == (count, work.spec.channels, size, size)
    benchmark.extra_info.update(device=device.name, recipe=work.recipe.model_dump())
    if benchmark.stats is not None:
        benchmark.extra_info["images_per_second"] = count / benchmark.stats.stats.median
