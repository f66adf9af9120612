"""A checkpoint: its checksum, and the name of its run."""

from __future__ import annotations

import os
import random

import pytest
import torch

from ganbench.errors import UsageError
from ganbench.experiment.checkpoint import read_checkpoint, write_checkpoint

CPU = torch.device("cpu")


def read(file, run_id="one"):
    return read_checkpoint(file, run_id, CPU, "remove it")


@pytest.fixture
def file(tmp_path):
    write_checkpoint(tmp_path / "checkpoint.pt", "one", {"weights": torch.arange(100.0)})
    return tmp_path / "checkpoint.pt"


def test_a_checkpoint_comes_back_and_nothing_lies_beside_it(file, tmp_path):
    assert torch.equal(read(file)["weights"], torch.arange(100.0))
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_that_of_another_run_is_refused(file):
    with pytest.raises(UsageError, match="is of run one, not of two: remove it"):
        read(file, "two")


def test_every_flipped_bit_of_a_sample_is_refused_in_one_line(file):
    whole, choice = file.read_bytes(), random.Random(0)
    for place in choice.sample(range(8 * len(whole)), 200):
        flipped = bytearray(whole)
        flipped[place // 8] ^= 1 << place % 8
        file.write_bytes(flipped)
        with pytest.raises(UsageError, match=r"checkpoint .* remove it") as caught:
            read(file)
        assert "\n" not in str(caught.value)


def test_one_of_an_earlier_version_is_read(tmp_path):
    torch.save({"weights": torch.ones(3)}, tmp_path / "old.pt")
    assert torch.equal(read(tmp_path / "old.pt")["weights"], torch.ones(3))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
@pytest.mark.parametrize("what", ["pipe", "device"])
def test_a_pipe_or_a_device_is_refused_and_not_waited_for(tmp_path, what):
    file = tmp_path / "checkpoint.pt"
    if what == "pipe":
        os.mkfifo(file)
    else:
        file.symlink_to("/dev/zero")
    with pytest.raises(UsageError, match="is no file: remove it"):
        read(file)
