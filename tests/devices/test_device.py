"""What a real device says of itself, and its clock."""

from __future__ import annotations

import time

import pytest
import torch

from ganbench.errors import UsageError
from ganbench.machine import environment
from ganbench.machine.device import choose, is_out_of_memory
from ganbench.training.clock import TrainingClock

pytestmark = pytest.mark.device


def test_the_device_says_what_it_is(device):
    assert device.name.strip()
    described = environment.describe(device)
    assert described["device_name"] == device.name
    assert device.free_memory_bytes() > 0


def test_a_card_says_its_driver_and_libraries(card):
    assert card.driver[0].isdigit()
    assert set(card.libraries) == {"cuda", "cudnn"}
    assert torch.cuda.current_device() == card.index


def test_a_card_that_is_not_there_is_refused(card):
    count = torch.cuda.device_count()
    with pytest.raises(UsageError, match=rf"{count} CUDA device\(s\) were found.*cuda:0"):
        choose(f"cuda:{count}")


def test_a_second_card_can_be_chosen(card):
    if torch.cuda.device_count() < 2:
        pytest.skip("needs two CUDA devices")
    second = choose("cuda:1")
    second.activate()
    try:
        here = torch.ones(4, device=second.torch)
        assert here.device.index == 1
        assert torch.cuda.current_device() == 1
    finally:
        card.activate()


def test_the_clock_waits_for_the_device(card):
    """Products that are issued in microseconds and take far longer are charged in full."""
    left = torch.randn(4096, 4096, device=card.torch)

    def work(count: int) -> None:
        for _ in range(count):
            torch.mm(left, left)

    work(3)
    card.synchronize()
    begun = time.perf_counter()
    work(50)
    issued = time.perf_counter() - begun
    card.synchronize()
    waited = time.perf_counter() - begun
    clock = TrainingClock(card)
    clock.start()
    work(50)
    clock.lap()
    clock.pause()
    assert clock.seconds == pytest.approx(waited, rel=0.5)
    assert issued < waited / 2


def test_events_measure_the_device_and_not_the_host(card):
    left = torch.randn(4096, 4096, device=card.torch)
    first = card.event()
    for _ in range(20):
        torch.mm(left, left)
    last = card.event()
    last.synchronize()
    milliseconds = first.elapsed_time(last)
    flops = 20 * 2 * 4096**3 / (milliseconds / 1000)
    assert 1e11 < flops < 2e15


def test_the_highest_memory_counts_what_was_freed(card):
    card.release_memory()
    card.reset_peak_memory()
    before = card.peak_memory_bytes()
    block = torch.empty(1 << 26, dtype=torch.uint8, device=card.torch)
    del block
    assert card.peak_memory_bytes() - before == pytest.approx(1 << 26, rel=0.01)
    assert card.used_memory_bytes() < card.peak_memory_bytes()


def test_too_much_memory_is_recognised(card):
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 50, dtype=torch.uint8, device=card.torch)
    assert is_out_of_memory(caught.value)


def test_random_numbers_are_put_back(device):
    if device.kind == "cpu":
        pytest.skip("the CPU has no generator of its own")
    state = device.rng_state()
    one = torch.randn(5, device=device.torch)
    device.set_rng_state(state)
    assert torch.equal(torch.randn(5, device=device.torch), one)


def test_products_are_rounded_in_training_alone(card):
    left = torch.randn(1024, 1024, device=card.torch)
    exact = (left.double() @ left.double()).float()
    plain = float((left @ left - exact).abs().max())
    with card.training():
        rounded = float((left @ left - exact).abs().max())
    assert plain < 1e-3 < rounded < 1


def test_convolutions_are_rounded_in_training_alone(card):
    images = torch.randn(8, 64, 32, 32, device=card.torch)
    weight = torch.randn(64, 64, 3, 3, device=card.torch)
    exact = torch.nn.functional.conv2d(images.double(), weight.double()).float()
    plain = float((torch.nn.functional.conv2d(images, weight) - exact).abs().max())
    with card.training():
        rounded = float((torch.nn.functional.conv2d(images, weight) - exact).abs().max())
    assert plain < 2e-3 < rounded < 1


def test_a_host_buffer_is_copied_by_the_card_itself(card):
    buffer = card.host_buffer((16, 3, 8, 8))
    assert buffer.is_pinned()
    buffer.random_(0, 256)
    there = card.upload(buffer)
    card.synchronize()
    assert torch.equal(there.cpu(), buffer)
