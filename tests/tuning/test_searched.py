"""What is searched: what `--space` says, and what is searched where it says nothing."""

from __future__ import annotations

import pytest
from pydantic import Field

from ganbench.errors import UsageError
from ganbench.tuning.default_space import default_space
from ganbench.tuning.searched import Choices, Range, parse_searched, parse_space, setting_text
from ganbench.variant.composed import ComposedRecipe
from ganbench.variant.recipe import Recipe

RECIPES = {"one": Recipe(), "two-b": ComposedRecipe(gradient_penalty=10.0)}


@pytest.mark.parametrize(
    ("text", "searched"),
    [
        ("1e-5:1e-3:log", Range(1e-5, 1e-3, log=True)),
        ("0:0.9", Range(0.0, 0.9)),
        (" -1 : 2 ", Range(-1.0, 2.0)),
        ("0|0.5|0.9", Choices(("0", "0.5", "0.9"))),
        ("hinge | logistic", Choices(("hinge", "logistic"))),
        ("2e-4|2e-4:0", Choices(("2e-4", "2e-4:0"))),
    ],
)
def test_a_range_and_values_are_read(text, searched):
    assert parse_searched(text) == searched
    assert parse_searched(str(searched)) == searched


def test_what_names_a_variant_wins_and_whole_numbers_stay_whole():
    space = parse_space(
        ["d_steps=1:5", "lr_g=1e-5:1e-3:log", "two_b.lr_g=1e-4:1e-2:log", "two-b.r1=0|1"],
        RECIPES,
    )
    assert space["one"] == {
        "d_steps": Range(1.0, 5.0, whole=True), "lr_g": Range(1e-5, 1e-3, log=True),
    }  # fmt: skip
    assert space["two-b"] == {
        "d_steps": Range(1.0, 5.0, whole=True), "lr_g": Range(1e-4, 1e-2, log=True),
        "r1": Choices(("0", "1")),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lr_g", "cannot be read"),
        ("lr_g=", "cannot be read"),
        ("lr_g=1e-3", "give KEY=LOW:HIGH"),
        ("lr_g=1e-3:1e-4", "LOW has to be below HIGH"),
        ("lr_g=1e-3:inf", "give KEY=LOW:HIGH"),
        ("lr_g=0:1e-4:log", "LOW has to be above 0"),
        ("lr_g=0:1e-4", "greater than 0"),
        ("lr_g=1|1", "give each value once"),
        ("lr_g=1|", "none that is empty"),
        ("beta1=0:1.5", "beta1=1.5 is not allowed"),
        ("d_steps=0|1", "d_steps=0 is not allowed"),
        ("d_steps=1.5:2", "d_steps=1.5 is not allowed"),
        ("learning=1:2", "unknown recipe key 'learning'"),
        ("optimizer=1:2", "is no number"),
        ("optimizer=adam|adamm", "optimizer=adamm is not allowed"),
        ("gan.lr_g=1e-5:1e-3", "unknown variant in --space 'gan'"),
        ("one.loss=hinge|logistic", "unknown recipe key 'loss'"),
        ("budget=1steps|2steps", "the same for all trials, give --budget"),
    ],
)
def test_what_cannot_be_searched_is_refused_in_one_line(text, message):
    with pytest.raises(UsageError) as refusal:
        parse_space([text], RECIPES)
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_by_default_rates_moments_updates_and_weights_that_are_there_are_searched():
    assert default_space(ComposedRecipe(gradient_penalty=10.0, lr_d=5e-3)) == {
        "d_steps": Choices(("1", "2", "5")),
        "lr_g": Range(2e-5, 2e-3, log=True),
        "lr_d": Range(5e-4, 1e-2, log=True),  # no rate above 1e-2
        "beta1": Choices(("0", "0.5", "0.9")),
        "gradient_penalty": Range(1.0, 100.0, log=True),
    }


def test_a_number_that_is_set_is_not_searched():
    assert set(default_space(Recipe(), {"lr_g", "d_steps"})) == {"lr_d", "beta1"}


def test_a_variant_may_say_what_is_searched_of_a_number_of_its_own():
    class Own(Recipe):
        heads: int = Field(4, ge=1, description="heads", json_schema_extra={"space": "2|4|8"})

    assert default_space(Own())["heads"] == Choices(("2", "4", "8"))


def test_the_start_of_a_schedule_is_searched_and_its_end_follows():
    recipe = Recipe(lr_g="2e-4:2e-5:cosine")
    searched = default_space(recipe)["lr_g"]
    assert (searched.low, searched.high) == pytest.approx((2e-5, 2e-3))
    text = setting_text(recipe, "lr_g", 1e-3)
    assert text == "lr_g=0.001:0.0001:cosine"
    assert recipe.override(dict([text.split("=")])).lr_g == "0.001:0.0001:cosine"


def test_a_drawn_number_is_written_as_set_takes_it():
    assert setting_text(Recipe(), "lr_g", 0.0003142) == "lr_g=0.0003142"
    assert setting_text(Recipe(), "beta1", "0.9") == "beta1=0.9"
