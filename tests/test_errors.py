from __future__ import annotations

import pytest

from ganbench.errors import ContractError, DataError, GanbenchError, UsageError, near, unknown

NAMES = ("mlp", "dcgan", "dcgan-smooth", "texthash")


def test_bad_data_is_bad_usage_and_a_broken_contract_is_not():
    assert issubclass(DataError, UsageError)
    assert issubclass(UsageError, GanbenchError)
    assert issubclass(ContractError, GanbenchError)
    assert not issubclass(ContractError, UsageError)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ("dcgann", "dcgan"),
        ("DCGAN", "dcgan"),
        ("dcgan-smoot", "dcgan-smooth"),
        ("text", "texthash"),
    ],
)
def test_the_nearest_name_comes_first(given, found):
    assert near(given, NAMES)[0] == found


def test_a_name_like_no_other_has_no_near_one():
    assert near("xyzzy", NAMES) == []


def test_at_most_three_near_names_are_given():
    assert len(near("run1", [f"run{number}" for number in range(10)])) == 3


def test_an_unknown_name_is_told_with_near_and_allowed_ones_and_a_hint():
    error = unknown("variant", "dcgn", NAMES, "see `ganbench list`")
    assert isinstance(error, UsageError)
    assert str(error) == (
        "unknown variant 'dcgn': did you mean dcgan or dcgan-smooth? "
        "allowed: dcgan, dcgan-smooth, mlp, texthash; see `ganbench list`"
    )


def test_an_unknown_name_without_near_ones_is_told_without_a_guess():
    assert str(unknown("unit", "xyzzy", ["s", "min"])) == "unknown unit 'xyzzy': allowed: min, s"
