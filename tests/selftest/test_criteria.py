"""What sanity checks ask of curves, on curves that are written out."""

from __future__ import annotations

import pytest

from ganbench.selftest import criteria


def curve(*values: float) -> dict[float, float]:
    """Values at the strengths 0, 1, 2, ..."""
    return dict(enumerate(values))


@pytest.mark.parametrize(
    ("criterion", "met", "missed"),
    [
        (criteria.is_near(1, 0), curve(0.95, 0), curve(1.06, 1)),
        (criteria.is_near(0, 1), curve(1, 0.05), curve(0, 0.06)),
        (criteria.is_flat(), curve(0.5, 0.54, 0.5), curve(0.5, 0.56, 0.5)),
        (criteria.settles(), curve(9, 3, 0.5, 0.52), curve(0.5, 0.5, 0.5, 0.6)),
        (criteria.settles(), curve(1, 2, 100, 104), curve(1, 2, 100, 106)),
        (criteria.falls(), curve(1, 0.5, 0.2), curve(1, 0.5, 0.9)),
        (criteria.falls(), curve(0.9, 1, 0.7, 0.6), curve(0.6, 1, 0.3)),
        (criteria.rises(), curve(0.2, 0.5, 1), curve(1, 0.5, 0.2)),
        (criteria.rises(), curve(0.2, 0.5, 1), curve(0.2, 1, 0.5)),
        (criteria.has_lost_by(1), curve(1, 0.89, 0), curve(1, 0.95, 0)),
        (criteria.peaks_at(1), curve(0, 1, 0.3), curve(0.9, 1, 0)),
        (criteria.peaks_at(1), curve(0, 0.95, 1, 0), curve(0, 0.8, 1, 0)),
        (criteria.grows_from(1), curve(5, 1, 3, 9), curve(5, 1, 3, 2)),
        (criteria.grows_from(0), curve(-0.1, 0.2, 0.4), curve(-0.1, 0.2, 0.39)),
        (criteria.grows_from(0), curve(0, 1, 2), curve(0, 0, 0)),
        (criteria.is_unchanged(), curve(100, 96), curve(100, 94)),
    ],
)
def test_a_criterion_is_met_by_one_curve_and_missed_by_another(criterion, met, missed):
    assert criterion.is_met(met)
    assert not criterion.is_met(missed)
    assert criterion.text


def test_either_of_two_is_enough():
    both = criteria.either(criteria.falls(), criteria.is_flat())
    assert both.is_met(curve(1, 0))
    assert both.is_met(curve(1, 1))
    assert not both.is_met(curve(0, 1))
    assert both.text == "falls or does not change"
