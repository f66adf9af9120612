"""Objectives and penalties against their formulas, written out with numpy or by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.special import expit
from torch import nn

from ganbench import ComposedRecipe, Context, DatasetSpec, UsageError, losses

SPEC = DatasetSpec("digits", 1, 8, tuple("0123456789"), 1000, 100)
SLOPE = 3.0


@pytest.fixture
def images():
    stream = torch.Generator().manual_seed(3)
    real, fake = torch.rand(2, 6, 1, 8, 8, generator=stream) * 2 - 1
    return real, fake


def mean_pixel(images):
    """A discriminator whose output is three times the mean pixel."""
    return SLOPE * images.mean(dim=(1, 2, 3))


def scores(images):
    return SLOPE * images.double().numpy().mean(axis=(1, 2, 3))


def softplus(values):
    return -np.log(expit(-values))


def by_hand(loss, real, fake):
    r, f = scores(real), scores(fake)
    return {
        "logistic": (softplus(-r).mean() + softplus(f).mean(), softplus(-f).mean()),
        "least-squares": (
            ((r - 1) ** 2).mean() / 2 + (f**2).mean() / 2,
            ((f - 1) ** 2).mean() / 2,
        ),
        "hinge": (np.maximum(0, 1 - r).mean() + np.maximum(0, 1 + f).mean(), -f.mean()),
        "wasserstein": (f.mean() - r.mean(), -f.mean()),
        "relativistic": (softplus(f - r).mean(), softplus(r - f).mean()),
        "relativistic-average": (
            softplus(-(r - f.mean())).mean() + softplus(f - r.mean()).mean(),
            softplus(-(f - r.mean())).mean() + softplus(r - f.mean()).mean(),
        ),
    }[loss]


LOSSES = ComposedRecipe.model_fields["loss"].annotation.__args__


@pytest.mark.parametrize("loss", LOSSES)
def test_each_objective_is_its_formula(loss, images):
    real, fake = images
    objective = losses.composed(ComposedRecipe(loss=loss), SPEC)
    d_expected, g_expected = by_hand(loss, real, fake)
    d, g = objective.d_loss(mean_pixel, real, fake), objective.g_loss(mean_pixel, real, fake)
    assert float(d.loss) == pytest.approx(d_expected, rel=1e-5)
    assert float(g.loss) == pytest.approx(g_expected, rel=1e-5)
    np.testing.assert_allclose(d.real.numpy(), scores(real), rtol=1e-5)
    np.testing.assert_allclose(d.fake.numpy(), scores(fake), rtol=1e-5)
    np.testing.assert_allclose(g.fake.numpy(), scores(fake), rtol=1e-5)


def test_smoothed_labels_are_the_targets_of_the_two_losses_that_have_labels(images):
    real, fake = images
    r, f = scores(real), scores(fake)
    smooth = {"real_label": 0.9, "fake_label": 0.2, "generator_label": 0.7}
    squares = losses.composed(ComposedRecipe(loss="least-squares", **smooth), SPEC)
    d, g = squares.d_loss(mean_pixel, real, fake), squares.g_loss(mean_pixel, real, fake)
    expected = ((r - 0.9) ** 2).mean() / 2 + ((f - 0.2) ** 2).mean() / 2
    assert float(d.loss) == pytest.approx(expected, rel=1e-5)
    assert float(g.loss) == pytest.approx(((f - 0.7) ** 2).mean() / 2, rel=1e-5)
    logistic = losses.composed(ComposedRecipe(**smooth), SPEC)
    d, g = logistic.d_loss(mean_pixel, real, fake), logistic.g_loss(mean_pixel, real, fake)
    on_real = 0.9 * softplus(-r) + 0.1 * softplus(r)
    on_fake = 0.2 * softplus(-f) + 0.8 * softplus(f)
    assert float(d.loss) == pytest.approx((on_real + on_fake).mean(), rel=1e-5)
    made = 0.7 * softplus(-f) + 0.3 * softplus(f)
    assert float(g.loss) == pytest.approx(made.mean(), rel=1e-5)


WITHOUT_LABELS = [loss for loss in LOSSES if loss not in {"logistic", "least-squares"}]


@pytest.mark.parametrize("loss", WITHOUT_LABELS)
@pytest.mark.parametrize("label", ["real_label", "fake_label", "generator_label"])
def test_a_loss_without_labels_refuses_smoothed_ones(loss, label):
    with pytest.raises(UsageError, match=f"{label}=0.5 would change nothing: .*leave it at [01]"):
        losses.composed(ComposedRecipe(loss=loss, **{label: 0.5}), SPEC)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_generator_that_lowers_its_loss_raises_the_score_of_its_images(loss, images):
    real, fake = images[0], images[1].clone().requires_grad_()
    objective = losses.composed(ComposedRecipe(loss=loss), SPEC)
    (gradient,) = torch.autograd.grad(objective.g_loss(mean_pixel, real, fake).loss, fake)
    assert float(gradient.sum()) < 0


@pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
def test_a_larger_batch_of_the_generator_is_paired_with_the_real_images_again(images, shape):
    real, fake = images[0][:3], images[1]
    objective = losses.relativistic(ComposedRecipe(), SPEC)
    loss = objective.g_loss(lambda some: mean_pixel(some).view(shape), real, fake).loss
    r, f = np.tile(scores(real), 2), scores(fake)
    assert float(loss) == pytest.approx(softplus(r - f).mean(), rel=1e-5)


def context(step=1, state=None, **numbers):
    networks = {} if state is None else {"losses": state}
    recipe = ComposedRecipe(**numbers)
    zero = torch.zeros(6, 1)
    return Context(recipe, networks, zero, None, None, lambda z: z, lambda: (step, 0.5))


def penalised(images, *, discriminator=mean_pixel, step=1, **numbers):
    """What a penalty adds to the discriminator's loss, and what is recorded of it."""
    real, fake = images
    whole = losses.composed(ComposedRecipe(**numbers), SPEC)
    bare = losses.objective(ComposedRecipe(**numbers), SPEC).d_loss(discriminator, real, fake)
    output = whole.d_loss(discriminator, real, fake, context(step, whole.state, **numbers))
    recorded = {name: float(value.detach()) for name, value in output.scalars.items()}
    return float((output.loss - bare.loss).detach()), recorded


