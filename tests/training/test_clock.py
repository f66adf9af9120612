"""The training clock charges steps, and nothing else."""

from __future__ import annotations

import time

import pytest
from doubles import FakeEvent, FakeVendor

from ganbench.machine.device import Device
from ganbench.training.clock import TrainingClock


def steps(clock: TrainingClock, count: int) -> None:
    for _ in range(count):
        clock.lap()


def test_steps_on_a_card_are_timed_by_events_and_not_waited_for():
    vendor = FakeVendor()
    clock = TrainingClock(Device("cuda", vendor=vendor))
    clock.start()
    waited = len(vendor.calls)
    steps(clock, 20)
    assert len(vendor.calls) == waited
    clock.pause()
    timing = clock.timing(batch_size=64)
    assert timing.warmup_steps == 4
    assert timing.step_seconds == pytest.approx([0.001] * 16)
    assert timing.images_per_second == pytest.approx(64_000)


def test_many_steps_keep_few_events():
    clock = TrainingClock(Device("cuda", vendor=FakeVendor()))
    clock.start()
    steps(clock, 2500)
    assert len(clock._pending) <= 1001
    assert len(clock.step_seconds) == 2500


def test_the_time_between_pause_and_start_is_not_charged():
    clock = TrainingClock(Device("cpu"))
    clock.start()
    clock.lap()
    clock.pause()
    charged = clock.seconds
    time.sleep(0.05)
    assert clock.seconds == charged
    clock.start()
    clock.lap()
    clock.pause()
    assert clock.seconds < charged + 0.04
    assert max(clock.step_seconds) < 0.04


def test_a_resumed_clock_goes_on_with_what_was_charged():
    clock = TrainingClock(Device("cpu"), seconds=10.0, step_seconds=[1.0] * 10)
    assert clock.seconds == 10.0
    clock.start()
    clock.lap()
    clock.pause()
    assert clock.seconds > 10.0
    assert len(clock.step_seconds) == 11


@pytest.mark.parametrize(("count", "warmup"), [(0, 0), (1, 0), (2, 1), (5, 1), (30, 6), (500, 10)])
def test_ten_steps_warm_up_and_a_fifth_of_a_short_run(count, warmup):
    clock = TrainingClock(Device("cpu"), step_seconds=[1.0] * count)
    timing = clock.timing(batch_size=2)
    assert timing.warmup_steps == warmup
    assert len(timing.step_seconds) == count - warmup


def test_pausing_twice_and_pausing_unstarted_change_nothing():
    clock = TrainingClock(Device("cpu"))
    clock.pause()
    clock.start()
    clock.pause()
    charged = clock.seconds
    clock.pause()
    assert clock.seconds == charged
    assert FakeEvent.recorded >= 0
