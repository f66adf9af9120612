"""The classifier's network: its maps, its normalisation and its hash."""

from __future__ import annotations

import pytest
import torch

from ganbench.data.dataset import Split
from ganbench.scoring.backbones.classifier_network import ClassifierNetwork, exact, weights_hash
from ganbench.scoring.backbones.classifier_plan import channel_statistics


def test_larger_images_cost_no_more_maps():
    network = ClassifierNetwork(3, 64, 10)
    stem = network.body[0]
    assert stem(torch.zeros(1, 3, 64, 64)).shape[2:] == (16, 16)
    assert (
        stem(torch.zeros(1, 3, 64, 64)).shape
        == ClassifierNetwork(3, 32, 10).body[0](torch.zeros(1, 3, 32, 32)).shape
    )


def test_statistics_are_those_of_each_channel():
    images = torch.randint(256, (700, 3, 8, 8), dtype=torch.uint8)
    images[:, 1] //= 2
    means, deviations = channel_statistics(Split(images, torch.zeros(700)))
    pixels = images.double().transpose(0, 1).flatten(1)
    assert means == pytest.approx(pixels.mean(dim=1).tolist(), rel=1e-12)
    assert deviations == pytest.approx(pixels.std(dim=1, correction=0).tolist(), rel=1e-9)


def test_flat_images_are_not_divided_by_zero():
    flat = Split(torch.full((4, 1, 8, 8), 9, dtype=torch.uint8), torch.zeros(4))
    assert channel_statistics(flat) == ((9.0,), (1.0,))


def test_the_hash_sees_one_weight():
    network = ClassifierNetwork(1, 8, 2)
    before = weights_hash(network)
    with torch.no_grad():
        network.head.bias[0] += 1e-6
    assert weights_hash(network) != before


def test_exact_convolutions_end_with_their_context():
    cudnn = torch.backends.cudnn
    before = (cudnn.enabled, cudnn.benchmark, cudnn.deterministic, cudnn.allow_tf32)
    with exact():
        assert (cudnn.deterministic, cudnn.allow_tf32) == (True, False)
    assert (cudnn.enabled, cudnn.benchmark, cudnn.deterministic, cudnn.allow_tf32) == before
