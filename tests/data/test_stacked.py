"""Digits stacked as red, green and blue."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from ganbench import data
from ganbench.data.catalogue import SPECS
from ganbench.data.dataset import Dataset, Split
from ganbench.data.stacked import stack, triples
from ganbench.scoring.backbones.classifier import PUBLISHED

SPEC = dataclasses.replace(SPECS["stacked-digits"], train_count=500, test_count=300)


@pytest.fixture(scope="module")
def telling():
    """Digits whose pixels say what they are: ten times the class, and 100 more if held out."""
    labels = torch.arange(40) % 10
    images = (10 * labels).view(-1, 1, 1, 1).expand(-1, 1, 8, 8).to(torch.uint8)
    splits = Split(images, labels), Split(images + 100, labels)
    return Dataset.of(SPECS["digits"], *splits)


def test_the_class_is_the_number_that_red_green_and_blue_spell(telling, tmp_path):
    stacked = stack(SPEC, telling, tmp_path)
    assert stacked.train.images.shape == (500, 3, 8, 8)
    assert not any(tmp_path.iterdir())
    for pixels, label in zip(stacked.train.images[:, :, 0, 0], stacked.train.labels, strict=True):
        assert "".join(str(int(value) // 10) for value in pixels) == SPEC.class_names[int(label)]


def test_held_out_triples_are_of_held_out_digits(telling, tmp_path):
    stacked = stack(SPEC, telling, tmp_path)
    assert int(stacked.train.images.max()) < 100 <= int(stacked.test.images.min())
    assert len(stacked.test) == 300


def test_a_large_split_is_stacked_once_into_a_file_that_is_mapped(telling, tmp_path):
    memory = stack(SPEC, telling, tmp_path)
    reports = []
    # of 500 and 300 triples, only the first are large
    mapped = stack(
        SPEC, telling, tmp_path, lambda *said: reports.append(said), mapped_from_bytes=80_000
    )
    assert mapped.train.file is not None
    assert mapped.test.file is None
    assert mapped.fingerprint == memory.fingerprint
    assert reports == [("stacking stacked-digits", 500, 500)]
    again = stack(
        SPEC, telling, tmp_path, lambda *said: reports.append(said), mapped_from_bytes=80_000
    )
    assert torch.equal(again.train.images, memory.train.images)
    assert len(reports) == 1


def test_a_damaged_file_is_written_again(telling, tmp_path):
    fingerprint = stack(SPEC, telling, tmp_path, mapped_from_bytes=80_000).fingerprint
    (file,) = (tmp_path / "stacked").iterdir()
    file.write_bytes(file.read_bytes()[:-100])
    assert stack(SPEC, telling, tmp_path, mapped_from_bytes=80_000).fingerprint == fingerprint


def test_the_embedded_triples_have_every_mode_and_are_the_same_on_every_machine(cache_root):
    stacked = data.load(
        "stacked-digits", data_root=cache_root, cache_root=cache_root, image_size=16
    )
    assert stacked.fingerprint == "994d9f7b2bf5eeaa"
    for split, count in ((stacked.train, 32_000), (stacked.test, 26_000)):
        assert len(split) == count
        assert len(np.unique(split.labels)) == 1000


def test_triples_are_drawn_evenly_and_independently():
    drawn = triples(10, 30_000, seed=3)
    assert drawn.shape == (30_000, 3)
    joint = torch.bincount(drawn @ torch.tensor([100, 10, 1]), minlength=1000).double()
    # the sum of squared deviations of 1,000 equally likely cells: 999 on average, 45 off
    assert abs(float(((joint - 30) ** 2 / 30).sum()) - 999) < 4 * 45


def test_the_package_has_the_classifiers_of_the_digits_that_are_stacked():
    for name in ("digits", "mnist"):
        assert len(list(PUBLISHED.glob(f"{name}-*.npz"))) == 1
