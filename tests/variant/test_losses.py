from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.special import expit

from ganbench import ComposedRecipe, DatasetSpec, Recipe, losses
from ganbench.errors import ContractError

SPEC = DatasetSpec("digits", 1, 8, tuple("0123456789"), 1000, 100)


@pytest.fixture
def images():
    stream = torch.Generator().manual_seed(3)
    real, fake = torch.rand(2, 6, 1, 4, 4, generator=stream) * 2 - 1
    return real, fake


def mean_pixel(images):
    """A discriminator whose logit is three times the mean pixel."""
    return 3 * images.mean(dim=(1, 2, 3))


def probabilities(images):
    return expit(3 * images.double().numpy().mean(axis=(1, 2, 3)))


def cross_entropy(probability, label):
    return float(np.mean(-label * np.log(probability) - (1 - label) * np.log1p(-probability)))


@pytest.mark.parametrize(
    "labels", [(1.0, 0.0, 1.0), (0.9, 0.1, 1.0), (0.9, 0.0, 1.0), (0.7, 0.3, 0.8)]
)
def test_bce_is_the_cross_entropy_of_the_sigmoid_with_the_recipes_labels(images, labels):
    real, fake = images
    on_real, on_fake, on_generated = labels
    recipe = Recipe(real_label=on_real, fake_label=on_fake, generator_label=on_generated)
    objective = losses.bce(recipe, SPEC)
    d_expected = cross_entropy(probabilities(real), on_real) + cross_entropy(
        probabilities(fake), on_fake
    )
    g_expected = cross_entropy(probabilities(fake), on_generated)
    assert float(objective.d_loss(mean_pixel, real, fake).loss) == pytest.approx(
        d_expected, rel=1e-5
    )
    assert float(objective.g_loss(mean_pixel, real, fake).loss) == pytest.approx(
        g_expected, rel=1e-5
    )


def test_bce_stays_finite_and_keeps_a_gradient_where_a_sigmoid_would_be_saturated(images):
    real, fake = images
    logits = torch.full((6,), -200.0, requires_grad=True)
    loss = losses.bce(Recipe(), SPEC).g_loss(lambda _: logits, real, fake).loss
    (gradient,) = torch.autograd.grad(loss, logits)
    assert float(loss.detach()) == pytest.approx(200.0)  # BCELoss stops at 100
    torch.testing.assert_close(gradient, torch.full((6,), -1 / 6))


def test_hinge_counts_scores_inside_the_margins(images):
    real, fake = images
    scores = {id(real): [2.0, 0.5, -1.0], id(fake): [-3.0, 0.0, 0.5]}
    discriminator = lambda given: torch.tensor(scores[id(given)])  # noqa: E731 - a table
    objective = losses.hinge(Recipe(), SPEC)
    d_expected = (0 + 0.5 + 2) / 3 + (0 + 1 + 1.5) / 3
    assert float(objective.d_loss(discriminator, real, fake).loss) == pytest.approx(d_expected)
    assert float(objective.g_loss(discriminator, real, fake).loss) == pytest.approx(2.5 / 3)


@pytest.mark.parametrize("weight", [0.0, 10.0, 2.5])
def test_the_wasserstein_penalty_of_a_linear_critic_is_that_of_its_slope(images, weight):
    real, fake = images
    critic = lambda given: 0.75 * given.sum(dim=(1, 2, 3))  # noqa: E731 - a formula
    slope = 0.75 * math.sqrt(16)  # the gradient is 0.75 at each of 16 pixels, at any point
    scores = [0.75 * float(part.double().sum()) / 6 for part in (real, fake)]
    objective = losses.wasserstein(SimpleNamespace(gradient_penalty=weight), SPEC)
    expected = scores[1] - scores[0] + weight * (slope - 1) ** 2
    assert float(objective.d_loss(critic, real, fake).loss) == pytest.approx(expected, rel=1e-5)
    assert float(objective.g_loss(critic, real, fake).loss) == pytest.approx(-scores[1], rel=1e-5)


