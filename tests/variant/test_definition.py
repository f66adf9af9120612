from __future__ import annotations

import dataclasses

import pytest
from pydantic import Field, ValidationError, model_validator

import ganbench
from ganbench import DatasetSpec, Recipe, UsageError


class PenaltyRecipe(ganbench.Recipe):
    penalty: float = Field(10.0, ge=0)

    @model_validator(mode="after")
    def labels_differ(self):
        if self.real_label == self.fake_label:
            raise ValueError("real_label and fake_label must differ")
        return self


# --- Recipes ---


def test_numbers_are_overridden_in_a_copy():
    recipe = Recipe()
    changed = recipe.override({"lr_g": 1e-3, "batch_size": 32})
    assert changed.model_dump() == {**recipe.model_dump(), "lr_g": 1e-3, "batch_size": 32}
    assert recipe == Recipe()


def test_texts_are_read_as_the_fields_kind():
    changed = Recipe().override({"lr_g": "1e-4", "batch_size": "128", "budget": "10 minutes"})
    assert (changed.lr_g, changed.batch_size, changed.budget) == (1e-4, 128, "10min")


def test_overriding_keeps_the_variants_own_recipe_and_its_fields():
    changed = PenaltyRecipe(penalty=3).override({"penalty": "2.5"})
    assert type(changed) is PenaltyRecipe
    assert changed.penalty == 2.5


def test_an_unknown_key_is_refused_with_near_ones():
    with pytest.raises(UsageError, match="unknown recipe key 'lrg': did you mean lr_g"):
        Recipe().override({"lrg": 1})


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("lr_g", "fast", "lr_g=fast is not allowed: not a number and not a schedule"),
        ("lr_g", "-1", "greater than 0"),
        ("lr_g", "inf", "finite"),
        ("lr_d", "nan", "lr_d=nan is not allowed"),
        ("batch_size", "1.5", "valid integer"),
        ("batch_size", "1", "greater than or equal to 2"),
        ("beta1", "1", "less than 1"),
        ("real_label", "1.1", "less than or equal to 1"),
        ("budget", "25", "budget '25' cannot be read"),
        ("sample_every", "0steps", "not positive"),
    ],
)
def test_a_value_that_is_not_allowed_is_refused_with_its_key(key, value, reason):
    with pytest.raises(UsageError, match=reason) as caught:
        Recipe().override({key: value})
    assert f"{key}={value} is not allowed" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_numbers_that_do_not_fit_together_are_refused_with_what_was_given():
    with pytest.raises(UsageError) as caught:
        PenaltyRecipe().override({"real_label": "0"})
    expected = "real_label=0 is not allowed: real_label and fake_label must differ"
    assert str(caught.value) == expected


def test_a_recipe_cannot_be_changed_or_have_other_fields():
    with pytest.raises(ValidationError):
        Recipe().lr_g = 1
    with pytest.raises(ValidationError):
        Recipe(learning_rate=1)


def test_each_number_of_a_recipe_is_described():
    assert all(field.description for field in Recipe.model_fields.values())


# --- Datasets ---


def test_each_class_has_a_caption_in_the_order_of_the_labels():
    spec = DatasetSpec("pets", 3, 32, ("cat", "sea_lion"), 10, 2, caption="one {}, drawn")
    assert spec.captions == ("one cat, drawn", "one sea lion, drawn")
    assert spec.vocabulary == {"one", "cat", "sea", "lion", "drawn"}


def test_a_dataset_is_described_by_a_record_that_cannot_be_changed():
    spec = DatasetSpec("pets", 3, 32, ("cat",), 10, 2)
    with pytest.raises(dataclasses.FrozenInstanceError):
        spec.channels = 1
