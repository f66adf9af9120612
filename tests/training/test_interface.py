"""What a variant may bring: losses that see and keep more, networks, rates, packing, steps."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch
from doubles import tiny_spec, tiny_split
from torch import nn

import ganbench
from ganbench import (
    Condition,
    ContractError,
    Losses,
    LossOutput,
    Network,
    Recipe,
    UsageError,
)
from ganbench.errors import ExecutionError
from ganbench.machine.device import choose
from ganbench.training.average import decay
from ganbench.training.optimizers import Schedules, build_optimizer, parameter_groups
from ganbench.training.session import Diverged, Session
from ganbench.training.state import TrainState
from ganbench.training.step import MEASURES, train_step
from ganbench.variant.budget import Budget
from ganbench.variant.registry import resolve

SPEC = tiny_spec(count=40)
CPU = torch.device("cpu")
MLP = resolve(["mlp"])[0].variant


class Numbers(ganbench.ComposedRecipe):
    gamma: ganbench.Scheduled = ganbench.scheduled(10.0, ge=0, description="a weight")
    lr_extra: ganbench.Scheduled = ganbench.scheduled(0.5, gt=0, description="a rate")


def variant(**parts):
    return dataclasses.replace(MLP, **parts)


def session(of=MLP, budget=None, **numbers):
    small = {"generator_width": 4, "discriminator_width": 4, "image_size": 32, "batch_size": 8}
    recipe = Numbers().override({**small, **numbers})
    state = TrainState.create(of, recipe, SPEC, CPU, 0)
    state.train()
    return Session(state, tiny_split(SPEC), SPEC, choose("cpu"), 0, budget=budget)


def advanced(one, steps):
    for _ in range(steps):
        one.advance()
    return one


# --- Losses


def seeing(record, **scalars):
    """Losses that note the context of each call."""

    def losses(recipe, dataset):
        base = ganbench.losses.hinge(recipe, dataset)

        def d_loss(discriminator, real, fake, context):
            record.append(context)
            return base.d_loss(discriminator, real, fake).recording(
                **{name: make(context) for name, make in scalars.items()}
            )

        return Losses(d_loss, base.g_loss)

    return losses


def test_a_loss_is_told_the_step_and_the_share_of_the_budget():
    seen, positions = [], []
    losses = seeing(seen, position=lambda context: torch.tensor(float(context.step)))
    one = session(variant(losses=losses), Budget(4, "steps"), gamma="8:0")
    for _ in range(4):
        one.advance()
        context = seen[-1]
        positions.append((context.step, context.share, context.value("gamma"), context.every(2)))
    assert positions == [
        (1, 0, 8, True),
        (2, 0.25, 6, False),
        (3, 0.5, 4, True),
        (4, 0.75, 2, False),
    ]
    assert [row["position"] for row in one.history] == [1, 2, 3, 4]


def test_a_loss_sees_latents_labels_and_networks_by_name():
    seen = []
    condition = lambda recipe, dataset: Condition.on_labels(dataset, networks=())  # noqa: E731
    one = advanced(session(variant(losses=seeing(seen), condition=condition)), 1)
    context = seen[0]
    assert context.networks["generator"] is one.state.generator
    assert context.latent.shape == (8, 100)
    assert context.labels.shape == (8,)
    assert context.generate(context.latent[:3]).shape == (3, 1, 32, 32)


def test_a_scalar_that_is_not_returned_in_a_step_keeps_its_last_value():
    def losses(recipe, dataset):
        base = ganbench.losses.bce(recipe, dataset)

        def d_loss(discriminator, real, fake, context):
            output = base.d_loss(discriminator, real, fake)
            lazy = {"penalty": torch.tensor(float(context.step))} if context.every(4) else {}
            return output.recording(**lazy)

        return Losses(d_loss, base.g_loss)

    one = advanced(session(variant(losses=losses)), 7)
    assert [row["penalty"] for row in one.history] == [1, 1, 1, 1, 5, 5, 5]
    resumed = session(variant(losses=losses))
    resumed.restore(one.checkpoint())
    assert [row["penalty"] for row in advanced(resumed, 1).history] == [1, 1, 1, 1, 5, 5, 5, 5]


class Mean(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(()))


def keeping(recipe, dataset):
    """A loss with a moving mean of D(x) that it subtracts."""
    base, state = ganbench.losses.hinge(recipe, dataset), Mean()

    def d_loss(discriminator, real, fake):
        output = base.d_loss(discriminator, real, fake)
        state.mean.lerp_(output.real.detach().mean(), 0.5)
        return output + (output.real.mean() - state.mean).square()

    return Losses(d_loss, base.g_loss, state)


def test_what_a_loss_keeps_is_saved_and_resumed_to_the_last_bit():
    whole = advanced(session(variant(losses=keeping)), 6)
    first = advanced(session(variant(losses=keeping)), 3)
    second = session(variant(losses=keeping))
    second.restore(first.checkpoint())
    advanced(second, 3)
    assert whole.state.networks["losses"].mean != 0
    for name, network in whole.state.networks.items():
        other = second.state.networks[name].state_dict()
        assert all(torch.equal(value, other[key]) for key, value in network.state_dict().items())


def test_outputs_that_a_loss_does_not_return_are_asked_for_without_a_trace():
    def plain(recipe, dataset):
        base = ganbench.losses.bce(recipe, dataset)
        return Losses(lambda *a: base.d_loss(*a).loss, lambda *a: base.g_loss(*a).loss)

    dcgan = resolve(["dcgan"])[0].variant  # its BatchNorm keeps statistics
    returned = advanced(session(dcgan), 3)
    asked = advanced(session(dataclasses.replace(dcgan, losses=plain)), 3)
    for row, other in zip(returned.history, asked.history, strict=True):
        assert {name: other[name] for name in MEASURES} == pytest.approx(
            {name: row[name] for name in MEASURES}, rel=1e-5
        )
    for key, value in returned.state.discriminator.state_dict().items():
        assert torch.equal(asked.state.discriminator.state_dict()[key], value)


def test_several_outputs_that_a_loss_does_not_return_are_refused_where_they_are_measured():
    class Two(nn.Module):
        def __init__(self, recipe, dataset):
            super().__init__()
            self.linear = nn.Linear(32 * 32, 2)

        def forward(self, images):
            return self.linear(images.flatten(1)).split(1, dim=1)

    def losses(recipe, dataset):
        def loss(discriminator, real, fake):
            return discriminator(fake)[0].mean() - discriminator(real)[0].mean()

        return Losses(loss, loss)

    with pytest.raises(ContractError, match="the discriminator returns several outputs"):
        session(variant(discriminator=Two, losses=losses)).advance()


def test_outputs_of_any_shape_are_reported_by_their_mean():
    def patches(recipe, dataset):
        return nn.Sequential(nn.Conv2d(dataset.channels, 1, 4, 4))

    one = advanced(session(variant(discriminator=patches, output="score")), 1)
    assert math.isfinite(one.history[0]["d_real"])


def test_a_loss_can_call_the_discriminator_with_other_weights_and_leaves_it_as_it_is():
    seen = []

    def losses(recipe, dataset):
        base = ganbench.losses.bce(recipe, dataset)

        def g_loss(discriminator, real, fake, context):
            network = context.networks["discriminator"]
            doubled = {name: 2 * value for name, value in network.named_parameters()}
            before = {name: value.clone() for name, value in network.state_dict().items()}
            outputs = discriminator(fake, weights={name: w.detach() for name, w in doubled.items()})
            assert all(torch.equal(network.state_dict()[key], before[key]) for key in before)
            with torch.no_grad():
                for name, weight in network.named_parameters():
                    weight.copy_(doubled[name])
            seen.append((outputs.detach(), discriminator(fake).detach()))
            return base.g_loss(discriminator, real, fake)

        return Losses(base.d_loss, g_loss)

    dcgan = resolve(["dcgan"])[0].variant  # its BatchNorm keeps statistics
    advanced(session(dataclasses.replace(dcgan, losses=losses), packing=2), 1)
    other, own = seen[-1]
    assert other.shape == (4, 1)
    torch.testing.assert_close(other, own)


def test_a_loss_output_is_calculated_with_like_its_loss():
    output = LossOutput(torch.tensor(3.0), torch.ones(2), scalars={"a": torch.tensor(1.0)})
    changed = -((output + 1 - 2) * 4 / 2)
    assert float(changed.loss) == -4
    assert changed.real is output.real
    assert set(changed.recording(b=torch.tensor(2.0)).scalars) == {"a", "b"}


def test_a_ready_made_loss_says_what_it_needs_of_a_discriminator_with_several_outputs():
    class Two(nn.Module):
        def __init__(self, recipe, dataset):
            super().__init__()
            self.linear = nn.Linear(32 * 32, 2)

        def forward(self, images):
            return self.linear(images.flatten(1)).split(1, dim=1)

    with pytest.raises(ContractError, match="returns a tuple, and this loss needs a tensor"):
        session(variant(discriminator=Two)).advance()


# --- Networks and rates


def encoder(recipe, dataset):
    return nn.Sequential(nn.Flatten(), nn.Linear(32 * 32, recipe.latent_dim))


def encoding(recipe, dataset):
    base = ganbench.losses.bce(recipe, dataset)

    def d_loss(discriminator, real, fake, context):
        code = context.networks["encoder"](real)  # must not learn from the discriminator's loss
        return base.d_loss(discriminator, real, fake) + code.square().mean()

    def g_loss(discriminator, real, fake, context):
        code = context.networks["encoder"](fake)
        return base.g_loss(discriminator, real, fake) + (code - context.latent).square().mean()

    return Losses(d_loss, g_loss)


@pytest.mark.parametrize(("update", "moves"), [("generator", True), ("none", False)])
def test_a_further_network_is_trained_by_the_update_that_it_names(update, moves):
    networks = {"encoder": Network(encoder, update)}
    one = session(variant(networks=networks, losses=encoding))
    before = [weight.clone() for weight in one.state.networks["encoder"].parameters()]
    advanced(one, 1)
    pairs = zip(before, one.state.networks["encoder"].parameters(), strict=True)
    assert all(not torch.equal(old, new) for old, new in pairs) == moves
    assert ("encoder" in one.state.trained_by("generator")) == moves


def test_a_further_network_of_the_generators_update_is_held_in_the_discriminators():
    seen = []

    def losses(recipe, dataset):
        base = ganbench.losses.bce(recipe, dataset)

        def d_loss(discriminator, real, fake, context):
            seen.append(context.networks["encoder"](real).requires_grad)
            return base.d_loss(discriminator, real, fake)

        return Losses(d_loss, encoding(recipe, dataset).g_loss)

    one = advanced(session(variant(networks={"encoder": Network(encoder)}, losses=losses)), 1)
    assert set(seen) == {False}
    assert all(weight.requires_grad for weight in one.state.networks["encoder"].parameters())


def test_further_networks_change_nothing_of_the_others_weights():
    plain = session()
    one = session(variant(networks={"encoder": Network(encoder)}, losses=encoding))
    for name in ("generator", "discriminator"):
        for key, value in plain.state.networks[name].state_dict().items():
            assert torch.equal(one.state.networks[name].state_dict()[key], value)


def test_a_teacher_that_no_optimizer_trains_may_follow_in_place():
    def losses(recipe, dataset):
        base = ganbench.losses.bce(recipe, dataset)

        def d_loss(discriminator, real, fake, context):
            teacher, student = (context.networks[n] for n in ("teacher", "discriminator"))
            pairs = zip(teacher.parameters(), student.parameters(), strict=True)
            with torch.no_grad():
                for held, new in pairs:
                    held.lerp_(new, 1.0 if context.step == 1 else 0.5)
            return base.d_loss(discriminator, real, fake)

        return Losses(d_loss, base.g_loss)

    follower = variant(networks={"teacher": Network(MLP.discriminator, "none")}, losses=losses)
    one = advanced(session(follower), 1)
    untrained = session().state.discriminator.state_dict()
    teacher = one.state.networks["teacher"].state_dict()
    assert all(torch.equal(teacher[key], value) for key, value in untrained.items())
    resumed = session(follower)
    resumed.restore(one.checkpoint())
    whole = advanced(session(follower), 3).state.networks["teacher"].state_dict()
    found = advanced(resumed, 2).state.networks["teacher"].state_dict()
    assert all(torch.equal(found[key], value) for key, value in whole.items())


@pytest.mark.parametrize("name", ["generator", "losses", "not a name"])
def test_a_name_that_is_taken_is_refused(name):
    with pytest.raises(ContractError, match="a further network cannot have the name"):
        session(variant(networks={name: Network(encoder)}))


def test_a_part_of_a_network_has_a_learning_rate_of_its_own():
    one = session(variant(learning_rates={"generator.0": "lr_extra"}), Budget(4, "steps"),
                  lr_extra="0.5:0", lr_g=0.25)  # fmt: skip
    groups = one.state.generator_optimizer.param_groups
    first = dict(one.state.generator.named_parameters())["0.weight"]
    (own,) = [group for group in groups if any(value is first for value in group["params"])]
    (rest,) = [group for group in groups if group is not own]
    assert (own["lr"], rest["lr"]) == (0.5, 0.25)
    advanced(one, 3)
    assert (own["lr"], rest["lr"]) == (0.25, 0.25)


def test_a_learning_rate_that_is_no_field_is_refused():
    with pytest.raises(UsageError, match=r"lr_extr.*lr_extra"):
        session(variant(learning_rates={"generator": "lr_extr"}))


@pytest.mark.parametrize(
    ("numbers", "kind", "expected"),
    [
        ({}, torch.optim.Adam,
         {"betas": (0.5, 0.999), "eps": 1e-8, "decoupled_weight_decay": False}),
        ({"optimizer": "adamw", "weight_decay": 0.1}, torch.optim.AdamW,
         {"weight_decay": 0.1, "decoupled_weight_decay": True}),
        ({"optimizer": "rmsprop", "beta1": 0, "beta2": 0.99, "eps": 1e-6}, torch.optim.RMSprop,
         {"alpha": 0.99, "momentum": 0, "eps": 1e-6}),
        ({"optimizer": "sgd", "beta1": 0.9}, torch.optim.SGD, {"momentum": 0.9}),
    ],
)  # fmt: skip
def test_the_recipe_names_the_optimizer_and_its_numbers(numbers, kind, expected):
    one = advanced(session(**numbers), 1)
    for optimizer in one.state.optimizers.values():
        assert isinstance(optimizer, kind)
        assert expected.items() <= optimizer.param_groups[0].items()


def test_an_optimizer_of_ones_own_is_used():
    def optimizer(recipe, groups, update):
        return torch.optim.Rprop(groups)

    one = advanced(session(variant(optimizer=optimizer)), 2)
    assert {type(each) for each in one.state.optimizers.values()} == {torch.optim.Rprop}


def test_betas_follow_their_schedule():
    one = advanced(session(budget=Budget(2, "steps"), beta2="0.9:0.99"), 2)
    assert one.state.generator_optimizer.param_groups[0]["betas"] == (0.5, pytest.approx(0.945))


@pytest.mark.parametrize(
    ("numbers", "change"),
    [
        ({}, False),
        ({"lr_g": "0.1:0"}, False),
        ({"beta2": "0.9:0.99"}, True),
        ({"optimizer": "rmsprop", "beta1": 0, "beta2": "0.9:0.99"}, False),  # it has no betas
    ],
)
def test_only_betas_with_a_schedule_change(numbers, change):
    assert session(**numbers).state.schedules.change_betas == change


def test_a_rate_that_a_captured_step_reads_from_its_place_changes_there():
    rate = torch.tensor(0.5)
    optimizer = torch.optim.Adam([nn.Parameter(torch.zeros(3))], lr=rate)
    schedules = Schedules()
    schedules.follow(optimizer, Recipe().override({"lr_g": "0.5:0"}), ["lr_g"])
    schedules.set(0.75)
    assert optimizer.param_groups[0]["lr"] is rate
    assert float(rate) == 0.125


@pytest.mark.parametrize("capturable", [False, True])
@pytest.mark.parametrize("rate", [0.5, "0.5:0"])
def test_a_rate_lies_on_the_device_only_where_it_changes_in_a_captured_step(capturable, rate):
    recipe = Recipe().override({"lr_g": rate})
    groups = parameter_groups(recipe, "generator", {"generator": nn.Linear(2, 2)}, {})
    optimizer = build_optimizer(recipe, groups, fused=False, capturable=capturable)
    given = optimizer.param_groups[0]["lr"]
    assert isinstance(given, torch.Tensor) == (capturable and rate == "0.5:0")
    assert float(given) == 0.5


def test_weights_of_the_discriminator_are_clipped_after_its_update():
    one = advanced(session(weight_clip=0.01), 2)
    most = {
        name: max(float(weight.detach().abs().max()) for weight in network.parameters())
        for name, network in one.state.networks.items()
    }
    assert most["discriminator"] == pytest.approx(0.01)
    assert most["generator"] > 0.02


# --- Batches


def test_packed_images_are_joined_along_the_channels():
    seen = []

    def discriminator(recipe, dataset):
        network = nn.Sequential(nn.Flatten(), nn.Linear(dataset.channels * 32 * 32, 1))
        network.register_forward_hook(lambda _, given, output: seen.append((given[0], output)))
        return network

    one = session(variant(discriminator=discriminator), packing=2)
    real = one.batches().discriminator[0].real
    one = session(variant(discriminator=discriminator), packing=2)
    seen.clear()
    advanced(one, 1)
    images, outputs = seen[0]
    assert outputs.shape == (4, 1)
    assert torch.equal(images[1, 0], real[2, 0])
    assert torch.equal(images[1, 1], real[3, 0])


@pytest.mark.parametrize(("numbers", "message"), [({"packing": 3}, "no multiple of packing=3")])
def test_numbers_that_do_not_go_together_are_refused(numbers, message):
    with pytest.raises(UsageError, match=message):
        session(**numbers)


def test_packing_and_a_conditional_discriminator_are_refused():
    texthash = resolve(["texthash"])[0].variant
    recipe = texthash.recipe.override({"packing": 2, "image_size": 32})
    with pytest.raises(UsageError, match="leave packing at 1"):
        TrainState.create(texthash, recipe, SPEC, CPU, 0)


def test_the_generators_batch_may_be_a_multiple_and_its_steps_several():
    one = session(generator_batch=2, g_steps=3, d_steps=2)
    batches = one.batches()
    assert [len(batch.latent) for batch in batches.discriminator] == [8, 8]
    assert [len(batch.latent) for batch in batches.generator] == [16, 16, 16]
    latents = [batch.latent for batch in (*batches.discriminator, *batches.generator)]
    assert len({float(latent.sum()) for latent in latents}) == 5
    calls = []
    one.prepare()
    one.state.generator_optimizer.register_step_post_hook(lambda *_: calls.append("g"))
    one.state.discriminator_optimizer.register_step_post_hook(lambda *_: calls.append("d"))
    advanced(one, 1)
    assert calls == ["d", "d", "g", "g", "g"]
    assert one.images_seen == 16


def test_conditions_are_repeated_for_a_larger_generators_batch():
    texthash = resolve(["texthash"])[0].variant
    recipe = texthash.recipe.override(
        {"image_size": 32, "batch_size": 8, "generator_width": 4, "generator_batch": 2}
    )
    state = TrainState.create(texthash, recipe, SPEC, CPU, 0)
    one = Session(state, tiny_split(SPEC), SPEC, choose("cpu"), 0)
    batches = one.batches()
    first = batches.discriminator[0].condition
    assert torch.equal(batches.generator[0].condition, torch.cat([first, first]))
    advanced(one, 1)


def test_uniform_latents_lie_between_minus_one_and_one_and_fill_it():
    latent = session(latent="uniform").batches().discriminator[0].latent
    assert latent.abs().max() <= 1
    assert latent.std() == pytest.approx(1 / math.sqrt(3), rel=0.1)


def test_latents_of_ones_own_are_drawn_in_training_and_in_sampling():
    from ganbench.scoring.draw import latents

    def latent(recipe, dataset):
        def sample(count, generator):
            codes = torch.randint(0, 2, (count, recipe.latent_dim), generator=generator)
            return codes.float() * 2 - 1

        return sample

    one = session(variant(latent=latent))
    for values in (one.batches().discriminator[0].latent, latents(one.state, 5, 0, "sample")):
        assert set(values.flatten().tolist()) == {-1.0, 1.0}


def test_augmentation_is_applied_to_all_that_the_discriminator_sees_and_keeps_its_state():
    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("calls", torch.zeros((), dtype=torch.int64))

        def forward(self, images):
            self.calls += 1
            return images

    one = advanced(session(variant(augment=lambda recipe, dataset: Counting())), 2)
    assert one.state.networks["augment"].calls == 2 * 3  # real, fake, and fake for the generator
    resumed = session(variant(augment=lambda recipe, dataset: Counting()))
    resumed.restore(one.checkpoint())
    assert advanced(resumed, 1).state.networks["augment"].calls == 9


# --- Conditions


def test_networks_are_given_the_class_of_each_image():
    class Generator(nn.Module):
        def __init__(self, recipe, dataset):
            super().__init__()
            self.table = nn.Embedding(len(dataset.class_names), 32 * 32)

        def forward(self, latent, labels):
            return self.table(labels).tanh().view(-1, 1, 32, 32) * latent[:, :1, None, None].tanh()

    class Discriminator(nn.Module):
        def __init__(self, recipe, dataset):
            super().__init__()
            self.table = nn.Embedding(len(dataset.class_names), 32 * 32)

        def forward(self, images, labels):
            return (self.table(labels) * images.flatten(1)).sum(1)

    conditional = variant(
        generator=Generator,
        discriminator=Discriminator,
        condition=lambda recipe, dataset: Condition.on_labels(dataset),
    )
    one = session(conditional)
    batch = one.batches().discriminator[0]
    assert torch.equal(batch.condition, batch.labels)
    assert set(advanced(one, 2).history[0]) >= set(MEASURES)


# --- Steps of one's own


def test_a_step_of_ones_own_is_done_instead_of_the_usual_one():
    def step(step, batches):
        for batch in batches.discriminator:
            step.update_discriminator(batch)
        step.update_generator(batches.discriminator[-1])
        step.record(
            number=torch.tensor(float(step.number)), gamma=torch.tensor(step.value("gamma"))
        )

    own = advanced(session(variant(step=step), Budget(4, "steps"), gamma="8:0"), 3)
    usual = advanced(session(), 3)
    assert [(row["number"], row["gamma"]) for row in own.history] == [(1, 8), (2, 6), (3, 4)]
    for key, value in usual.state.generator.state_dict().items():
        torch.testing.assert_close(own.state.generator.state_dict()[key], value)


def test_a_step_that_leaves_out_an_update_is_refused():
    def step(step, batches):
        step.update_discriminator(batches.discriminator[0])

    with pytest.raises(ContractError, match="must call update_discriminator and update_generator"):
        session(variant(step=step)).advance()


def test_a_captured_step_cannot_look_at_its_number():
    seen = []
    losses = seeing(seen, position=lambda context: torch.tensor(float(context.step)))
    one = session(variant(losses=losses))
    batches = one.batches()
    train_step(one.state, batches)
    from ganbench.training.step import run_step

    with pytest.raises(ExecutionError, match="look at the number of the step"):
        run_step(one.state, batches, is_captured=True)


# --- The moving average


@pytest.mark.parametrize(
    ("numbers", "step", "expected"),
    [
        ({"ema_decay": 0.9}, 1, 0.0),
        ({"ema_decay": 0.9}, 2, 0.9),
        ({"ema_decay": 0.9, "ema_start": 5}, 5, 0.0),
        ({"ema_decay": 0.9, "ema_start": 5}, 6, 0.9),
        ({"ema_half_life_kimg": 0.5}, 9, 0.5 ** (64 / 500)),
        ({"ema_half_life_kimg": 0.5, "ema_ramp": 0.05}, 2, 0.5 ** (64 / (0.05 * 128))),
        ({"ema_decay": 0.9, "ema_ramp": 0.05}, 40, 0.5 ** (1 / 2)),  # half in 2 steps of 40
        ({"ema_decay": 0.9, "ema_ramp": 0.05}, 4000, 0.9),
        ({"ema_half_life_kimg": 0.5, "d_steps": 3}, 9, 0.5 ** (3 * 64 / 500)),
        ({"ema_half_life_kimg": 0.001, "ema_ramp": 0, "batch_size": 2}, 9, 0.25),
        ({"ema_half_life_kimg": "0:0"}, 9, 0.0),
        ({"ema_decay": "0.5:1e-9"}, 9, 0.25),
    ],
)
def test_the_decay_of_the_average_is_that_of_the_recipe(numbers, step, expected):
    assert decay(Recipe().override(numbers), step, 0.5) == pytest.approx(expected, abs=1e-6)


def test_what_the_generators_update_trains_is_averaged():
    networks = {"encoder": Network(encoder)}
    one = advanced(session(variant(networks=networks, losses=encoding), ema_decay=0.5), 2)
    assert set(one.state.average.networks) == {"generator", "encoder"}


# --- Legal oddities


def test_networks_of_any_kind_are_legal():
    class Odd(nn.Module):
        def __init__(self, recipe, dataset):
            super().__init__()
            self.scalar = nn.Parameter(torch.ones(()))
            self.five = nn.Parameter(torch.ones(1, 1, 1, 1, 1))
            self.register_buffer("mask", torch.full((2, 2), -math.inf))
            self.lazy = nn.LazyLinear(32 * 32)
            self.calls = 0

        def get_extra_state(self):
            return {"calls": self.calls}

        def set_extra_state(self, state):
            self.calls = state["calls"]

        def forward(self, latent):
            self.calls += self.training
            scale = self.scalar * self.five.view(())
            return (self.lazy(latent) * scale).tanh().view(-1, 1, 32, 32)

    odd = variant(generator=Odd)
    whole = advanced(session(odd, ema_decay=0.5), 4)
    first = advanced(session(odd, ema_decay=0.5), 2)
    second = session(odd, ema_decay=0.5)
    second.restore(first.checkpoint())
    advanced(second, 2)
    whole.check_finite()
    calls = whole.state.generator.get_extra_state()
    assert calls["calls"] >= 4
    assert (
        whole.state.sampler.get_extra_state() == calls
    )  # copied, as a number of calls has no mean
    for of in ("generator", "sampler"):
        expected, found = (getattr(each.state, of).state_dict() for each in (whole, second))
        assert found.pop("_extra_state") == expected.pop("_extra_state")
        differ = [key for key, value in expected.items() if not torch.equal(found[key], value)]
        assert differ == []


def test_a_lazy_network_is_given_its_shape_at_the_beginning_of_the_budget():
    def lazy(recipe, dataset):
        return nn.Sequential(nn.Flatten(), nn.LazyLinear(1))

    seen = []
    session(variant(discriminator=lazy, losses=seeing(seen)))
    assert [(context.step, context.share) for context in seen] == [(1, 0.0)]


# --- The contract at the start of a run


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda images: images * 9, "outside \\[-1, 1\\]"),
        (lambda images: images / 0, "not finite"),
        (lambda images: images.double(), "torch.float64 and not torch.float32"),
        (lambda images: images[:, :, :-1], "draws \\(4, 1, 31, 32\\) and not \\(4, 1, 32, 32\\)"),
        (lambda images: [images], "draws list and not a tensor"),
    ],
)
def test_a_generator_that_does_not_draw_what_is_promised_is_refused(change, message):
    class Changed(nn.Module):
        def __init__(self, recipe, dataset):
            super().__init__()
            self.network = MLP.generator(recipe, dataset)

        def forward(self, latent):
            return change(self.network(latent))

    with pytest.raises(ContractError, match=message):
        session(variant(generator=Changed)).advance()


def test_images_that_are_clamped_when_drawn_may_leave_the_range():
    class Loud(nn.Module):
        def __init__(self, recipe, dataset):
            super().__init__()
            self.network = MLP.generator(recipe, dataset)

        def forward(self, latent):
            return self.network(latent) * 9

    advanced(session(variant(generator=Loud, clamp=True)), 1)


def test_images_that_are_not_finite_at_the_end_are_a_divergence():
    one = advanced(session(resolve(["dcgan"])[0].variant), 1)
    one.check_finite()
    for module in one.state.generator.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.fill_(math.nan)
    with pytest.raises(Diverged, match="not finite, after step 1"):
        one.check_finite()
