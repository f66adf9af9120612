"""Choosing a device, and what is asked of it, with doubles for the vendors' modules."""

from __future__ import annotations

import psutil
import pytest
import torch
from doubles import FakeVendor

from ganbench.errors import UsageError
from ganbench.machine.device import Device, choose, is_out_of_memory
from ganbench.machine.memory import peak_host_memory_bytes

NONE = FakeVendor(0)
SOME = FakeVendor(2)


@pytest.mark.parametrize(
    ("cuda", "mps", "kind", "why"),
    [
        (SOME, FakeVendor(1), "cuda", "a CUDA device was found"),
        (NONE, FakeVendor(1), "mps", "no CUDA device was found"),
        (NONE, NONE, "cpu", "neither a CUDA nor an MPS device was found"),
    ],
)
def test_auto_takes_the_best_device_and_says_why(cuda, mps, kind, why):
    chosen = choose("auto", cuda=cuda, mps=mps)
    assert chosen.kind == kind
    assert why in chosen.reason


def test_a_card_is_chosen_by_its_number():
    chosen = choose("cuda:1", cuda=SOME, mps=NONE)
    assert chosen.torch == torch.device("cuda", 1)
    assert chosen.name == "Fake Card 1"


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "cpu:1", "", "mps:0"])
def test_an_unknown_device_is_refused_with_what_is_allowed(name):
    with pytest.raises(UsageError, match="allowed: auto, cuda, cuda:1, mps, cpu"):
        choose(name, cuda=SOME, mps=NONE)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cuda:2", "2 CUDA device.* were found; give one of auto, cuda:0, cuda:1, cpu"),
        ("mps", "no Apple GPU; give one of auto, cuda:0, cuda:1, cpu"),
    ],
)
def test_a_device_that_is_not_there_is_refused_with_what_is(name, message):
    with pytest.raises(UsageError, match=message):
        choose(name, cuda=SOME, mps=NONE)


def test_cuda_that_is_not_there_is_refused():
    with pytest.raises(UsageError, match="no CUDA device was found"):
        choose("cuda", cuda=NONE, mps=NONE)


def test_only_the_card_that_was_chosen_becomes_the_current_one():
    vendor = FakeVendor(2)
    choose("cuda:1", cuda=vendor, mps=NONE).activate()
    assert vendor.calls == ["set device 1"]
    for kind in ("mps", "cpu"):
        Device(kind, vendor=vendor).activate()
    assert vendor.calls == ["set device 1"]


@pytest.mark.parametrize("kind", ["cuda", "mps"])
def test_a_card_is_timed_by_its_own_events(kind):
    vendor = FakeVendor()
    device = Device(kind, vendor=vendor)
    first, second = device.event(), device.event()
    device.synchronize()
    assert first.elapsed_time(second) == 1.0
    assert vendor.calls == ["synchronize"]


def test_cuda_reports_its_own_peak_memory():
    vendor = FakeVendor()
    device = Device("cuda", vendor=vendor)
    device.reset_peak_memory()
    device.note_memory()
    assert device.peak_memory_bytes() == 12345
    assert vendor.calls == ["reset"]


def test_mps_remembers_the_highest_memory_that_was_noted():
    vendor = FakeVendor()
    device = Device("mps", vendor=vendor)
    device.reset_peak_memory()
    for allocated in (10, 300, 20):
        vendor.allocated = allocated
        device.note_memory()
    assert device.peak_memory_bytes() == 300


@pytest.mark.parametrize("kind", ["cuda", "mps"])
def test_the_random_state_of_a_card_is_stored_and_put_back(kind):
    vendor = FakeVendor()
    device = Device(kind, vendor=vendor)
    stored = device.rng_state()
    vendor.state = torch.zeros(3, dtype=torch.uint8)
    device.set_rng_state(stored)
    assert vendor.state.tolist() == [1, 2, 3]
    device.set_rng_state(None)
    assert vendor.state.tolist() == [1, 2, 3]


def test_the_cpu_has_no_random_state_of_its_own():
    assert Device("cpu").rng_state() is None


def test_free_memory_is_the_cards_own_or_the_machines():
    assert Device("cuda", 1, vendor=FakeVendor()).free_memory_bytes() == 701
    vendor = FakeVendor()
    vendor.allocated = 300
    assert Device("mps", vendor=vendor).free_memory_bytes() == 700
    assert 0 < Device("cpu").free_memory_bytes() <= psutil.virtual_memory().total


