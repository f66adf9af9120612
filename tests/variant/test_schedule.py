"""Numbers that change over the budget."""

from __future__ import annotations

import math

import pytest

import ganbench
from ganbench import Recipe, UsageError
from ganbench.variant.schedule import Schedule, value_at


class Own(ganbench.Recipe):
    gamma: ganbench.Scheduled = ganbench.scheduled(10.0, ge=0, le=20, description="weight")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("2e-4:0", {0: 2e-4, 0.25: 1.5e-4, 1: 0.0}),
        ("1:3:linear:0.5:0.75", {0.2: 1, 0.5: 1, 0.625: 2, 0.75: 3, 1: 3}),
        ("0:1:cosine", {0: 0, 0.5: 0.5, 1: 1, 0.25: (1 - math.sqrt(0.5)) / 2}),
    ],
)
def test_a_schedule_goes_from_one_value_to_the_other(text, values):
    for share, value in values.items():
        assert value_at(text, share) == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("text", ["2e-4:0", "0.5:0.25:cosine", "1.0:0.5:linear:0.25:0.75"])
def test_a_schedule_is_read_from_its_own_text(text):
    read = Schedule.parse(text)
    assert Schedule.parse(str(read)) == read


def test_a_recipe_takes_a_number_a_text_of_one_or_a_schedule():
    assert Recipe().override({"lr_g": "1e-3"}).lr_g == 1e-3
    assert Recipe().override({"lr_g": "2e-4:0"}).lr_g == "0.0002:0.0"
    assert Own().override({"gamma": "20:0:cosine"}).gamma == "20.0:0.0:cosine"


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("lr_g", "0:0", "greater than 0"),
        ("lr_g", "-1:1", "greater than 0"),
        ("gamma", "10:21", "less than or equal to 20"),
        ("gamma", 21, "less than or equal to 20"),
        ("beta1", "0:1.5", "less than 1"),
        ("gamma", "1:2:cubic", "FROM:TO"),
        ("gamma", "1:2:linear:0.9:0.1", "START < END"),
        ("gamma", "inf:1", "FROM:TO"),
        ("gamma", "nan", "finite"),
    ],
)
def test_what_is_not_allowed_is_refused_with_its_key(key, value, message):
    with pytest.raises(UsageError, match=f"{key}={value}.* is not allowed: .*{message}"):
        Own().override({key: value})