def test_the_wasserstein_penalty_looks_between_real_and_generated_images(images):
    real, fake = images
    seen = []

    def critic(given):
        seen.append(given.detach())
        return given.square().sum(dim=(1, 2, 3))

    losses.wasserstein(SimpleNamespace(gradient_penalty=1.0), SPEC).d_loss(critic, real, fake)
    between = next(part for part in seen if part is not real and not torch.equal(part, fake))
    shares = ((between - real) / (fake - real)).flatten(1)
    torch.testing.assert_close(shares, shares[:, :1].expand_as(shares), rtol=1e-3, atol=1e-3)
    assert float(shares.min()) > -1e-3
    assert float(shares.max()) < 1 + 1e-3
    assert len(shares[:, 0].unique()) == 6  # a point of its own for each image


def test_the_wasserstein_penalty_of_a_flat_critic_has_a_finite_gradient(images):
    real, fake = images
    weight = torch.zeros((), requires_grad=True)
    objective = losses.wasserstein(SimpleNamespace(gradient_penalty=10.0), SPEC)
    loss = objective.d_loss(lambda given: weight * given.sum(dim=(1, 2, 3)), real, fake).loss
    (gradient,) = torch.autograd.grad(loss, weight)
    assert float(loss.detach()) == pytest.approx(10.0)  # a gradient of length 0 is 1 too short
    assert torch.isfinite(gradient)


def test_a_zero_centred_penalty_is_the_mean_squared_length_of_the_gradient(images):
    real, _ = images
    before = real.clone()
    penalty, outputs = losses.zero_centred_penalty(
        lambda given: given.square().sum(dim=(1, 2, 3)) / 2, real
    )  # whose gradient is the image itself
    squares = (before.double().numpy() ** 2).sum(axis=(1, 2, 3))
    assert float(penalty.detach()) == pytest.approx(squares.mean(), rel=1e-5)
    np.testing.assert_allclose(outputs.detach().numpy(), squares / 2, rtol=1e-5)
    assert torch.equal(real, before)
    assert not real.requires_grad


def test_a_zero_centred_penalty_can_be_learnt_from(images):
    real, _ = images
    slope = torch.tensor(3.0, requires_grad=True)
    penalty, _ = losses.zero_centred_penalty(lambda given: slope * given.sum(dim=(1, 2, 3)), real)
    (gradient,) = torch.autograd.grad(penalty, slope)
    assert float(penalty.detach()) == pytest.approx(16 * 3**2)  # 16 pixels, each with that slope
    assert float(gradient) == pytest.approx(16 * 2 * 3)


@pytest.mark.parametrize("build", [losses.bce, losses.hinge, losses.wasserstein])
def test_a_discriminator_of_several_outputs_is_refused_with_a_way_out(build, images):
    objective = build(Recipe(), SPEC)
    for loss in (objective.d_loss, objective.g_loss):
        with pytest.raises(ContractError, match=r"returns a tuple.*discriminator\(images\)\[0\]"):
            loss(lambda given: (mean_pixel(given), given), *images)


@pytest.mark.parametrize("build", [losses.bce, losses.hinge, losses.wasserstein])
def test_a_column_of_numbers_is_judged_as_a_row(images, build):
    real, fake = images
    numbers = SimpleNamespace(gradient_penalty=1.0, **Recipe().model_dump())
    objective = build(numbers, SPEC)
    column = lambda given: mean_pixel(given)[:, None]  # noqa: E731 - the same, of shape (n, 1)
    for loss in (objective.d_loss, objective.g_loss):
        values = []
        for discriminator in (mean_pixel, column):
            torch.manual_seed(0)
            values.append(loss(discriminator, real, fake).loss)
        assert values[0].shape == values[1].shape == ()
        torch.testing.assert_close(values[0], values[1])


def test_the_wasserstein_objective_of_a_composed_recipe_has_no_penalty(images):
    """A penalty that the recipe weighs is added by `composed`, once."""
    recipe = ComposedRecipe(loss="wasserstein", gradient_penalty=10.0)
    output = losses.objective(recipe, SPEC).d_loss(mean_pixel, *images)
    real, fake = (3 * float(part.double().mean()) for part in images)
    assert float(output.loss) == pytest.approx(fake - real, rel=1e-5)
    assert output.scalars == {}


def test_the_wasserstein_loss_of_a_recipe_without_a_penalty_is_the_difference_of_means(images):
    real, fake = images
    objective = losses.wasserstein(Recipe(weight_clip=0.01), SPEC)
    output = objective.d_loss(mean_pixel, real, fake)
    expected = 3 * (float(fake.double().mean()) - float(real.double().mean()))
    assert float(output.loss) == pytest.approx(expected, rel=1e-5)
    assert output.scalars == {}
