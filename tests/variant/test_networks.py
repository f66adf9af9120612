from __future__ import annotations

import pytest
import torch
from torch import nn

from ganbench import DatasetSpec, Recipe, UsageError, networks

GREY = DatasetSpec("grey", 1, 28, ("a", "b"), 100, 10)
COLOUR = DatasetSpec("colour", 3, 32, ("a", "b"), 100, 10)


def small(**values):
    return Recipe(generator_width=4, discriminator_width=4, **values)


@pytest.mark.parametrize(("size", "blocks"), [(32, 3), (64, 4), (128, 5), (256, 6)])
def test_the_image_is_halved_until_four_pixels_are_left(size, blocks):
    assert networks.convolutional_blocks(size) == blocks
    assert size // 2**blocks == 4


@pytest.mark.parametrize("size", [12, 28, 31, 33, 48, 96])
def test_a_size_that_does_not_fit_is_refused_with_one_that_does(size):
    with pytest.raises(UsageError, match=rf"image_size={size} .* --set image_size=64"):
        networks.dcgan_generator(small(image_size=size), GREY)
    with pytest.raises(UsageError, match=f"image_size={size}"):
        networks.dcgan_discriminator(small(image_size=size), GREY)


@pytest.mark.parametrize("spec", [GREY, COLOUR])
@pytest.mark.parametrize("size", [32, 64, 128])
def test_a_generator_draws_and_a_discriminator_judges_any_size(spec, size):
    recipe = small(image_size=size, latent_dim=7)
    images = networks.dcgan_generator(recipe, spec)(torch.randn(2, 7)).detach()
    assert images.shape == (2, spec.channels, size, size)
    assert float(images.abs().max()) <= 1
    assert networks.dcgan_discriminator(recipe, spec)(images).shape == (2, 1)


@pytest.mark.parametrize(
    ("size", "widths"), [(32, [16, 8, 4]), (64, [32, 16, 8, 4]), (128, [64, 32, 16, 8, 4])]
)
def test_each_doubling_of_the_size_adds_a_block_at_the_narrow_end(size, widths):
    recipe = small(image_size=size)
    generator = networks.dcgan_generator(recipe, COLOUR)
    discriminator = networks.dcgan_discriminator(recipe, COLOUR)
    up = [layer.out_channels for layer in generator if isinstance(layer, nn.ConvTranspose2d)]
    down = [layer.out_channels for layer in discriminator if isinstance(layer, nn.Conv2d)]
    assert up == [*widths, 3]
    assert down == [*reversed(widths), 1]


def test_the_condition_makes_the_latent_longer():
    recipe = small(image_size=32, latent_dim=7)
    generator = networks.dcgan_generator(recipe, GREY, condition_size=5).eval()
    joined = networks.ConditionalGenerator(generator)
    latent, condition = torch.randn(2, 7), torch.randn(2, 5)
    expected = generator(torch.cat([latent, condition], 1))
    assert torch.equal(joined(latent, condition), expected)


def test_the_projection_adds_the_inner_product_of_features_and_condition():
    torch.manual_seed(0)
    features, wide = networks.dcgan_features(small(image_size=32), GREY)
    network = networks.ProjectionDiscriminator(features.eval(), wide, condition_size=3)
    images, condition = torch.randn(2, 1, 32, 32), torch.randn(2, 3)
    maps = features(images).detach().double().numpy()
    weight = network.projection.weight.detach().double().numpy()
    head = network.head.weight.detach().double().numpy()[0]
    for index, logit in enumerate(network(images, condition)):
        mean = maps[index].reshape(wide, 16).mean(axis=1)
        expected = (head * maps[index]).sum() + mean @ weight @ condition[index].double().numpy()
        assert float(logit.detach()) == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_the_condition_changes_what_the_projection_discriminator_says():
    features, wide = networks.dcgan_features(small(image_size=32), GREY)
    network = networks.ProjectionDiscriminator(features.eval(), wide, condition_size=3)
    images = torch.randn(2, 1, 32, 32)
    plain, steered = network(images, torch.zeros(2, 3)), network(images, torch.ones(2, 3))
    assert plain.shape == steered.shape == (2, 1)
    assert not torch.allclose(plain, steered)


def test_dcgan_weights_are_drawn_from_narrow_normal_distributions():
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(16, 64, 4), nn.BatchNorm2d(4096), nn.ConvTranspose2d(64, 16, 4),
        nn.Linear(128, 128),
    )  # fmt: skip
    assert networks.initialise_dcgan(network) is network
    for layer, mean in zip(network, (0, 1, 0, 0), strict=True):
        count = layer.weight.numel()
        assert float(layer.weight.detach().std()) == pytest.approx(0.02, rel=5 / (2 * count) ** 0.5)
        assert float(layer.weight.detach().mean()) == pytest.approx(mean, abs=5 * 0.02 / count**0.5)
        assert not layer.bias.any()
