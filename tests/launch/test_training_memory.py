"""The peak memory of a run is that of its training, whatever scoring takes in between."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from launch_doubles import context, display, planned

from ganbench.data.dataset import Split
from ganbench.launch import local
from ganbench.launch.training_memory import TrainingMemory
from ganbench.machine.device import Device

SPLIT = Split(torch.zeros(1, 1, 2, 2, dtype=torch.uint8), torch.zeros(1, dtype=torch.int64))


@dataclass
class Meter:
    """Memory that a test takes and gives back."""

    used: int = 0
    highest: int = 0

    def take(self, count):
        self.used += count
        self.highest = max(self.highest, self.used)

    def burst(self, count):
        """Take something and give it back."""
        self.take(count)
        self.take(-count)

    def forget(self, _index=0):
        self.highest = self.used

    # as torch.cuda names them

    def memory_allocated(self, _index):
        return self.used

    def max_memory_allocated(self, _index):
        return self.highest

    reset_peak_memory_stats = forget


@pytest.fixture
def meters():
    return {"card": Meter(), "host": Meter()}


@pytest.fixture
def memory_of(meters):
    def make():
        host = meters["host"]
        return TrainingMemory(
            Device("cuda", vendor=meters["card"]),
            (lambda: host.used, lambda: host.highest, host.forget),
        )

    return make


@pytest.mark.parametrize("which", ["card", "host"])
def test_scoring_is_in_no_stretch_and_what_it_keeps_is_subtracted(meters, memory_of, which):
    meter, memory = meters[which], memory_of()

    def peak():
        return memory.device_bytes if which == "card" else memory.host_bytes

    meter.take(100)  # the networks
    meter.burst(5000)  # what was before training
    memory.begin()
    with memory.left_out(SPLIT):  # the classifier is trained
        meter.burst(900)
        meter.take(70)
    meter.burst(30)
    assert peak() == 130
    with memory.left_out(SPLIT):
        meter.burst(800)
        meter.take(7)
    meter.take(20)  # moments that an optimizer keeps
    meter.burst(25)
    with memory.left_out(SPLIT):
        meter.take(-70)  # features that are no longer needed
    meter.burst(26)
    assert peak() == 100 + 20 + 26


def test_a_peak_before_scoring_is_kept(meters, memory_of):
    memory = memory_of()
    memory.begin()
    meters["card"].burst(50)
    with memory.left_out(SPLIT):
        meters["card"].burst(90)
    meters["card"].burst(40)
    assert memory.device_bytes == 50


def test_a_resumed_run_keeps_the_peak_of_the_process_before(meters, memory_of):
    first = memory_of()
    first.begin()
    meters["card"].burst(50)
    meters["host"].burst(60)
    second = memory_of()
    second.load_state_dict(first.state_dict())
    second.begin()
    meters["card"].burst(20)
    meters["host"].burst(70)
    assert (second.device_bytes, second.host_bytes) == (50, 70)


def test_scoring_that_fails_is_left_out_too(meters, memory_of):
    memory = memory_of()
    memory.begin()

    def fail():
        with memory.left_out(SPLIT):
            meters["card"].burst(90)
            meters["card"].take(10)
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    meters["card"].burst(5)
    assert memory.device_bytes == 5


HUNGRY = '''"""A generator that takes hundreds of megabytes when it is scored, and keeps some."""

import torch
import ganbench
from ganbench.variants import mlp


class Hungry(torch.nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner
        self.kept = []

    def forward(self, latent):
        if not self.training and len(latent) > 100:  # more than a grid of samples has
            torch.ones(75_000_000)
            if not self.kept:
                self.kept.append(torch.ones(25_000_000))
        return self.inner(latent)


VARIANT = ganbench.Variant(
    title="Hungry", paper="", recipe=ganbench.Recipe(image_size=28),
    generator=lambda recipe, dataset: Hungry(mlp.generator(recipe, dataset)),
    discriminator=mlp.discriminator, losses=ganbench.losses.bce,
)
'''


@pytest.mark.slow
def test_the_peak_is_the_same_with_scores_during_training_and_for_the_first_run_of_a_plan(
    tmp_path,
):
    (tmp_path / "hungry.py").write_text(HUNGRY)

    def peaks(name, **changes):
        plan = planned(variants=(str(tmp_path / "hungry.py"),), budget="9steps", **changes)
        root = tmp_path / name
        root.mkdir()
        runs = local.launch(plan, context(root, root / "cache"), display())
        assert [run.result.status for run in runs] == ["ok"] * len(plan.jobs)
        return [run.result.peak_memory_bytes for run in runs]

    (alone,) = peaks("without")
    # the first one trains the classifier in its process, before its own training
    first, second = peaks("with", evaluate_every="2steps", seeds="2")
    assert first == pytest.approx(alone, rel=0.03)
    assert second == pytest.approx(alone, rel=0.03)
