"""Real images for each step: the same ones whether they are on the device or streamed to it."""

from __future__ import annotations

import io
import threading

import numpy as np
import pytest
import torch
from doubles import LateCard, tiny_spec, tiny_split, train_to_end

from ganbench.data.dataset import Split
from ganbench.machine.device import Device, choose
from ganbench.training.batches import DataOrder, Placement, Resident, Streamed, place
from ganbench.training.session import Session
from ganbench.training.state import TrainState
from ganbench.variant.budget import Budget
from ganbench.variant.registry import resolve

CPU = torch.device("cpu")
SPEC = tiny_spec(count=40)


@pytest.fixture(params=[1, 5 * 8 * 32 * 32, 1 << 22], ids=["batch", "five", "many"])
def block_bytes(request):
    """Blocks of one batch, of five batches, and of as many as there may be."""
    return request.param


def expected(start: int, size: int) -> tuple[torch.Tensor, torch.Tensor]:
    split = tiny_split(SPEC)
    chosen = DataOrder(40, 3, CPU).indices(start, size)
    return split.images[chosen], split.labels[chosen]


def test_batches_follow_the_order_across_blocks_and_epochs(block_bytes):
    split = tiny_split(SPEC)
    for one in (
        Resident(split, 3, labelled=True),
        Streamed(split, 3, choose("cpu"), labelled=True, block_bytes=block_bytes),
    ):
        for start in range(0, 400, 8):
            images, labels = one.take(start, 8)
            wanted = expected(start, 8)
            assert torch.equal(images, wanted[0])
            assert torch.equal(labels, wanted[1])
            assert images.is_contiguous(memory_format=torch.channels_last)


def test_a_stream_may_jump_and_change_its_batch(block_bytes):
    one = Streamed(tiny_split(SPEC), 3, choose("cpu"), block_bytes=block_bytes)
    for start, size in [(0, 8), (8, 8), (16, 4), (80, 4), (84, 4), (0, 8), (0, 90), (90, 90)]:
        images, labels = one.take(start, size)
        assert torch.equal(images, expected(start, size)[0])
        assert labels is None


def test_a_buffer_is_not_filled_again_before_the_device_has_copied_it(block_bytes):
    card = LateCard()
    one = Streamed(tiny_split(SPEC), 3, card, labelled=True, block_bytes=block_bytes)
    taken = [one.take(start, 8) for start in range(0, 8 * 200, 8)]
    card.synchronize()
    for number, (images, labels) in enumerate(taken):
        assert torch.equal(images, expected(8 * number, 8)[0])
        assert torch.equal(labels, expected(8 * number, 8)[1])


def test_the_next_blocks_are_read_while_a_batch_is_in_use():
    read, enough = [], threading.Event()

    def note(pixels, chosen, buffer, _copied):
        buffer.copy_(torch.from_numpy(pixels[chosen]))
        read.append(chosen.tolist())
        if len(read) == 5:
            enough.set()

    one = Streamed(tiny_split(SPEC), 3, choose("cpu"), block_bytes=1, read=note)
    one.take(0, 8)
    assert enough.wait(10)
    order = DataOrder(40, 3, CPU)
    ahead = [order.indices(start, 8).tolist() for start in range(0, 40, 8)]
    assert sorted(read) == sorted(ahead)  # threads end in any order


def test_an_error_while_reading_reaches_the_training():
    def broken(*_):
        raise OSError("the disk is gone")

    one = Streamed(tiny_split(SPEC), 3, choose("cpu"), read=broken)
    with pytest.raises(OSError, match="the disk is gone"):
        one.take(0, 8)


def test_the_first_images_are_those_of_the_first_epoch():
    split = tiny_split(SPEC)
    for one in (Resident(split, 3), Streamed(split, 3, choose("cpu"))):
        one.take(400, 8)
        assert torch.equal(one.first(5), expected(0, 5)[0])
        assert len(one.first(500)) == 40


def test_images_are_streamed_when_they_take_more_than_half_of_what_is_free(monkeypatch):
    monkeypatch.setattr(Device, "free_memory_bytes", lambda _: 2_000_000_000)
    card = Device("cuda")
    fits, too_many = (
        torch.empty(10**9 + more, dtype=torch.uint8, device="meta") for more in (0, 1)
    )
    assert place(fits, card) == Placement(
        streamed=False, reason="resident on cuda: 1.00 GB, with 2.0 GB free"
    )
    assert place(too_many, card).streamed


def session(name: str, *, streamed: bool, split: Split | None = None) -> Session:
    (found,) = resolve([name])
    changes = {"generator_width": 4, "discriminator_width": 4, "image_size": 32, "batch_size": 8}
    recipe = found.variant.recipe.override({**changes, "d_steps": 2})
    state = TrainState.create(found.variant, recipe, SPEC, CPU, 0)
    train_split = split or tiny_split(SPEC)
    return Session(state, train_split, SPEC, choose("cpu"), 0, streamed=streamed)


def assert_same_weights(one: Session, other: Session) -> None:
    for network in ("generator", "discriminator"):
        expected = getattr(one.state, network).state_dict()
        found = getattr(other.state, network).state_dict()
        assert all(torch.equal(expected[key], found[key]) for key in expected)


@pytest.mark.parametrize("name", ["mlp", "dcgan", "texthash"])
def test_a_streamed_run_ends_with_the_very_weights_of_a_resident_one_resumed_or_not(name, tmp_path):
    np.save(tmp_path / "images.npy", tiny_split(SPEC).images.permute(0, 2, 3, 1).numpy())
    mapped = torch.from_numpy(np.load(tmp_path / "images.npy", mmap_mode="c")).permute(0, 3, 1, 2)
    split = Split(mapped, tiny_split(SPEC).labels)
    resident = session(name, streamed=False)
    train_to_end(resident, Budget(9, "steps"))

    whole = session(name, streamed=True, split=split)
    train_to_end(whole, Budget(9, "steps"))
    assert_same_weights(whole, resident)

    first = session(name, streamed=True, split=split)
    train_to_end(first, Budget(4, "steps"))
    file = io.BytesIO()
    torch.save(first.checkpoint(), file)
    file.seek(0)
    second = session(name, streamed=True, split=split)
    second.restore(torch.load(file, weights_only=True))
    train_to_end(second, Budget(9, "steps"))
    assert_same_weights(second, resident)
