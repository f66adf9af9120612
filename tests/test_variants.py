"""The source systems, number by number, written out by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from ganbench import Budget, DatasetSpec
from ganbench.variant.registry import resolve

MNIST = DatasetSpec("mnist", 1, 28, tuple("0123456789"), 60_000, 10_000)
CIFAR10 = DatasetSpec(
    "cifar10", 3, 32,
    ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
    50_000, 10_000,
)  # fmt: skip


def variant(name):
    return resolve([name])[0].variant


def described(layer):
    """A layer with the numbers that the source systems give."""
    kind = type(layer).__name__
    if isinstance(layer, nn.Linear):
        return kind, layer.in_features, layer.out_features, layer.bias is not None
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        sizes = (layer.kernel_size[0], layer.stride[0], layer.padding[0])
        return kind, layer.in_channels, layer.out_channels, *sizes, layer.bias is not None
    if isinstance(layer, nn.BatchNorm2d):
        return kind, layer.num_features
    if isinstance(layer, nn.LeakyReLU):
        return kind, layer.negative_slope
    return (kind,)


def layers(network):
    """All layers that compute something, in order."""
    return [
        described(layer)
        for layer in network.modules()
        if not list(layer.children()) and not isinstance(layer, nn.Flatten | nn.Unflatten)
    ]


def count(network):
    return sum(weight.numel() for weight in network.parameters())


def up(before, after, stride=2, padding=1, *, bias=False):
    return ("ConvTranspose2d", before, after, 4, stride, padding, bias)


def down(before, after, stride=2, padding=1, *, bias=False):
    return ("Conv2d", before, after, 4, stride, padding, bias)


RELU, TANH, LEAKY = ("ReLU",), ("Tanh",), ("LeakyReLU", 0.2)


def norm(channels):
    return ("BatchNorm2d", channels)


DCGAN_GENERATOR = [
    up(100, 512, 1, 0), norm(512), RELU,
    up(512, 256), norm(256), RELU,
    up(256, 128), norm(128), RELU,
    up(128, 64), norm(64), RELU,
    up(64, 3), TANH,
]  # fmt: skip
DCGAN_DISCRIMINATOR = [
    down(3, 64), LEAKY,
    down(64, 128), norm(128), LEAKY,
    down(128, 256), norm(256), LEAKY,
    down(256, 512), norm(512), LEAKY,
    down(512, 1, 1, 0),
]  # fmt: skip
SMOOTH_GENERATOR = [
    up(256, 1024, 1, 0, bias=True), RELU,
    up(1024, 512, bias=True), RELU, norm(512),
    up(512, 256, bias=True), RELU, norm(256),
    up(256, 128, bias=True), RELU, norm(128),
    up(128, 3, bias=True), TANH,
]  # fmt: skip
SMOOTH_DISCRIMINATOR = [
    down(3, 64, bias=True), LEAKY,
    down(64, 128, bias=True), norm(128), LEAKY,
    down(128, 256, bias=True), norm(256), LEAKY,
    down(256, 512, bias=True), norm(512), LEAKY,
    down(512, 1, 1, 0, bias=True),
]  # fmt: skip
MLP_GENERATOR = [("Linear", 100, 256, True), RELU, ("Linear", 256, 784, True), TANH]
MLP_DISCRIMINATOR = [("Linear", 784, 256, True), LEAKY, ("Linear", 256, 1, True)]


# --- Architecture ---


@pytest.mark.parametrize(
    ("name", "spec", "generator", "discriminator"),
    [
        ("mlp", MNIST, MLP_GENERATOR, MLP_DISCRIMINATOR),
        ("dcgan", CIFAR10, DCGAN_GENERATOR, DCGAN_DISCRIMINATOR),
        ("dcgan-smooth", CIFAR10, SMOOTH_GENERATOR, SMOOTH_DISCRIMINATOR),
        ("texthash-naive", CIFAR10, DCGAN_GENERATOR, DCGAN_DISCRIMINATOR),
    ],
)
def test_the_networks_have_the_layers_of_the_source_system(name, spec, generator, discriminator):
    found = variant(name)
    assert layers(found.generator(found.recipe, spec)) == generator
    assert layers(found.discriminator(found.recipe, spec)) == discriminator


def test_the_texthash_networks_are_the_dcgans_with_room_for_text():
    found = variant("texthash")
    generator = layers(found.generator(found.recipe, CIFAR10))
    discriminator = layers(found.discriminator(found.recipe, CIFAR10))
    assert generator == [up(100 + 128, 512, 1, 0), *DCGAN_GENERATOR[1:]]
    assert discriminator == [*DCGAN_DISCRIMINATOR, ("Linear", 128, 512, False)]


@pytest.mark.parametrize(
    ("name", "spec", "generator", "discriminator"),
    [
        ("mlp", MNIST, 100 * 256 + 256 + 256 * 784 + 784, 784 * 256 + 256 + 256 + 1),
        ("dcgan", CIFAR10, 3_576_704, 2_765_568),  # as PyTorch's own DCGAN tutorial has
        (
            "dcgan-smooth",
            CIFAR10,
            16 * (256 * 1024 + 1024 * 512 + 512 * 256 + 256 * 128 + 128 * 3)
            + (1024 + 512 + 256 + 128 + 3)
            + 2 * (512 + 256 + 128),
            2_765_568 + 64 + 128 + 256 + 512 + 1,
        ),
        ("texthash", CIFAR10, 3_576_704 + 128 * 512 * 16, 2_765_568 + 128 * 512),
        ("texthash-naive", CIFAR10, 3_576_704, 2_765_568),
    ],
)
def test_the_networks_have_as_many_parameters_as_by_hand(name, spec, generator, discriminator):
    found = variant(name)
    assert count(found.generator(found.recipe, spec)) == generator
    assert count(found.discriminator(found.recipe, spec)) == discriminator


# --- Recipes ---

COMMON = {
    "batch_size": 64, "latent_dim": 100, "image_size": 64, "lr_g": 2e-4, "lr_d": 2e-4,
    "beta1": 0.5, "beta2": 0.999, "generator_width": 64, "discriminator_width": 64,
    "initial_weights": "own",
    "real_label": 1.0, "fake_label": 0.0, "generator_label": 1.0, "d_steps": 1, "ema_decay": 0.0,
    "dataset": "cifar10", "budget": "25epochs", "sample_every": "100steps",
    # what the field's other GANs need, and these do without
    "latent": "normal", "generator_batch": 1, "packing": 1, "augment": "none", "g_steps": 1,
    "optimizer": "adam", "eps": 1e-8, "weight_decay": 0.0, "weight_clip": 0.0,
    "ema_half_life_kimg": 0.0, "ema_ramp": 0.0, "ema_start": 0,
}  # fmt: skip
COMPOSED = {  # the dcgan's parts by name, as other variants and a study set them
    "network": "dcgan", "d_norm": "batch", "loss": "logistic", "gradient_penalty": 0.0,
    "dragan": 0.0, "r1": 0.0, "r2": 0.0, "consistency": 0.0, "lecam": 0.0, "lecam_decay": 0.99,
    "lecam_start": 1000,
}  # fmt: skip
RECIPES = {
    "mlp": {
        "image_size": 28, "beta1": 0.9, "generator_width": 256, "discriminator_width": 256,
        "dataset": "mnist", "budget": "200epochs", "sample_every": "3epochs",
    },
    "dcgan": COMPOSED,
    "dcgan-smooth": {
        "latent_dim": 256, "batch_size": 1024, "lr_g": 5e-4, "lr_d": 5e-4,
        "real_label": 0.9, "fake_label": 0.1, "generator_width": 128,
        "budget": "50epochs", "sample_every": "10epochs",
    },
    "texthash": {"lr_g": 4e-4, "lr_d": 4e-4, "text_dim": 128, "hashes": 4},
    "texthash-naive": {},
}  # fmt: skip


@pytest.mark.parametrize("name", RECIPES)
def test_the_default_recipe_has_the_numbers_of_the_source_system(name):
    assert variant(name).recipe.model_dump() == {**COMMON, **RECIPES[name]}


def test_the_course_notebook_is_the_dcgan_with_a_longer_budget():
    recipe = variant("dcgan").recipe.override({"budget": "30epochs"})
    assert recipe.model_dump() == {**COMMON, **COMPOSED, "budget": "30epochs"}
    assert Budget.parse(recipe.budget) == Budget(30, "epochs")


def test_widths_and_latent_of_the_text_hashed_dcgan_are_hyperparameters():
    for name in ("texthash", "texthash-naive"):
        found = variant(name)
        recipe = found.recipe.override(
            {"latent_dim": "50", "generator_width": "16", "discriminator_width": "8"}
        )
        generator, discriminator = (
            found.generator(recipe, MNIST),
            found.discriminator(recipe, MNIST),
        )
        text = 128 if name == "texthash" else 0
        assert layers(generator)[0] == up(50 + text, 128, 1, 0)
        assert layers(generator)[-2] == up(16, 1)
        assert layers(discriminator)[0] == down(1, 8)


# --- Initial weights ---


def convolutions(network):
    return [
        layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)
    ]


@pytest.mark.parametrize("name", ["texthash", "texthash-naive"])
@pytest.mark.parametrize("part", ["generator", "discriminator"])
def test_the_text_hashed_dcgans_draw_weights_with_a_deviation_of_a_fiftieth(name, part):
    found = variant(name)
    torch.manual_seed(0)
    network = getattr(found, part)(found.recipe, CIFAR10)
    for layer in convolutions(network):
        margin = 5 * 0.02 / math.sqrt(2 * layer.weight.numel())
        assert float(layer.weight.detach().std()) == pytest.approx(0.02, abs=margin)
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    scales = torch.cat([module.weight.detach() for module in norms])
    assert float(scales.mean()) == pytest.approx(1, abs=0.005)
    assert float(scales.std()) == pytest.approx(0.02, rel=0.15)


@pytest.mark.parametrize("name", ["dcgan", "dcgan-smooth"])
@pytest.mark.parametrize("part", ["generator", "discriminator"])
def test_the_plain_dcgans_keep_the_initial_weights_of_pytorch(name, part):
    found = variant(name)
    torch.manual_seed(0)
    network = getattr(found, part)(found.recipe, CIFAR10)
    for layer in convolutions(network):
        bound = 1 / math.sqrt(layer.weight[0].numel())  # Kaiming uniform with a slope of √5
        assert float(layer.weight.detach().abs().max()) == pytest.approx(bound, rel=0.01)
        assert float(layer.weight.detach().std()) == pytest.approx(bound / math.sqrt(3), rel=0.05)
    scales = [module.weight for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    assert all(bool((scale == 1).all()) for scale in scales)


# --- Losses ---


@pytest.mark.parametrize("name", RECIPES)
def test_the_losses_are_those_of_bceloss_after_a_sigmoid(name):
    found = variant(name)
    targets = (0.9, 0.1, 1.0) if name == "dcgan-smooth" else (1.0, 0.0, 1.0)
    logits = torch.linspace(-4, 3, 8).reshape(2, 4, 1)
    real, fake = torch.zeros(4, 1, 2, 2), torch.ones(4, 1, 2, 2)
    discriminator = lambda images: logits[0 if images is real else 1]  # noqa: E731 - a table
    on_real, on_fake, on_generated = (
        nn.BCELoss()(torch.sigmoid(logits[row]), torch.full((4, 1), target))
        for row, target in zip((0, 1, 1), targets, strict=True)
    )
    objective = found.losses(found.recipe, MNIST)
    torch.testing.assert_close(objective.d_loss(discriminator, real, fake).loss, on_real + on_fake)
    torch.testing.assert_close(objective.g_loss(discriminator, real, fake).loss, on_generated)


# --- Text ---


def test_the_trained_text_hash_is_an_input_and_the_naive_one_replaces_the_latent():
    trained, naive = (
        variant(name).condition(variant(name).recipe, CIFAR10)
        for name in ("texthash", "texthash-naive")
    )
    assert (trained.use, trained.size) == ("input", 128)
    assert (naive.use, naive.size) == ("latent", 100)


def test_each_class_has_a_caption_of_its_own_that_the_text_hash_tells_apart():
    found = variant("texthash")
    condition = found.condition(found.recipe, CIFAR10)
    assert CIFAR10.captions[9] == "a photo of a truck"
    codes = torch.stack([condition.encode(caption) for caption in CIFAR10.captions])
    distances = torch.cdist(codes, codes) + 100 * torch.eye(10)
    assert float(distances.min()) > 1


def test_a_naive_prompt_leaves_most_of_the_latent_empty():
    found = variant("texthash-naive")
    vector = found.condition(found.recipe, CIFAR10).encode("a photo of a truck")
    assert vector.shape == (100,)
    assert 1 <= int(vector.count_nonzero()) <= 4  # four different words


@pytest.mark.parametrize("name", RECIPES)
def test_a_variant_without_text_has_no_condition(name):
    assert (variant(name).condition is None) == (name in {"mlp", "dcgan", "dcgan-smooth"})
