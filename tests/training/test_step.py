"""One training step, checked against the loop written out by hand."""

from __future__ import annotations

import copy
import dataclasses

import pytest
import torch
from doubles import tiny_spec
from torch import nn
from torch.nn import functional as F

from ganbench.errors import ContractError, UsageError
from ganbench.training.calls import Batch
from ganbench.training.state import TrainState
from ganbench.training.step import MEASURES, Batches, Step, gather, run_step, train_step
from ganbench.variant import losses
from ganbench.variant.definition import DatasetSpec, Losses
from ganbench.variant.recipe import Recipe
from ganbench.variant.registry import resolve

SPEC = tiny_spec()
CPU = torch.device("cpu")


def build(name: str, **changes: object) -> TrainState:
    (found,) = resolve([name])
    small = {"generator_width": 4, "discriminator_width": 4, "image_size": 32, "batch_size": 6}
    recipe = found.variant.recipe.override({**small, **changes})
    return TrainState.create(found.variant, recipe, SPEC, CPU, seed=0)


def batch(state: TrainState, seed: int = 0) -> Batch:
    stream = torch.Generator().manual_seed(seed)
    count = state.recipe.batch_size
    condition = None
    if state.takes_condition:
        condition = torch.stack([state.condition.encode(text) for text in SPEC.captions])[
            torch.arange(count) % 4
        ]
    return Batch(
        torch.rand(count, 1, 32, 32, generator=stream) * 2 - 1,
        torch.randn(count, state.recipe.latent_dim, generator=stream),
        condition,
    )


def as_numbers(values: dict[str, torch.Tensor]) -> dict[str, float]:
    assert set(values) == set(MEASURES)
    return {name: value.item() for name, value in values.items()}


def plain_step(state: TrainState, one: Batch) -> tuple[float, float]:
    """The loop of the textbook: BCELoss on probabilities, two backward passes, plain Adam."""
    recipe = state.recipe
    betas = (recipe.beta1, recipe.beta2)
    generator, discriminator = state.generator, state.discriminator
    d_adam = torch.optim.Adam(discriminator.parameters(), recipe.lr_d, betas, fused=False)
    g_adam = torch.optim.Adam(generator.parameters(), recipe.lr_g, betas, fused=False)
    bce = nn.BCELoss()

    def loss_on(images: torch.Tensor, label: float) -> torch.Tensor:
        output = torch.sigmoid(discriminator(images)).flatten()
        return bce(output, torch.full_like(output, label))

    fake = generator(one.latent)
    discriminator.zero_grad()
    on_real = loss_on(one.real, recipe.real_label)
    on_real.backward()
    on_fake = loss_on(fake.detach(), recipe.fake_label)
    on_fake.backward()
    d_adam.step()
    generator.zero_grad()
    g_loss = loss_on(fake, recipe.generator_label)
    g_loss.backward()
    g_adam.step()
    return (on_real + on_fake).item(), g_loss.item()


@pytest.mark.parametrize("name", ["mlp", "dcgan", "dcgan-smooth", "texthash-naive"])
def test_a_step_does_what_the_plain_loop_does(name):
    ours = build(name)
    theirs = copy.deepcopy(ours)
    one = batch(ours)
    row = as_numbers(train_step(ours, Batches([one]), measure=True))
    d_loss, g_loss = plain_step(theirs, one)
    assert row["d_loss"] == pytest.approx(d_loss, rel=1e-4)
    assert row["g_loss"] == pytest.approx(g_loss, rel=1e-4)
    for network in ("generator", "discriminator"):
        mine = getattr(ours, network).state_dict()
        weights = dict(getattr(theirs, network).named_parameters())
        for key, value in getattr(theirs, network).state_dict().items():
            if key in weights and weights[key].grad.abs().max() < 1e-6:
                continue  # a bias before BatchNorm: Adam makes full steps of its rounding errors
            torch.testing.assert_close(mine[key], value, rtol=1e-3, atol=1e-4, msg=key)