# The gradient of `mean_pixel` is 3/64 at each of 64 pixels: of length 3/8.
LENGTH = SLOPE / 8


@pytest.mark.parametrize(
    ("number", "weight", "expected"),
    [
        ("gradient_penalty", 10.0, 10 * (LENGTH - 1) ** 2),
        ("dragan", 10.0, 10 * (LENGTH - 1) ** 2),
        ("r1", 4.0, 4 / 2 * LENGTH**2),
        ("r2", 4.0, 4 / 2 * LENGTH**2),
    ],
)
def test_each_penalty_on_the_gradient_is_its_formula(number, weight, expected, images):
    added, recorded = penalised(images, **{number: weight})
    assert added == pytest.approx(expected, rel=1e-4)
    assert list(recorded) == [number]


def test_dragan_looks_between_real_images_and_noise_of_half_their_deviation():
    torch.manual_seed(0)
    seen = []

    def discriminator(pixels):
        seen.append(pixels.detach())
        return mean_pixel(pixels)

    real = torch.randn(200, 1, 40, 40) * 0.2
    losses.dragan_penalty(discriminator, real)
    (beside,) = seen
    away = (beside - real).double().flatten(1).numpy() / (real.double().numpy().std(ddof=1) / 2)
    reach = away.max(axis=1)  # of 1,600 uniform numbers, nearly the point of each image
    assert stats.kstest(reach, "uniform").pvalue > 0.01
    assert stats.kstest((away / reach[:, None])[:5].ravel(), "uniform").pvalue > 0.01


def pack_of(images):
    """What a discriminator of packs of two computes: something that is not the sum of both."""
    first, second = images.flatten(1).unflatten(0, (-1, 2)).unbind(1)
    return (first * second.square()).sum(1)


def gradients_of_packs(images):
    first, second = images.double().flatten(1).unflatten(0, (-1, 2)).unbind(1)
    return np.concatenate([second.square().numpy(), (2 * first * second).numpy()], axis=1)


def test_penalties_of_packs_take_the_length_of_a_packs_gradient():
    torch.manual_seed(0)
    images = torch.randn(8, 1, 4, 4)
    lengths = np.linalg.norm(gradients_of_packs(images), axis=1)
    penalty, _ = losses.zero_centred_penalty(pack_of, images, packing=2)
    assert float(penalty.detach()) == pytest.approx((lengths**2).mean(), rel=1e-5)
    added, _ = penalised((images, images), discriminator=pack_of, packing=2, r1=1.0)
    assert added == pytest.approx((lengths**2).mean() / 2, rel=1e-5)


