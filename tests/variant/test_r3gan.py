"""R3GAN's own parts."""

from __future__ import annotations

import pytest
import torch
from ganbench.variants import r3gan
from torch import nn
from torch.nn.functional import conv2d

from ganbench import DatasetSpec, UsageError, networks

COLOUR = DatasetSpec("colour", 3, 32, ("a", "b"), 100, 10)
POINTS = DatasetSpec("plane", 2, 1, ("a", "b"), 100, 10, kind="points")
SMALL = {"generator_width": 8, "discriminator_width": 8, "latent_dim": 5}


def shapes(network: nn.Module) -> list[torch.Size]:
    return [parameter.shape for parameter in network.parameters()]


@pytest.mark.parametrize("network", ["mlp", "dcgan", "cnn", "resnet"])
def test_its_loss_trains_the_network_that_the_recipe_names(network):
    recipe = r3gan.VARIANT.recipe.override({"network": network, **SMALL})
    for build in ("generator", "discriminator"):
        found, shared = getattr(r3gan, build)(recipe, COLOUR), getattr(networks, build)
        assert shapes(found) == shapes(shared(recipe, COLOUR))
        assert not any(isinstance(part, r3gan.Block) for part in found.modules())


def test_its_own_network_refuses_what_it_cannot_be():
    own = r3gan.VARIANT.recipe.override(SMALL)
    assert any(isinstance(part, r3gan.Block) for part in r3gan.generator(own, COLOUR).modules())
    with pytest.raises(UsageError, match="d_norm=spectral does not fit R3GAN's network"):
        r3gan.discriminator(own.override({"d_norm": "spectral"}), COLOUR)
    with pytest.raises(UsageError, match="network=r3gan is for images"):
        r3gan.generator(own, POINTS)


def test_weights_without_groups_give_the_grouped_convolution_and_its_second_derivative():
    drawn = torch.Generator().manual_seed(0)
    maps = torch.randn(3, 12, 5, 5, generator=drawn, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(12, 4, 3, 3, generator=drawn, dtype=torch.float64, requires_grad=True)

    def penalised(kernel, groups):
        made = conv2d(maps, kernel, padding=1, groups=groups)
        (slope,) = torch.autograd.grad(made.pow(3).sum(), maps, create_graph=True)
        (second,) = torch.autograd.grad(slope.square().sum(), weight)
        return made, slope, second

    for plain, filled in zip(
        penalised(weight, 3), penalised(r3gan.without_groups(weight, 3), 1), strict=True
    ):
        torch.testing.assert_close(filled, plain)
