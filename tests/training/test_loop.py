"""The shared loop: order of the data, budgets, events, checkpoints."""

from __future__ import annotations

import io
import math

import pytest
import torch
from doubles import NEVER, tiny_spec, tiny_split, train_to_end

from ganbench.machine.device import choose
from ganbench.training import loop
from ganbench.training.batches import DataOrder
from ganbench.training.loop import train
from ganbench.training.session import HISTORY_COLUMNS, Diverged, Session
from ganbench.training.state import TrainState
from ganbench.variant.budget import Budget
from ganbench.variant.definition import Losses
from ganbench.variant.registry import resolve

SPEC = tiny_spec(count=40)
CPU = torch.device("cpu")


def session(name: str = "mlp", seed: int = 0, **changes: object) -> Session:
    (found,) = resolve([name])
    small = {"generator_width": 4, "discriminator_width": 4, "image_size": 32, "batch_size": 8}
    recipe = found.variant.recipe.override({**small, **changes})
    state = TrainState.create(found.variant, recipe, SPEC, CPU, seed)
    return Session(state, tiny_split(SPEC), SPEC, choose("cpu"), seed)


def weights(one: Session) -> dict[str, torch.Tensor]:
    values = {}
    for network in ("generator", "discriminator"):
        for key, value in getattr(one.state, network).state_dict().items():
            values[f"{network}.{key}"] = value
    return values


def test_variants_with_the_same_seed_see_the_same_images():
    small, conv = session("mlp"), session("dcgan")
    assert torch.equal(small.batches().discriminator[0].real, conv.batches().discriminator[0].real)


def test_batches_are_the_stored_images_scaled_to_plus_minus_one():
    one = session()
    (batch,) = one.batches().discriminator
    chosen = DataOrder(40, 0, CPU).indices(0, 8)
    expected = tiny_split(SPEC).images[chosen].double() * 2 / 255 - 1
    torch.testing.assert_close(batch.real.double(), expected, atol=1e-6, rtol=0)
    assert batch.real.min() >= -1
    assert batch.real.max() <= 1


def test_a_conditional_variant_gets_the_caption_of_each_images_class():
    one = session("texthash")
    (batch,) = one.batches().discriminator
    chosen = DataOrder(40, 0, CPU).indices(0, 8)
    for index, row in zip(chosen.tolist(), batch.condition, strict=True):
        caption = SPEC.captions[index % 4]
        assert torch.equal(row, one.state.condition.encode(caption))


@pytest.mark.parametrize(
    ("budget", "steps"),
    [("7steps", 7), ("2epochs", 10), ("1.5epochs", 8), ("0.03kimg", 4)],
)
def test_a_budget_ends_after_its_steps(budget, steps):
    one = session()
    train_to_end(one, Budget.parse(budget))
    assert one.steps == steps
    assert one.images_seen == steps * 8


def test_a_budget_of_seconds_ends_with_the_training_clock():
    one = session()
    train_to_end(one, Budget(0.3, "s"))
    assert one.clock.seconds >= 0.3
    assert one.clock.seconds - max(one.clock.step_seconds) < 0.35
    assert sum(one.clock.step_seconds) == pytest.approx(one.clock.seconds, abs=0.05)


def test_several_discriminator_steps_consume_as_many_batches():
    one = session(d_steps=3)
    train_to_end(one, Budget(2, "steps"))
    assert one.images_seen == 2 * 3 * 8


def test_the_history_holds_the_first_steps_and_then_every_fiftieth():
    one = session()
    train_to_end(one, Budget(160, "steps"))
    assert [row["step"] for row in one.history] == [*range(1, 51), 100, 150]
    assert all(set(row) == set(HISTORY_COLUMNS) for row in one.history)
    assert all(math.isfinite(value) for row in one.history for value in row.values())
    assert one.history[-1]["epoch"] == pytest.approx(150 * 8 / 40)


def steps_of(events, kind: str) -> list[int]:
    """After which steps events of a kind came."""
    return [event.session.steps for event in events if event.kind == kind]


def kinds_by_step(events) -> list[tuple[int, str]]:
    return [(event.session.steps, event.kind) for event in events]


def test_samples_are_due_after_the_first_epoch_and_at_each_interval():
    events = train(session(), Budget(30, "steps"), Budget(2, "epochs"))
    assert steps_of(events, "sample") == [5, 10, 20, 30]


def test_every_step_is_an_event():
    assert steps_of(train(session(), Budget(7, "steps"), NEVER), "stepped") == [*range(1, 8)]


def test_a_checkpoint_follows_each_evaluation():
    events = train(session(), Budget(4, "steps"), NEVER, Budget(2, "steps"))
    assert kinds_by_step(events) == [
        (1, "stepped"), (2, "stepped"), (2, "evaluate"), (2, "save"),
        (3, "stepped"), (4, "stepped"), (4, "evaluate"), (4, "save"),
    ]  # fmt: skip


