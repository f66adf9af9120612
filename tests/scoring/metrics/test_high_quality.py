"""Modes and high quality of points, against counts by hand."""

from __future__ import annotations

import math

import pytest
import torch

from ganbench.scoring.metrics.high_quality import scores_of_modes


def test_one_point_of_high_quality_finds_a_mode():
    modes = torch.tensor([0, 0, 0, 0, 1, 2, 2, 3])
    is_high = torch.tensor([True, True, True, True, True, False, False, False])
    scores = scores_of_modes(modes, is_high, total=5)
    assert scores["modes_covered"] == 2
    assert scores["modes_total"] == 5
    assert scores["high_quality"] == 5 / 8


def test_mode_kl_compares_the_modes_of_good_points_with_equal_shares():
    modes, is_high = torch.tensor([0, 0, 0, 1, 2]), torch.tensor([True, True, True, True, False])
    expected = 0.75 * math.log(0.75 / 0.25) + 0.25 * math.log(0.25 / 0.25)
    scores = scores_of_modes(modes, is_high, total=4)
    assert scores["mode_kl"] == pytest.approx(expected)
    assert scores["mode_entropy"] == pytest.approx(math.log(4) - expected)


def test_equal_shares_have_no_divergence():
    scores = scores_of_modes(torch.arange(100) % 25, torch.ones(100, dtype=torch.bool), total=25)
    assert scores["mode_kl"] == pytest.approx(0, abs=1e-12)
    assert scores["modes_covered"] == 25


@pytest.mark.parametrize("is_high", [False, True])
def test_no_good_point_diverges_as_much_as_one_mode_alone(is_high):
    modes = torch.zeros(10, dtype=torch.int64)
    scores = scores_of_modes(modes, torch.full((10,), is_high), total=8)
    assert scores["mode_kl"] == pytest.approx(math.log(8))
    assert scores["modes_covered"] == int(is_high)


def test_scores_that_say_little_of_points_are_empty():
    scores = scores_of_modes(torch.zeros(3, dtype=torch.int64), torch.ones(3) > 0, total=2)
    empty = {name for name, value in scores.items() if value is None}
    assert empty == {
        "modes_covered_strict", "kid", "kid_standard_error", "fid_infinity", "vendi",
        "memorisation", "inception_score",
    }  # fmt: skip
