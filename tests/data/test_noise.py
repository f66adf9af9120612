"""Noise in the shape of a dataset."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from doubles import tiny_spec

from ganbench.data.noise import noise, noise_count, noise_dataset


def test_noise_is_the_same_each_time_and_spread_over_all_bytes():
    split = noise(64, 3, 16)
    assert torch.equal(split.images, noise(64, 3, 16).images)
    assert split.images.dtype == torch.uint8
    assert split.images.shape == (64, 3, 16, 16)
    assert split.images.is_contiguous(memory_format=torch.channels_last)
    assert abs(split.images.double().mean() - 127.5) < 2
    assert split.images.unique().numel() == 256


def test_noise_has_the_datasets_classes_and_the_networks_size():
    spec = tiny_spec(channels=3, classes=4, count=40)
    made = noise_dataset(spec, 64)
    assert made.train.images.shape == (40, 3, 64, 64)
    assert torch.bincount(made.train.labels).tolist() == [10, 10, 10, 10]
    assert made.spec.train_count == 40


def test_a_large_dataset_stands_in_with_fewer_images():
    spec = dataclasses.replace(tiny_spec(channels=3), train_count=10**9)
    assert noise_count(spec, 64) * 3 * 64 * 64 <= 2**27 < (noise_count(spec, 64) + 1) * 3 * 64 * 64
    assert noise_count(spec, 100_000) == 1


def test_noise_in_the_shape_of_points_has_their_dimensions_and_is_not_bounded():
    spec = dataclasses.replace(tiny_spec(count=400), kind="points", channels=3)
    made = noise_dataset(spec, 64).train
    assert made.images.shape == (400, 3)
    assert made.images.dtype == torch.float32
    assert float(made.images.std()) == pytest.approx(1, abs=0.1)
    assert float(made.images.abs().max()) > 1
    assert torch.bincount(made.labels).tolist() == [100, 100, 100, 100]
