"""The training clock charges steps, and nothing else."""

from __future__ import annotations

import io
import time

import pytest
import torch
from doubles import FakeEvent, FakeVendor

from ganbench.machine.device import Device
from ganbench.training.clock import TrainingClock


@pytest.fixture
def seconds_now(monkeypatch) -> list[float]:
    """The time, which passes only when a test says so."""
    now = [100.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    return now


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
    assert vendor.calls[waited:] == ["synchronize"]  # all that was issued is charged for
    timing = clock.timing(batch_size=64)
    assert timing.warmup_steps == 4
    assert timing.step_seconds == pytest.approx([0.001] * 16)
    assert timing.images_per_second == pytest.approx(64_000)


def test_what_was_issued_before_the_start_is_waited_for_and_not_charged():
    vendor = FakeVendor()
    TrainingClock(Device("cuda", vendor=vendor)).start()
    assert vendor.calls == ["synchronize"]


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


def test_what_is_left_out_is_neither_charged_nor_in_the_seconds_of_its_step(seconds_now):
    device = Device("cpu")
    clock = TrainingClock(device)
    clock.start()
    for training, measures in ((3.0, 0.0), (4.0, 50.0), (5.0, 0.0)):
        seconds_now[0] += training
        before = device.event()
        seconds_now[0] += measures
        clock.leave_out(before, device.event())
        clock.leave_out(before, before)
        clock.lap()
        assert clock.seconds == {3.0: 3, 4.0: 7, 5.0: 12}[training]
    assert clock.step_seconds == [3, 4, 5]
    clock.pause()
    assert clock.seconds == 12
    assert clock.timing(batch_size=2).train_seconds == 12


def test_on_a_card_what_is_left_out_is_measured_on_its_own_time_line():
    device = Device("cuda", vendor=FakeVendor())
    clock = TrainingClock(device)
    clock.start()
    for events in (0, 4, 2):  # each a millisecond after the one before
        moments = [device.event() for _ in range(events)]
        if moments:
            clock.leave_out(moments[0], moments[-1])
        clock.lap()
    assert clock.step_seconds == pytest.approx([0.001, 0.002, 0.002])


def test_what_is_left_out_after_the_last_step_before_a_pause_is_in_no_step(seconds_now):
    device = Device("cpu")
    clock = TrainingClock(device)
    for training in (3.0, 4.0):
        clock.start()
        seconds_now[0] += training
        clock.lap()
        before = device.event()
        seconds_now[0] += 50
        clock.leave_out(before, device.event())
        clock.pause()
        seconds_now[0] += 1000
    assert clock.step_seconds == [3, 4]
    assert clock.seconds == 7


def test_what_is_left_out_while_the_clock_stands_changes_nothing(seconds_now):
    device = Device("cpu")
    clock = TrainingClock(device)
    before = device.event()
    seconds_now[0] += 9
    clock.leave_out(before, device.event())
    clock.start()
    seconds_now[0] += 2
    clock.lap()
    clock.pause()
    assert clock.seconds == 2
    assert clock.step_seconds == [2]


def test_a_step_that_was_carried_out_unlike_the_others_is_charged_but_not_timed(seconds_now):
    clock = TrainingClock(Device("cpu"))
    clock.start()
    for number in range(20):
        seconds_now[0] += number
        if number == 15:
            clock.lap(is_usual=False)
        else:
            clock.lap()
    clock.pause()
    timing = resumed(clock).timing(batch_size=1)
    assert timing.step_seconds == (*range(4, 15), *range(16, 20))
    assert timing.train_seconds == sum(range(20))


def test_steps_that_are_all_carried_out_alike_are_timed_but_those_after_pauses(seconds_now):
    clock = TrainingClock(Device("cpu"))
    for _ in range(2):
        clock.start()
        for number in range(5):
            seconds_now[0] += number
            clock.lap(is_usual=False)
        clock.pause()
    assert clock.timing(batch_size=1).step_seconds == (2, 3, 4, 1, 2, 3, 4)


def resumed(clock: TrainingClock) -> TrainingClock:
    """The clock of a run that goes on from a checkpoint."""
    file = io.BytesIO()
    torch.save(clock.state_dict(), file)
    file.seek(0)
    other = TrainingClock(Device("cpu"))
    other.load_state_dict(torch.load(file, weights_only=True))
    return other


def of_steps(seconds: list[float], after_pause: tuple[int, ...] = (0,)) -> TrainingClock:
    """A clock that has counted steps, some of them the first ones after a pause."""
    clock = TrainingClock(Device("cpu"))
    clock.load_state_dict(
        {
            "seconds": sum(seconds),
            "step_seconds": torch.tensor(seconds, dtype=torch.float64),
            "after_pause": torch.tensor(after_pause, dtype=torch.int64),
        }
    )
    return clock


def test_a_resumed_clock_goes_on_with_what_was_charged():
    clock = of_steps([1.0] * 10)
    assert clock.seconds == 10.0
    clock.start()
    clock.lap()
    clock.pause()
    assert clock.seconds > 10.0
    assert len(clock.step_seconds) == 11


@pytest.mark.parametrize(("count", "warmup"), [(0, 0), (1, 0), (2, 1), (5, 1), (30, 6), (500, 10)])
def test_ten_steps_warm_up_and_a_fifth_of_a_short_run(count, warmup):
    timing = of_steps([1.0] * count).timing(batch_size=2)
    assert timing.warmup_steps == warmup
    assert len(timing.step_seconds) == count - warmup


def test_the_first_step_after_a_pause_is_charged_but_not_timed():
    clock = of_steps([float(number) for number in range(20)], after_pause=(0, 2, 7, 19))
    timing = clock.timing(batch_size=2)
    assert timing.step_seconds == (4, 5, 6, *range(8, 19))  # four steps warm up
    assert timing.warmup_steps + len(timing.step_seconds) == 20
    assert timing.train_seconds == sum(range(20))


def test_the_speeds_are_those_of_the_timed_steps():
    order = torch.randperm(101, generator=torch.Generator().manual_seed(0)).tolist()
    clock = of_steps([1000.0] * 10 + [1.0 + number for number in order])
    timing = clock.timing(batch_size=7)
    assert (timing.median, timing.p95) == (51, 96)  # of the numbers from 1 to 101
    assert timing.images_per_second == pytest.approx(7 / 51)


def test_where_no_step_was_timed_there_is_no_speed():
    timing = TrainingClock(Device("cpu")).timing(batch_size=7)
    assert (timing.images_per_second, timing.median, timing.p95) == (None, None, None)


def test_steps_after_pauses_are_timed_where_there_are_no_others():
    clock = of_steps([5.0, 6.0, 7.0], after_pause=(0, 1, 2))
    assert clock.timing(batch_size=1).step_seconds == (6.0, 7.0)


def test_each_start_is_a_pause_before_the_step_that_follows_also_after_resuming():
    clock = TrainingClock(Device("cpu"))
    for count in (20, 3):
        clock.start()
        steps(clock, count)
        clock.pause()
    clock.start()  # a run that is over does no step
    clock.pause()
    again = resumed(clock)
    again.start()
    steps(again, 2)
    again.pause()
    seconds = again.step_seconds
    timed = [seconds[number] for number in range(5, 25) if number not in (20, 23)]
    assert again.timing(batch_size=1).step_seconds == tuple(timed)


def test_pausing_twice_and_pausing_unstarted_change_nothing():
    clock = TrainingClock(Device("cpu"))
    clock.pause()
    clock.start()
    clock.pause()
    charged = clock.seconds
    clock.pause()
    assert clock.seconds == charged
    assert FakeEvent.recorded >= 0