def test_three_steps_follow_every_number_of_the_recipe():
    numbers = {"lr_d": 3e-3, "lr_g": 5e-4, "beta1": 0.3, "beta2": 0.6}
    labels = {"real_label": 0.8, "fake_label": 0.15, "generator_label": 0.95}
    ours = build("mlp", **numbers, **labels)
    theirs = copy.deepcopy(ours)
    draw, discriminate = theirs.generator, theirs.discriminator
    d_adam = torch.optim.Adam(discriminate.parameters(), 3e-3, (0.3, 0.6), fused=False)
    g_adam = torch.optim.Adam(draw.parameters(), 5e-4, (0.3, 0.6), fused=False)

    def loss_on(images: torch.Tensor, label: float) -> torch.Tensor:
        shares = torch.sigmoid(discriminate(images))
        return -(label * shares.log() + (1 - label) * (1 - shares).log()).mean()

    for seed in range(3):
        one = batch(ours, seed)
        train_step(ours, Batches([one]), number=seed + 1)
        d_adam.zero_grad()
        (loss_on(one.real, 0.8) + loss_on(draw(one.latent).detach(), 0.15)).backward()
        d_adam.step()
        g_adam.zero_grad()
        loss_on(draw(one.latent), 0.95).backward()
        g_adam.step()
    for network in ("generator", "discriminator"):
        expected = dict(getattr(theirs, network).named_parameters())
        for key, value in getattr(ours, network).named_parameters():
            torch.testing.assert_close(value, expected[key], rtol=1e-3, atol=2e-5, msg=key)


def test_the_measures_are_what_their_names_say():
    state = build("mlp")
    one = batch(state)
    before = copy.deepcopy(state)
    row = as_numbers(train_step(state, Batches([one]), measure=True))
    fake = before.generator(one.latent)
    assert row["d_real"] == pytest.approx(
        before.discriminator(one.real).sigmoid().mean().item(), rel=1e-5
    )
    assert row["d_fake_before"] == pytest.approx(
        before.discriminator(fake).sigmoid().mean().item(), rel=1e-5
    )
    assert row["d_fake_after"] == pytest.approx(
        state.discriminator(fake).sigmoid().mean().item(), rel=1e-5
    )
    squares = [weight.grad.square().sum().item() for weight in state.generator.parameters()]
    assert row["g_gradient_norm"] == pytest.approx(sum(squares) ** 0.5, rel=1e-5)
    assert row["d_gradient_norm"] > 0


def test_a_critic_reports_its_scores_as_they_are():
    state = build("mlp")
    state.is_logit = False
    one = batch(state)
    before = copy.deepcopy(state)
    row = as_numbers(train_step(state, Batches([one]), measure=True))
    assert row["d_real"] == pytest.approx(before.discriminator(one.real).mean().item(), rel=1e-5)


@pytest.mark.parametrize(
    ("name", "loss", "is_logit"),
    [
        ("dcgan", "logistic", True),
        ("dcgan", "hinge", False),
        ("dcgan", "least-squares", False),
        ("sngan", "wasserstein", False),
        ("sngan", "logistic", True),
        ("r3gan", "relativistic", False),
        ("unrolled", "hinge", False),
        ("unrolled", "logistic", True),
    ],
)
@pytest.mark.parametrize("penalties", [{}, {"r1": 1.0}, {"lecam": 0.3}], ids=str)
def test_the_loss_that_a_recipe_names_says_what_the_outputs_are(name, loss, is_logit, penalties):
    small = {"group_width": 4} if name == "r3gan" else {}
    state = build(name, loss=loss, d_norm="none", **penalties, **small)
    one = batch(state)
    outputs = copy.deepcopy(state).discriminator(one.real)
    row = train_step(state, Batches([one]), measure=True)
    expected = (outputs.sigmoid() if is_logit else outputs).mean().item()
    assert row["d_real"].item() == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_what_a_loss_and_its_copies_say_of_the_outputs_goes_before_what_the_variant_says():
    (found,) = resolve(["dcgan"])

    def hinge(recipe: Recipe, dataset: DatasetSpec) -> Losses:
        base = losses.hinge(recipe, dataset)
        return dataclasses.replace(base, d_loss=lambda *images: base.d_loss(*images) + 1)

    def own(recipe: Recipe, dataset: DatasetSpec) -> Losses:
        base = losses.hinge(recipe, dataset)
        return Losses(base.d_loss, base.g_loss)

    def is_logit(**changes: object) -> bool:
        variant = dataclasses.replace(found.variant, **changes)
        return TrainState.create(variant, variant.recipe, SPEC, CPU, seed=0).is_logit

    assert not is_logit(losses=hinge)
    assert is_logit(losses=own)
    assert not is_logit(losses=own, output="score")
    with pytest.raises(ContractError, match="output 'sigmoid' is unknown: give 'logit' or 'score'"):
        is_logit(losses=own, output="sigmoid")


