"""Training images at the size of a run: made once, and in a file where they are large."""

from __future__ import annotations

import errno
import mmap
import os

import pytest
import torch
from doubles import tiny_spec, tiny_split
from file_stamps import file_stamps

from ganbench.data.dataset import Dataset, Split, ignore_progress
from ganbench.data.resized import training_split
from ganbench.data.sizes import bring_to
from ganbench.errors import DataError


@pytest.fixture
def dataset():
    spec = tiny_spec(channels=3)
    split = tiny_split(spec)
    return Dataset.of(spec, split, Split(split.images[:8], split.labels[:8]))


def large_split(dataset, size, root, report=ignore_progress):
    """From one byte on, images are large; seven of them make a block."""
    return training_split(
        dataset, size, root, report, mapped_from_bytes=1, block_bytes=7 * 3 * 48 * 48
    )


def files(root):
    return [path for path in (root / "resized").rglob("*") if path.is_file()]


def test_small_images_are_resized_in_memory(dataset, tmp_path):
    images = training_split(dataset, 48, tmp_path).images
    assert torch.equal(images, bring_to(dataset.train.images, 48))
    assert list(tmp_path.iterdir()) == []


def test_large_images_are_the_same_from_a_file(dataset, tmp_path):
    reports = []
    images = large_split(dataset, 48, tmp_path, lambda *report: reports.append(report)).images
    assert torch.equal(images, bring_to(dataset.train.images, 48))
    assert images.is_contiguous(memory_format=torch.channels_last)
    assert len(files(tmp_path)) == 1
    assert reports[0] == ("resizing tiny to 48×48", 7, 40)
    assert reports[-1] == ("resizing tiny to 48×48", 40, 40)


def test_they_are_made_once_per_size(dataset, tmp_path):
    first = large_split(dataset, 48, tmp_path).images
    large_split(dataset, 16, tmp_path)
    assert len(files(tmp_path)) == 2
    before, reports = file_stamps(tmp_path), []
    again = large_split(dataset, 48, tmp_path, lambda *report: reports.append(report)).images
    assert torch.equal(again, first)
    assert reports == []
    assert file_stamps(tmp_path) == before


def test_images_of_the_right_size_are_the_stored_ones(dataset, tmp_path):
    assert large_split(dataset, 32, tmp_path) is dataset.train
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_is_made_again(dataset, tmp_path):
    first = large_split(dataset, 48, tmp_path).images.clone()
    (file,) = files(tmp_path)
    file.write_bytes(file.read_bytes()[:300])
    assert torch.equal(large_split(dataset, 48, tmp_path).images, first)


def test_a_disk_that_is_too_full_is_reported_before_anything_is_resized(
    dataset, tmp_path, monkeypatch
):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    reports = []
    with pytest.raises(DataError, match=r"cannot be written \(No space left on device\).*GANBENCH"):
        large_split(dataset, 48, tmp_path, lambda *report: reports.append(report))
    assert reports == []
    assert files(tmp_path) == []


@pytest.mark.skipif(not hasattr(mmap, "MADV_DONTNEED"), reason="the system cannot take it back")
def test_released_mapped_images_are_read_again(dataset, tmp_path):
    split = large_split(dataset, 48, tmp_path)
    original = split.images.clone()
    split.images[:] = 0  # is in this process's memory alone
    split.release()
    assert torch.equal(split.images, original)


def test_releasing_images_in_memory_changes_nothing(dataset):
    original = dataset.train.images.clone()
    dataset.train.release()
    assert torch.equal(dataset.train.images, original)
