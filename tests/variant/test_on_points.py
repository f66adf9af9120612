"""Variants on points: whose numbers they take, and what is refused."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch import nn

from ganbench import DatasetSpec, losses, networks
from ganbench.errors import UsageError
from ganbench.experiment import plan
from ganbench.experiment.suite import Suite
from ganbench.training.state import TrainState
from ganbench.variant.registry import entries, resolve

PLANE = DatasetSpec("plane", 2, 1, ("a", "b"), 100, 10, kind="points")
ON_POINTS = (
    "bigan", "dcgan", "dcgan-ema", "lsgan", "mlp", "pacdcgan", "r3gan", "sngan", "unrolled",
    "veegan", "wgan", "wgan-gp",
)  # fmt: skip


def planned(*variants, **changes):
    suite = Suite(variants=variants, dataset="ring8", budget="2steps", **changes)
    return plan.make(suite, device="cpu", data_root=Path())


@pytest.mark.parametrize("name", ON_POINTS)
def test_every_variant_of_a_loss_takes_pacgans_networks_on_points(name):
    (job,) = planned(name).jobs
    recipe = resolve([name])[0].variant.recipe.override(job.recipe)
    state = TrainState.create(resolve([name])[0].variant, recipe, job.spec, torch.device("cpu"), 0)
    linear = [layer for layer in state.generator.modules() if isinstance(layer, nn.Linear)]
    sizes = [2, 400, 400, 400, 400, 2]
    assert [(layer.in_features, layer.out_features) for layer in linear] == list(pairwise(sizes))
    units = [layer for layer in state.discriminator.modules() if isinstance(layer, networks.Maxout)]
    assert [unit.linear.out_features for unit in units] == [200 * 5] * 3
    assert (job.recipe["batch_size"], job.recipe["latent_dim"]) == (100, 2)


@pytest.mark.parametrize(
    ("name", "numbers"),
    [
        ("dcgan", {"lr_g": 1e-4, "lr_d": 1e-4, "beta1": 0.8, "optimizer": "adam"}),
        ("mlp", {"lr_g": 1e-4, "beta1": 0.8}),
        ("pacdcgan", {"packing": 2, "g_steps": 1, "latent": "normal", "beta1": 0.8}),
        ("wgan", {"optimizer": "rmsprop", "lr_d": 5e-5, "weight_clip": 0.01, "d_steps": 5}),
        ("wgan-gp", {"gradient_penalty": 10, "beta1": 0, "beta2": 0.9, "d_steps": 5}),
        ("sngan", {"d_norm": "spectral", "loss": "hinge", "beta1": 0}),
        ("r3gan", {"loss": "relativistic", "r1": "0.05:0.005:cosine", "beta1": 0}),
        ("unrolled", {"unroll_steps": 5, "beta1": 0.8}),
    ],
)
def test_what_makes_a_method_stays_and_the_rest_is_pacgans(name, numbers):
    (job,) = planned(name).jobs
    assert {key: job.recipe[key] for key in numbers} == numbers


def test_a_number_that_is_set_stays_and_the_note_names_the_others():
    made = planned("dcgan", set=("lr_g=3e-4", "discriminator_width=8"))
    assert made.jobs[0].recipe["lr_g"] == 3e-4
    assert made.jobs[0].recipe["discriminator_width"] == 8
    (note,) = made.notes
    assert "network mlp" in note
    assert "lr_d 0.0001" in note
    assert "lr_g" not in note
    assert "discriminator_width" not in note


def test_the_variants_that_take_points_are_those_of_a_loss_or_a_way_of_training():
    built_in = [entry.name for entry in entries() if entry.kind == "built-in"]
    taking = {each.name for each in resolve(built_in) if each.variant.accepts.points is not None}
    assert taking == set(ON_POINTS)


@pytest.mark.parametrize(
    ("variant", "changes", "message"),
    [
        ("stylegan2", {}, "takes images, and ring8 holds points: points are for bigan, dcgan,"),
        ("dcgan", {"set": ("image_size=32",)}, "image_size=32 is of images"),
        ("dcgan", {"set": ("augment=flip",)}, "augment=flip is of images"),
        ("dcgan", {"set": ("consistency=10",)}, "consistency=10.0 flips and shifts images"),
        ("dcgan", {"set": ("network=resnet",)}, "network=resnet is for images"),
        ("dcgan", {"backbone": "inception"}, "inception describes images"),
    ],
)
def test_what_only_images_have_is_refused_in_one_line(variant, changes, message):
    with pytest.raises(UsageError, match=message) as caught:
        planned(variant, **changes)
    assert "\n" not in str(caught.value)


# --- The networks ---


def test_a_maxout_unit_gives_the_largest_of_its_linear_functions():
    torch.manual_seed(0)
    layer = networks.Maxout(3, 4, pieces=5)
    vectors = torch.randn(6, 3)
    weight, bias = layer.linear.weight.detach(), layer.linear.bias.detach()
    expected = torch.empty(6, 4)
    for row in range(6):
        for unit in range(4):
            own = range(5 * unit, 5 * unit + 5)
            values = [weight[piece] @ vectors[row] + bias[piece] for piece in own]
            expected[row, unit] = max(float(value) for value in values)
    torch.testing.assert_close(layer(vectors), expected)


def test_the_networks_begin_from_a_deviation_of_a_fiftieth_and_without_biases():
    torch.manual_seed(0)
    recipe = resolve(["dcgan"])[0].variant.recipe.override(
        {"network": "mlp", "d_norm": "none", "generator_width": 100, "discriminator_width": 50}
    )
    for build in (networks.generator, networks.discriminator):
        for layer in build(recipe, PLANE).modules():
            if isinstance(layer, nn.Linear):
                margin = 5 * 0.02 / (2 * layer.weight.numel()) ** 0.5
                assert float(layer.weight.detach().std()) == pytest.approx(0.02, abs=margin)
                assert not layer.bias.any()


def test_the_generator_ends_linearly_so_that_points_may_lie_anywhere():
    torch.manual_seed(0)
    recipe = resolve(["mlp"])[0].variant.recipe.override({"latent_dim": 2})
    network = networks.points_generator(recipe, PLANE).eval()
    last = list(network.children())[-1]
    nn.init.constant_(last.bias, 7.0)
    assert float(network(torch.randn(8, 2)).detach().min()) > 1


def test_the_gradient_penalty_differentiates_twice_through_maxout_units():
    torch.manual_seed(0)
    recipe = resolve(["wgan-gp"])[0].variant.recipe.override({"network": "mlp"})
    network = networks.discriminator(recipe, PLANE)
    penalty = losses.gradient_penalty(network, torch.randn(8, 2), torch.randn(8, 2))
    penalty.backward()
    first = next(network.parameters())
    assert bool(first.grad.isfinite().all())
    assert bool(first.grad.any())
