"""Whether modes were lost during training, or never there."""

from __future__ import annotations

import pytest

from ganbench.scoring.collapse import collapse


@pytest.mark.parametrize(
    ("counts", "step"),
    [
        ([1, 5, 10, 10], None),
        ([1, 8, 10, 4, 1], 4),  # fewer than half of ten, for good
        ([1, 8, 3, 9, 9], None),  # it came back
        ([1, 1, 1], None),  # what was never there cannot be lost
        ([6, 3, 2], 3),  # half is left at first
        ([10, 2, 6, 2], 4),
        ([], None),
    ],
)
def test_modes_collapse_where_more_than_half_of_the_best_are_gone_for_good(counts, step):
    rows = [
        {"step": number, "epoch": number, "images_seen": number, "seconds": number,
         "modes_covered": count}
        for number, count in enumerate(counts, 1)
    ]  # fmt: skip
    position = collapse(rows)
    assert (position and position["step"]) == step
    assert position is None or not position["from_start"]


@pytest.mark.parametrize(
    ("counts", "most"),
    [([1, 1, 1], 1), ([0, 4, 1], 4), ([5, 1, 5], None), ([None, None], None), ([], None)],
)
def test_modes_are_collapsed_from_the_start_where_half_of_them_were_never_covered(counts, most):
    rows = [
        {"step": number, "epoch": number, "images_seen": number, "seconds": number,
         "modes_covered": count, "modes_total": 10.0}
        for number, count in enumerate(counts, 1)
    ]  # fmt: skip
    position = collapse(rows)
    if most is None:
        assert position is None
    else:
        assert (position["step"], position["from_start"]) == (1, True)
        assert (position["most"], position["total"]) == (most, 10)