def test_a_checkpoint_is_due_after_a_while_sooner_at_the_end_of_an_epoch(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(loop.time, "monotonic", lambda: now[0])
    saved = []
    for event in train(session(), Budget(20, "steps"), NEVER):  # an epoch has 5 steps
        if event.kind == "stepped":
            now[0] += {4: 19.0, 7: 2.0, 12: 181.0}.get(event.session.steps, 0.0)
        elif event.kind == "save":
            saved.append(event.session.steps)
    assert saved == [10, 12]  # after 21 s at the end of an epoch, and after 181 s in between


def test_the_clock_runs_for_steps_alone():
    running = {
        event.kind: event.session.clock.is_running
        for event in train(session(), Budget(6, "steps"), Budget(1, "epochs"), Budget(2, "steps"))
    }
    assert running == {"stepped": True, "sample": False, "evaluate": False, "save": False}


def test_the_first_step_after_an_event_is_charged_but_not_timed():
    one = session()
    scored = steps_of(train(one, Budget(40, "steps"), NEVER, Budget(7, "steps")), "evaluate")
    assert scored == [7, 14, 21, 28, 35]
    seconds, timing = one.clock.step_seconds, one.clock.timing(8)
    expected = [seconds[step - 1] for step in range(9, 41) if step - 1 not in scored]
    assert timing.step_seconds == tuple(expected)
    assert timing.train_seconds >= sum(seconds)


def test_a_loss_that_is_not_finite_ends_the_run():
    one = session()
    original = one.state.losses

    def d_loss(discriminator, real, fake):
        output = original.d_loss(discriminator, real, fake)
        return output * float("inf") if one.steps == 3 else output

    one.state.losses = Losses(d_loss, original.g_loss)
    with pytest.raises(Diverged, match="d_loss is not finite at step 4"):
        train_to_end(one, Budget(10, "steps"))
    assert one.steps == 4


def test_weights_that_are_not_finite_are_seen_between_two_measured_steps():
    one = session()
    train_to_end(one, Budget(55, "steps"))
    one.check_finite()
    with torch.no_grad():
        next(one.state.generator.parameters())[0, 0] = float("nan")
    with pytest.raises(Diverged, match="the generator is not finite after step 55"):
        one.check_finite()


def test_a_request_to_stop_saves_between_two_steps_and_ends():
    one = session()
    events = train(one, Budget(10, "steps"), NEVER, stop=lambda: one.steps == 3)
    assert kinds_by_step(events)[-3:] == [(3, "stepped"), (3, "save"), (3, "stop")]
    assert not one.clock.is_running


def test_what_a_step_raises_stops_the_clock():
    one = session()
    one.state.losses = Losses(lambda *_: 1 / 0, one.state.losses.g_loss)
    with pytest.raises(ZeroDivisionError):
        train_to_end(one, Budget(10, "steps"))
    assert not one.clock.is_running


def through_a_file(values: dict[str, object]) -> dict[str, object]:
    file = io.BytesIO()
    torch.save(values, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


@pytest.mark.parametrize("name", ["mlp", "dcgan", "texthash"])
def test_a_run_that_was_interrupted_ends_with_the_very_weights_of_one_that_was_not(name):
    changes = {"ema_decay": 0.9, "d_steps": 2}
    whole = session(name, **changes)
    train_to_end(whole, Budget(11, "steps"))

    first = session(name, **changes)
    train_to_end(first, Budget(4, "steps"))
    stored = through_a_file(first.checkpoint())
    torch.manual_seed(12345)  # another process has another global state
    second = session(name, **changes)
    second.restore(stored)
    train_to_end(second, Budget(11, "steps"))

    expected, found = weights(whole), weights(second)
    assert all(torch.equal(expected[key], found[key]) for key in expected)
    averages = whole.state.sampler.state_dict(), second.state.sampler.state_dict()
    assert all(torch.equal(averages[0][key], averages[1][key]) for key in averages[0])
    measured = [
        [[row[name] for name in HISTORY_COLUMNS if "second" not in name] for row in one.history]
        for one in (whole, second)
    ]
    assert measured[0] == measured[1]


def test_a_variant_that_draws_random_numbers_of_its_own_resumes_exactly():
    def noisy() -> Session:
        one = session()
        original = one.state.losses

        def d_loss(discriminator, real, fake):
            return original.d_loss(discriminator, real + torch.randn_like(real), fake)

        one.state.losses = Losses(d_loss, original.g_loss)
        return one

    whole = noisy()
    train_to_end(whole, Budget(6, "steps"))
    first = noisy()
    train_to_end(first, Budget(2, "steps"))
    stored = through_a_file(first.checkpoint())
    second = noisy()
    second.restore(stored)
    train_to_end(second, Budget(6, "steps"))
    expected, found = weights(whole), weights(second)
    assert all(torch.equal(expected[key], found[key]) for key in expected)


def test_a_run_whose_budget_is_used_up_does_nothing_more():
    one = session()
    train_to_end(one, Budget(3, "steps"))
    train_to_end(one, Budget(3, "steps"))
    assert one.steps == 3


def test_real_examples_are_shuffled_training_images():
    one = session()
    chosen = DataOrder(40, 0, CPU).indices(0, 5)
    assert torch.equal(one.real_examples(5), tiny_split(SPEC).images[chosen])
    assert len(one.real_examples(500)) == 40