@pytest.mark.parametrize("name", ["dcgan", "bigan", "acgan", "sngan", "texthash", "mlp"])
def test_a_recipe_can_fix_how_all_networks_begin(name):
    state = build(name, initial_weights="normal")
    sides = [network for key, network in state.networks.items() if state.updates[key] != "none"]
    for network in sides:
        for layer in network.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
                is_held = hasattr(layer, "parametrizations")
                weight = layer.parametrizations.weight.original if is_held else layer.weight
                count = weight.numel()
                assert weight.std().item() == pytest.approx(0.02, rel=5 / (2 * count) ** 0.5)


def test_networks_that_begin_alike_are_equal():
    one, other = (build(name, initial_weights="pytorch") for name in ("dcgan", "texthash-naive"))
    usual = build("dcgan")
    for network in ("generator", "discriminator"):
        first, second, third = (getattr(s, network).state_dict() for s in (one, other, usual))
        assert all(torch.equal(first[key], second[key]) for key in first)
        assert not all(torch.equal(first[key], third[key]) for key in first)


@pytest.mark.parametrize("name", ["r3gan", "stylegan2"])
def test_networks_with_weights_of_their_own_kind_refuse_other_initial_weights(name):
    with pytest.raises(UsageError, match=r"initial_weights=normal does not fit: .* at own"):
        build(name, initial_weights="normal")


def test_the_generators_step_leaves_no_gradient_and_no_lock_on_the_discriminator():
    state = build("dcgan")
    seen = []
    original = state.losses.g_loss

    def g_loss(discriminator, real, fake):
        seen.append([weight.requires_grad for weight in state.discriminator.parameters()])
        return original(discriminator, real, fake)

    state.losses = Losses(state.losses.d_loss, g_loss)
    train_step(state, Batches([batch(state)]))
    assert not any(seen[0])
    assert all(weight.requires_grad for weight in state.discriminator.parameters())


def test_weights_that_a_variant_froze_stay_frozen():
    state = build("mlp")
    frozen = next(state.discriminator.parameters())
    frozen.requires_grad_(False)
    before = frozen.clone()
    train_step(state, Batches([batch(state)]))
    assert not frozen.requires_grad
    assert torch.equal(frozen, before)


def test_several_discriminator_steps_move_the_generator_once():
    state = build("mlp")
    calls = []
    state.generator_optimizer.register_step_post_hook(lambda *_: calls.append("g"))
    state.discriminator_optimizer.register_step_post_hook(lambda *_: calls.append("d"))
    train_step(state, Batches([batch(state, seed) for seed in range(3)]))
    assert calls == ["d", "d", "d", "g"]


def test_the_moving_average_follows_its_formula():
    state = build("mlp", ema_decay=0.9)
    start = next(state.generator.parameters()).clone()
    learnt = []
    for number in range(1, 4):
        train_step(state, Batches([batch(state, number)]), number=number)
        learnt.append([weight.clone() for weight in state.generator.parameters()])
    averaged = list(state.sampler.parameters())
    assert state.sampler is not state.generator
    assert not any(weight.requires_grad for weight in averaged)
    assert not torch.equal(start, learnt[0][0])
    for one, two, three, mean in zip(*learnt, averaged, strict=True):
        torch.testing.assert_close(mean, (one * 0.9 + two * 0.1) * 0.9 + three * 0.1)


def test_the_moving_average_takes_the_generator_of_the_step_that_has_just_been_done():
    state = build("dcgan", ema_decay=0.9)
    train_step(state, Batches([batch(state)]))
    learnt, averaged = state.generator.state_dict(), state.sampler.state_dict()
    assert all(torch.equal(learnt[key], averaged[key]) for key in learnt)


def test_the_moving_average_has_the_mean_statistics_of_batch_norm_and_other_buffers_as_they_are():
    state = build("dcgan", ema_decay=0.9)
    state.generator.register_buffer("table", torch.zeros(2))
    state.sampler.register_buffer("table", torch.zeros(2))
    kept = []
    for number in range(1, 4):
        state.generator.table += 1
        train_step(state, Batches([batch(state, number)]), number=number)
        kept.append({key: value.clone() for key, value in state.generator.named_buffers()})
    assert any("running_mean" in name for name in kept[0])
    for name, values in state.sampler.named_buffers():
        one, two, three = (each[name] for each in kept)
        if "running" in name:
            torch.testing.assert_close(values, (one * 0.9 + two * 0.1) * 0.9 + three * 0.1)
            assert not torch.equal(values, three)
        else:
            assert torch.equal(values, three), name


