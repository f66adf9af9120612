"""What a run is charged for: its training steps, without first use and without diagnostics."""

from __future__ import annotations

import dataclasses
import time

import pytest
import torch
from doubles import FakeCard, tiny_spec, tiny_split, train_to_end

from ganbench.machine.device import Device
from ganbench.training.execution import Execution
from ganbench.training.session import Session
from ganbench.training.state import TrainState
from ganbench.variant.budget import Budget
from ganbench.variant.definition import Losses
from ganbench.variant.registry import resolve

SPEC = tiny_spec(count=40)
CPU = torch.device("cpu")
MLP = resolve(["mlp"])[0].variant
FIRST_USE, PROBE, READ = 5000.0, 100.0, 700.0


class SlowToRead(Device):
    """The CPU, on which looking at the memory for the history takes a while."""

    def note_memory(self):
        now[0] += READ


now = [0.0]


@pytest.fixture(autouse=True)
def _time_passes_by_calls(monkeypatch):
    now[0] = 0.0
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])


def bare(recipe, dataset):
    """Losses that do not return the discriminator's outputs, which must be asked for apart."""
    usual = MLP.losses(recipe, dataset)
    return Losses(
        lambda *given: usual.d_loss(*given).loss, lambda *given: usual.g_loss(*given).loss
    )


def session(losses=bare):
    """A run in which time passes only when the discriminator is called, or values are read."""
    small = {"generator_width": 4, "discriminator_width": 4, "image_size": 32, "batch_size": 8}
    variant = dataclasses.replace(MLP, losses=losses)
    state = TrainState.create(variant, MLP.recipe.override(small), SPEC, CPU, 0)
    used = []

    def takes_time(*_):
        now[0] += (0 if used else FIRST_USE) + (1 if torch.is_grad_enabled() else PROBE)
        used.append(True)

    state.discriminator.register_forward_hook(takes_time)
    return Session(state, tiny_split(SPEC), SPEC, SlowToRead("cpu"), 0)


CALLS_A_STEP = 3  # of the discriminator: real and generated images, and those of the generator


@pytest.mark.parametrize("losses", [bare, MLP.losses], ids=["probed", "returned"])
def test_neither_first_use_nor_diagnostics_are_charged(losses):
    one = session(losses)
    train_to_end(one, Budget(60, "steps"))
    assert one.clock.step_seconds == [CALLS_A_STEP] * 60
    assert one.clock.seconds == CALLS_A_STEP * 60
    timing = one.clock.timing(8)
    assert timing.train_seconds == CALLS_A_STEP * 60
    assert timing.images_per_second == pytest.approx(8 / CALLS_A_STEP)


def test_steps_around_a_pause_are_charged_alike():
    one = session()
    train_to_end(one, Budget(12, "steps"), sample_every=Budget(3, "steps"))
    assert one.clock.step_seconds == [CALLS_A_STEP] * 12
    assert one.clock.seconds == CALLS_A_STEP * 12


def test_a_budget_in_seconds_is_used_up_by_training_alone():
    one = session()
    train_to_end(one, Budget(4 * CALLS_A_STEP, "s"))
    assert one.steps == 4
    assert [row["seconds"] for row in one.history] == [CALLS_A_STEP * step for step in (1, 2, 3, 4)]
    assert {row["images_per_second"] for row in one.history} == {8 / CALLS_A_STEP}


def test_a_resumed_run_is_not_charged_for_first_use_either():
    first, second = session(), session()
    train_to_end(first, Budget(2, "steps"))
    second.restore(first.checkpoint())
    train_to_end(second, Budget(5, "steps"))
    assert second.clock.seconds == CALLS_A_STEP * 5


def test_the_profile_of_a_step_has_its_measures_apart():
    one = session()
    train_to_end(one, Budget(20, "steps"))
    # two calls in the discriminator's update, one in the generator's, three to measure
    expected = {"data": 0, "discriminator": 2, "generator": 1, "measures": 3 * PROBE}
    assert one.phase_seconds == expected


def test_where_steps_are_captured_the_measured_ones_are_not_timed():
    small = {"generator_width": 4, "discriminator_width": 4, "image_size": 32, "batch_size": 8}
    captured = Execution(cuda_graphs=True)
    state = TrainState.create(MLP, MLP.recipe.override(small), SPEC, CPU, 0, captured)
    one = Session(state, tiny_split(SPEC), SPEC, FakeCard(), 0, captured)
    train_to_end(one, Budget(120, "steps"))
    timed = [number for number, is_timed in enumerate(one.clock.is_timed, 1) if is_timed]
    assert timed == [*range(51, 100), *range(101, 121)]
