from __future__ import annotations

import dataclasses
import math

import pytest

from ganbench import Budget, UsageError


@pytest.mark.parametrize(
    ("text", "amount", "unit"),
    [
        ("25epochs", 25, "epochs"),
        ("1epoch", 1, "epochs"),
        ("20000steps", 20000, "steps"),
        ("500kimg", 500, "kimg"),
        ("10min", 10, "min"),
        ("20s", 20, "s"),
        (" 2.5 Minutes ", 2.5, "min"),
        (".5epochs", 0.5, "epochs"),
        ("90sec", 90, "s"),
    ],
)
def test_an_amount_and_a_unit_are_read(text, amount, unit):
    assert Budget.parse(text) == Budget(amount, unit)


@pytest.mark.parametrize(
    "text",
    ["25", "", "epochs", "-3steps", "0steps", "0.0s", "3 parsecs", "1e3steps", "1_0s", "5steps!"],
)
def test_a_text_that_is_no_budget_is_refused_with_all_units(text):
    with pytest.raises(UsageError) as caught:
        Budget.parse(text)
    message = str(caught.value)
    assert repr(text) in message
    assert all(unit in message for unit in ("epochs", "steps", "kimg", "min", "20s"))


def test_an_amount_too_large_for_a_float_is_refused():
    with pytest.raises(UsageError, match="not positive and finite"):
        Budget.parse("9" * 400 + "steps")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("25epochs", "25epochs"),
        ("25.0epoch", "25epochs"),
        ("1234567steps", "1234567steps"),
        ("100000000steps", "100000000steps"),
        ("0.000012kimg", "0.000012kimg"),
        ("0.1minutes", "0.1min"),
    ],
)
def test_a_budget_is_written_exactly_and_can_be_read_again(text, written):
    budget = Budget.parse(text)
    assert str(budget) == written
    assert Budget.parse(str(budget)) == budget


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("7steps", 7),
        ("2epochs", 5),  # 20 images
        ("1epoch", 3),  # the third step begins the next epoch
        ("0.5kimg", 125),
        ("0.1kimg", 25),
        ("0.001epochs", 1),
    ],
)
def test_steps_of_four_cover_at_least_the_images_of_the_budget(text, steps):
    assert Budget.parse(text).steps(batch_size=4, train_count=10) == steps


@pytest.mark.parametrize(("epochs", "steps"), [(25, 19532), (30, 23438)])
def test_the_dcgan_notebooks_take_this_many_steps_on_cifar10(epochs, steps):
    # 50,000 images in batches of 64 are 781.25 steps an epoch
    assert math.ceil(781.25 * epochs) == steps
    assert Budget(epochs, "epochs").steps(batch_size=64, train_count=50_000) == steps


@pytest.mark.parametrize(("text", "seconds"), [("10min", 600), ("20s", 20), ("0.5min", 30)])
def test_time_decides_in_seconds_and_not_in_steps(text, seconds):
    budget = Budget.parse(text)
    assert (budget.is_time, budget.seconds) == (True, seconds)
    assert budget.steps(batch_size=4, train_count=10) is None


def test_a_budget_of_images_has_no_end_in_seconds():
    budget = Budget.parse("3epochs")
    assert (budget.is_time, budget.seconds) == (False, math.inf)


def test_a_budget_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Budget.parse("3epochs").amount = 4
