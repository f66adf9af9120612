"""Networks by name: each kind fits each size, and is normalised as the recipe says."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ganbench import DatasetSpec, NetworkRecipe, networks

COLOUR = DatasetSpec("colour", 3, 32, ("a", "b"), 100, 10)
KINDS = ("mlp", "dcgan", "cnn", "resnet")
NORMS = ("batch", "spectral", "layer", "none")


def recipe(**numbers):
    return NetworkRecipe(
        **{"generator_width": 4, "discriminator_width": 4, "image_size": 32, "latent_dim": 7}
        | numbers
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [8, 16, 32, 64])
def test_each_kind_draws_and_discriminates_images_of_each_size(kind, size):
    numbers = recipe(network=kind, image_size=size)
    images = networks.generator(numbers, COLOUR)(torch.randn(2, 7)).detach()
    assert images.shape == (2, 3, size, size)
    assert float(images.abs().max()) <= 1
    assert networks.discriminator(numbers, COLOUR)(images).shape == (2, 1)
    assert networks.encoder(numbers, COLOUR)(images).shape == (2, 7)
    body, entries = networks.features(numbers, COLOUR)
    assert body(images).shape == (2, entries)
    assert networks.PairDiscriminator(numbers, COLOUR)(images, torch.randn(2, 7)).shape == (2, 1)
    labelled = networks.LabelGenerator(numbers, COLOUR, 5)
    assert labelled(torch.randn(2, 7), torch.tensor([0, 1])).shape == images.shape


def kinds_of_norms(network):
    found = {type(module) for module in network.modules()}
    spectral = any(hasattr(module, "parametrizations") for module in network.modules())
    return (
        bool(found & {nn.BatchNorm1d, nn.BatchNorm2d}),
        bool(found & {nn.GroupNorm, nn.LayerNorm}),
        spectral,
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("norm", NORMS)
def test_a_discriminator_is_normalised_as_the_recipe_says(kind, norm):
    network = networks.discriminator(recipe(network=kind, d_norm=norm), COLOUR)
    assert kinds_of_norms(network) == (norm == "batch", norm == "layer", norm == "spectral")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("norm", ["layer", "none"])
def test_without_batchnorm_an_image_is_seen_alone(kind, norm):
    """A penalty of each image needs that: its logit does not depend on the others'."""
    network = networks.discriminator(recipe(network=kind, d_norm=norm), COLOUR)
    images = torch.rand(4, 3, 32, 32) * 2 - 1
    assert torch.allclose(network(images)[:1], network(images[:1]), atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_spectral_norm_holds_the_largest_singular_value_of_each_layer_at_one(kind):
    network = networks.discriminator(recipe(network=kind, d_norm="spectral"), COLOUR).train()
    for _ in range(30):  # one power iteration each
        network(torch.zeros(2, 3, 32, 32))
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            values = torch.linalg.svdvals(module.weight.detach().flatten(1))
            assert float(values[0]) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("kind", KINDS)
def test_a_spectral_norm_holds_every_weight_of_a_discriminator_of_pairs(kind):
    network = networks.PairDiscriminator(recipe(network=kind, d_norm="spectral"), COLOUR)
    free = [
        name
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear) and not hasattr(module, "parametrizations")
    ]
    assert free == []


def test_a_label_changes_the_images_of_a_residual_generator_by_its_batchnorm():
    generator = networks.ResNetGenerator(recipe(), COLOUR, classes=2)
    latents = torch.randn(1, 7).repeat(4, 1)
    with torch.no_grad():
        for part in generator.modules():
            if isinstance(part, networks.ConditionalBatchNorm):
                part.shift.weight[1] += 1.0
    one, other = generator(latents, torch.tensor([0, 0, 1, 1])).chunk(2)
    assert torch.allclose(one[0], one[1], atol=1e-5)
    assert not torch.allclose(one[0], other[0], atol=1e-2)


def test_conditional_batchnorm_is_batchnorm_with_the_classes_own_scale_and_shift():
    maps, labels = torch.randn(6, 5, 4, 4), torch.tensor([0, 1, 2, 0, 1, 2])
    layer = networks.ConditionalBatchNorm(5, 3)
    with torch.no_grad():
        layer.scale.weight.copy_(torch.randn(3, 5))
        layer.shift.weight.copy_(torch.randn(3, 5))
    plain = nn.BatchNorm2d(5, affine=False)(maps)
    expected = torch.stack(
        [
            plain[row] * layer.scale.weight[label][:, None, None]
            + layer.shift.weight[label][:, None, None]
            for row, label in enumerate(labels)
        ]
    )
    assert torch.allclose(layer(maps, labels), expected, atol=1e-5)


def layers_of(network):
    return [part for part in network.modules() if isinstance(part, nn.Conv2d | nn.Linear)]


def drawn(layer):
    """The weight that was drawn, before a spectral norm scales it."""
    if hasattr(layer, "parametrizations"):
        return layer.parametrizations.weight.original.detach()
    return layer.weight.detach()


@pytest.mark.parametrize("norm", NORMS)
def test_each_layer_of_sngans_discriminator_begins_narrow_and_without_a_bias(norm):
    torch.manual_seed(0)
    numbers = recipe(network="cnn", d_norm=norm, discriminator_width=32)
    for layer in layers_of(networks.discriminator(numbers, COLOUR)):
        weight = drawn(layer)
        few = 5 / (2 * weight.numel()) ** 0.5  # five standard errors of a standard deviation
        assert float(weight.std()) == pytest.approx(0.02, rel=few)
        assert not layer.bias.any()


def test_each_layer_of_the_residual_discriminator_begins_as_glorots_rule_says():
    """Uniform within the square root of 6 over (ins + outs); twice that variance in the branches.

    The branches are the 3x3 convolutions; the shortcuts are 1x1, and the last layer is linear.
    """
    torch.manual_seed(0)
    numbers = recipe(network="resnet", d_norm="none", discriminator_width=64)
    for layer in layers_of(networks.discriminator(numbers, COLOUR)):
        weight = drawn(layer)
        pixels = weight[0, 0].numel()
        times = 2 if pixels == 9 else 1
        bound = (times * 6 / (sum(weight.shape[:2]) * pixels)) ** 0.5
        assert float(weight.abs().max()) == pytest.approx(bound, rel=0.1)
        assert float(weight.abs().max()) <= bound
        assert not layer.bias.any()


def test_a_spectral_norm_knows_sngans_weights_from_the_first_image_on():
    """The norm reads the weights when it is put on: they have to be drawn before."""
    torch.manual_seed(0)
    numbers = recipe(network="cnn", d_norm="spectral", discriminator_width=32)
    network = networks.discriminator(numbers, COLOUR).eval()
    for layer in layers_of(network):
        largest = torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2)
        assert float(largest) == pytest.approx(1, abs=0.1)