def test_a_buffer_is_pinned_for_cuda_alone(monkeypatch):
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda values: values.fill_(9))
    assert Device("cuda", vendor=FakeVendor()).host_buffer((2, 3)).tolist() == [[9] * 3] * 2
    monkeypatch.delattr(torch.Tensor, "pin_memory")
    for kind in ("mps", "cpu"):
        buffer = Device(kind, vendor=FakeVendor()).host_buffer((2, 3))
        assert (buffer.shape, buffer.dtype) == ((2, 3), torch.uint8)


@pytest.mark.parametrize(("kind", "waits"), [("cuda", False), ("mps", True), ("cpu", True)])
def test_only_cuda_is_sent_values_without_waiting(kind, waits, monkeypatch):
    sent = []
    monkeypatch.setattr(torch.Tensor, "to", lambda *_, **how: sent.append((_[1], how)))
    device = Device(kind, vendor=FakeVendor())
    device.upload(torch.zeros(2))
    assert sent == [(device.torch, {"non_blocking": not waits})]


def test_peak_host_memory_grows_with_what_is_held():
    Device("cpu").reset_peak_memory()
    before = peak_host_memory_bytes()
    held = torch.ones(64 * 2**20, dtype=torch.uint8)
    assert peak_host_memory_bytes() - before > 32 * 2**20
    assert held.sum() == 64 * 2**20


def test_the_cpu_waits_for_nothing():
    device = Device("cpu", reason="asked for")
    device.synchronize()
    first = device.event()
    second = device.event()
    second.synchronize()
    assert first.elapsed_time(second) >= 0
    assert device.name


def test_a_card_names_its_driver_and_the_libraries_of_its_vendor(monkeypatch, tmp_path):
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 550.54.15\necho 550.54.15\n", encoding="utf-8")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(torch.version, "cuda", "12.9")
    card = Device("cuda", 0, "", FakeVendor())
    assert card.driver == "550.54.15"
    assert card.libraries["cuda"] == "12.9"
    monkeypatch.setenv("PATH", "")
    assert card.driver is None


def test_a_processor_has_no_driver():
    assert (Device("cpu").driver, Device("cpu").libraries) == (None, {})


@pytest.mark.parametrize(("kind", "free"), [("cuda", 701), ("mps", 600)])
def test_a_card_says_how_much_memory_is_free(kind, free):
    vendor = FakeVendor()
    vendor.allocated = 400
    assert Device(kind, index=1, vendor=vendor).free_memory_bytes() == free


@pytest.mark.parametrize("kind", ["cuda", "mps"])
def test_a_card_gives_its_cache_back(kind):
    vendor = FakeVendor()
    Device(kind, vendor=vendor).release_memory()
    assert vendor.calls == ["empty cache"]


def test_the_cpu_takes_its_free_memory_from_the_host_and_gives_it_back():
    device = Device("cpu")
    assert 0 < device.free_memory_bytes() <= psutil.virtual_memory().total
    device.release_memory()


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        MemoryError(),
        RuntimeError("MPS backend out of memory (MPS allocated: 17.95 GB)"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    ],
)
def test_running_out_of_memory_is_recognised(error):
    assert is_out_of_memory(error)


def test_the_cpu_allocators_own_words_are_recognised():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert is_out_of_memory(caught.value)


@pytest.mark.parametrize(
    "error", [RuntimeError("shapes cannot be multiplied"), ValueError("out of memory")]
)
def test_other_errors_are_not_taken_for_it(error):
    assert not is_out_of_memory(error)


def test_what_is_captured_is_done_again_on_the_same_memory():
    device = Device("cuda", vendor=FakeVendor())
    source, total = torch.tensor([1.0, 2.0]), torch.zeros(2)
    replay = device.capture(lambda: total.add_(source * 10))
    before = total.clone()
    source.copy_(torch.tensor([5.0, 7.0]))
    replay()
    assert torch.equal(total - before, torch.tensor([50.0, 70.0]))


@pytest.mark.parametrize(("kind", "precision"), [("cuda", "high"), ("mps", "highest")])
def test_products_are_rounded_in_training_on_cuda(kind, precision):
    device = Device(kind, vendor=FakeVendor())
    with device.training():
        assert torch.get_float32_matmul_precision() == precision
    assert torch.get_float32_matmul_precision() == "highest"
    assert device.trains_in_tf32 == (kind == "cuda")