@pytest.mark.parametrize("name", ["gradient_penalty", "dragan"])
def test_the_images_of_a_pack_lie_at_one_point(name):
    torch.manual_seed(0)
    seen = []

    def discriminator(images):
        seen.append(images.detach())
        return pack_of(images)

    real = torch.randn(400, 1, 8, 8)
    if name == "dragan":
        penalty = losses.dragan_penalty(discriminator, real, packing=2)
        reach = float(real.std()) / 2
    else:
        penalty = losses.gradient_penalty(discriminator, real, real + 1, packing=2)
        reach = 1.0
    points = ((seen[0] - real).flatten(1).max(dim=1).values / reach).reshape(-1, 2)
    assert float(points.diff(dim=1).abs().mean()) < 0.05  # of independent points 1/3
    assert stats.kstest(points[:, 0].numpy(), "uniform").pvalue > 0.01
    lengths = np.linalg.norm(gradients_of_packs(seen[0]), axis=1)
    assert float(penalty.detach()) == pytest.approx(((lengths - 1) ** 2).mean(), rel=1e-4)


def test_r1_is_taken_at_real_images_and_r2_at_generated_ones(images):
    def square(pixels):  # its gradient is twice the images
        return pixels.square().sum(dim=(1, 2, 3))

    real, fake = images
    squares = [float(some.double().square().flatten(1).sum(1).mean()) for some in (real, fake)]
    added = [penalised(images, discriminator=square, **{name: 1.0})[0] for name in ("r1", "r2")]
    assert added == pytest.approx([2 * value for value in squares], rel=1e-3)
    both, _ = penalised(images, discriminator=square, r1=1.0, r2=1.0)
    assert both == pytest.approx(sum(added), rel=1e-3)


def test_a_weight_may_be_a_schedule_over_the_budget(images):
    added, _ = penalised(images, r1="8:0")  # half of the budget is used up
    assert added == pytest.approx(4 / 2 * LENGTH**2, rel=1e-4)


def test_consistency_is_nothing_for_what_flips_and_shifts_do_not_change(images):
    flat = tuple(torch.full_like(some, 0.3) for some in images)
    assert penalised(flat, consistency=10.0)[0] == pytest.approx(0, abs=1e-9)
    added, recorded = penalised(images, consistency=10.0)
    assert added == pytest.approx(10 * recorded["consistency"], rel=1e-4)
    assert recorded["consistency"] > 0


def test_lecam_is_recorded_from_the_beginning_and_sets_in_when_it_is_due(images):
    real, fake = images
    early, recorded = penalised(images, lecam=0.3, lecam_start=5, step=5)
    r, f = scores(real), scores(fake)
    distance = (np.maximum(0, r - f.mean()) ** 2).mean() + (np.maximum(0, r.mean() - f) ** 2).mean()
    assert early == pytest.approx(0, abs=1e-7)
    assert recorded["lecam"] == pytest.approx(distance, rel=1e-4)
    late, recorded = penalised(images, lecam=0.3, lecam_start=5, step=6)
    assert late == pytest.approx(0.3 * recorded["lecam"], rel=1e-4)


def test_lecams_means_follow_slowly_once_it_has_set_in():
    module = losses.LeCam(0.9)
    module(torch.full((4,), 2.0), torch.full((4,), -1.0), follow=False)
    module(torch.full((4,), 4.0), torch.full((4,), -3.0), follow=True)
    assert float(module.real) == pytest.approx(0.9 * 2 + 0.1 * 4)
    assert float(module.fake) == pytest.approx(0.9 * -1 + 0.1 * -3)


def test_the_gradient_penalty_pulls_a_steep_discriminator_down(images):
    weight = nn.Parameter(torch.tensor(30.0))
    penalty = losses.gradient_penalty(lambda some: weight * some.mean(dim=(1, 2, 3)), *images)
    (gradient,) = torch.autograd.grad(penalty, weight)
    assert float(gradient) > 0


def test_an_unknown_loss_is_refused_with_those_there_are():
    with pytest.raises(UsageError, match=r"loss=focal is not allowed.*least-squares"):
        ComposedRecipe().override({"loss": "focal"})
