"""Fusing BatchNorm: the same outputs from fewer layers."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ganbench.scoring.backbones.fuse import fuse_batchnorm


def trained_like(network: nn.Module) -> nn.Module:
    """Give each BatchNorm statistics and factors that do something."""
    generator = torch.Generator().manual_seed(3)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for values in (module.weight.data, module.running_var):
                values.uniform_(0.5, 2, generator=generator)
            for values in (module.bias.data, module.running_mean):
                values.normal_(0, 1, generator=generator)
    return network.eval()


class Branches(nn.Module):
    """Convolutions with and without a bias, one of which no BatchNorm follows."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4), nn.ReLU())
        self.left = nn.Sequential(nn.Conv2d(4, 4, 3, groups=4), nn.BatchNorm2d(4, eps=1e-3))
        self.right = nn.Sequential(nn.Conv2d(4, 4, 3), nn.ReLU(), nn.BatchNorm2d(4))

    def forward(self, images):
        return self.left(self.stem(images)) + self.right(self.stem(images))


def test_outputs_stay_the_same():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = trained_like(Branches())
        images = torch.randn(2, 3, 9, 9)
    before = network(images)
    after = fuse_batchnorm(network)(images)
    assert torch.allclose(after, before, rtol=1e-5, atol=1e-5)
    assert before.std() > 0.1


def test_only_what_follows_a_convolution_is_folded():
    network = fuse_batchnorm(trained_like(Branches()))
    assert isinstance(network.stem[1], nn.Identity)
    assert isinstance(network.left[1], nn.Identity)
    assert isinstance(network.right[2], nn.BatchNorm2d)


def test_weights_need_no_gradient_and_lie_channels_last():
    weights = fuse_batchnorm(trained_like(Branches())).stem[0].weight
    assert not weights.requires_grad
    assert weights.is_contiguous(memory_format=torch.channels_last)


def test_a_network_in_training_is_refused():
    with pytest.raises(AssertionError, match="eval"):
        fuse_batchnorm(Branches().train())