def test_without_measuring_nothing_is_recorded():
    state = build("mlp")
    assert train_step(state, Batches([batch(state)])) == {}


def test_a_conditional_variant_is_judged_with_its_captions():
    state = build("texthash")
    one = batch(state)
    before = copy.deepcopy(state)
    row = as_numbers(train_step(state, Batches([one]), measure=True))
    logits = before.discriminator(one.real, one.condition)
    fake = before.generator(one.latent, one.condition)
    expected = (
        F.softplus(-logits).mean() + F.softplus(before.discriminator(fake, one.condition)).mean()
    )
    assert row["d_loss"] == pytest.approx(expected.item(), rel=1e-4)


def test_the_same_seed_builds_the_same_weights_and_another_one_does_not():
    (found,) = resolve(["mlp"])
    recipe = found.variant.recipe
    first, again, other = (
        TrainState.create(found.variant, recipe, SPEC, CPU, seed).generator.state_dict()
        for seed in (0, 0, 1)
    )
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["0.weight"], other["0.weight"])


def test_building_leaves_the_global_random_state_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    build("mlp")
    assert torch.equal(torch.rand(3), expected)


def test_a_step_of_which_nothing_is_said_is_the_first_and_of_an_untouched_budget():
    state = build("mlp")
    assert Step(state).position() == (1, 0.0)
    seen = []

    def d_loss(discriminator, real, fake, context):
        seen.append((context.step, context.share))
        return state.losses.d_loss(discriminator, real, fake)

    other = copy.copy(state)
    other.losses = Losses(d_loss, state.losses.g_loss)
    other.losses_take_context = {"d_loss": True, "g_loss": False}
    train_step(other, Batches([batch(state)]))
    run_step(other, Batches([batch(state)]))
    assert seen == [(1, 0.0), (1, 0.0)]


def test_labels_of_a_run_without_a_condition_are_handed_on_and_condition_nothing():
    state = build("mlp", generator_batch=2)
    labels = torch.arange(6)
    stream = torch.Generator().manual_seed(0)
    batches = gather(state, lambda _: (torch.zeros(6, 1, 32, 32), labels), stream, None)
    (first,), (second,) = batches.discriminator, batches.generator
    assert (first.condition, second.condition) == (None, None)
    assert first.labels.tolist() == [*range(6)]
    assert second.labels.tolist() == [*range(6), *range(6)]
    unlabelled = gather(state, lambda _: (torch.zeros(6, 1, 32, 32), None), stream, labels)
    assert unlabelled.discriminator[0].condition is None


@pytest.mark.parametrize("name", ["d_loss", "g_loss"])
@pytest.mark.parametrize(
    ("given", "said"), [(lambda images: images.mean(dim=(1, 2, 3)), r"\(6,\)"), (len, "int")]
)
def test_a_loss_that_is_no_scalar_is_refused_by_its_name(name, given, said):
    state = build("mlp")
    wrong = {name: lambda discriminator, real, fake: given(fake)}
    state.losses = Losses(**{"d_loss": state.losses.d_loss, "g_loss": state.losses.g_loss, **wrong})
    with pytest.raises(
        ContractError, match=f"{name} must return a scalar tensor, and gives {said}"
    ):
        train_step(state, Batches([batch(state)]))


D, G, M = "discriminator", "generator", "measures"


@pytest.mark.parametrize(
    ("returns_outputs", "measure", "expected"),
    [
        (True, False, [D, G]),
        (False, False, [D, G]),
        (True, True, [D, M, G, M]),
        (False, True, [D, M, D, M, G, M, G, M]),  # outputs are asked for before the update
    ],
)
def test_each_phase_is_marked_when_it_ends(returns_outputs, measure, expected):
    state = build("mlp", ema_decay=0.5)
    if not returns_outputs:
        of = state.losses
        state.losses = Losses(lambda *a: of.d_loss(*a).loss, lambda *a: of.g_loss(*a).loss)
    marked = []
    train_step(state, Batches([batch(state)]), measure=measure, mark=marked.append)
    assert marked == [*expected, "average"]
