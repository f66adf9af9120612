"""The classifier's network: its maps, its normalisation and its hash."""

from __future__ import annotations

import torch

from ganbench.scoring.backbones.classifier import ClassifierNetwork, exact, weights_hash


def test_larger_images_cost_no_more_maps():
    network = ClassifierNetwork(3, 64, 10)
    stem = network.body[0]
    assert stem(torch.zeros(1, 3, 64, 64)).shape[2:] == (16, 16)
    assert (
        stem(torch.zeros(1, 3, 64, 64)).shape
        == ClassifierNetwork(3, 32, 10).body[0](torch.zeros(1, 3, 32, 32)).shape
    )


def test_images_are_normalised_channel_by_channel():
    images = torch.randint(256, (700, 3, 8, 8), dtype=torch.uint8)
    images[:, 1] //= 2
    network = ClassifierNetwork(3, 8, 2)
    network.normalise_like(images)
    assert torch.allclose(network.mean.flatten(), images.float().mean((0, 2, 3)), atol=1e-3)
    expected = images.float().transpose(0, 1).flatten(1).std(dim=1, correction=0)
    assert torch.allclose(network.deviation.flatten(), expected, atol=1e-3)


def test_flat_images_are_not_divided_by_zero():
    network = ClassifierNetwork(1, 8, 2)
    network.normalise_like(torch.full((4, 1, 8, 8), 9, dtype=torch.uint8))
    assert network.deviation.item() == 1.0


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
