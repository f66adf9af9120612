"""The sanity checks: each fault of feature clouds, and what a score of each kind has to do.

After Räisä et al. 2025 (arXiv:2505.22450), who find that no score of fidelity or diversity passes
all. Left out are their checks with unequal counts of points, since ganbench compares equal ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ganbench.selftest import feature_clouds as clouds
from ganbench.selftest.criteria import (
    Criterion,
    either,
    falls,
    grows_from,
    has_lost_by,
    is_flat,
    is_near,
    is_unchanged,
    peaks_at,
    rises,
    settles,
)

__all__ = ["CHECKS", "Check", "Kind"]

Kind = Literal["fidelity", "diversity", "distance"]


@dataclass(frozen=True)
class Check:
    """One fault at several strengths, in one setting.

    Attributes:
        name: Of the fault; checks that share one differ in their setting.
        setting: Number of dimensions, or which side something is done to; may be empty.
        what: What is wrong with the fake points, in a clause.
        unit: What the strengths are.
        strengths: In ascending order.
        make: Real and fake points at one strength.
        criteria: What is asked of scores of each kind; a kind that is missing is not checked.
    """

    name: str
    setting: str
    what: str
    unit: str
    strengths: tuple[float, ...]
    make: Callable[[float, clouds.Source], clouds.Cloud]
    criteria: dict[Kind, tuple[Criterion, ...]]

    @property
    def key(self) -> str:
        """Name and setting, which no other check has."""
        return f"{self.name}, {self.setting}" if self.setting else self.name


def _around(furthest: float, best: float = 0.0) -> tuple[float, ...]:
    half = (furthest - best) / 2
    return tuple(best + half * place for place in (-2, -1, 0, 1, 2))


def _alike(best: float, *ends: float) -> dict[Kind, tuple[Criterion, ...]]:
    """Scores at 1 where both sides are alike, and at 0 where they share no point."""
    shares = (is_near(1, best), *(is_near(0, end) for end in ends), peaks_at(best))
    return {"fidelity": shares, "diversity": shares, "distance": (grows_from(best),)}


def _disjoint(*ends: float) -> dict[Kind, tuple[Criterion, ...]]:
    """Scores at 0 throughout."""
    shares = (is_flat(), *(is_near(0, end) for end in ends))
    return {"fidelity": shares, "diversity": shares, "distance": (is_unchanged(),)}


def _dropped(last: float, seen_by: float) -> dict[Kind, tuple[Criterion, ...]]:
    """Missing modes: what is left is as good as before, and less various."""
    return {
        "fidelity": (is_near(1, 0), is_near(1, last), is_flat()),
        "diversity": (is_near(1, 0), falls(), has_lost_by(seen_by)),
        "distance": (grows_from(0),),
    }


def _mean_shifts(name: str, what: str, outlier: str = "") -> list[Check]:
    return [
        Check(name, f"{dimensions} dim.", what, "shift in each dimension, in standard deviations",
              _around(far), clouds.shifted(dimensions, outlier, far), _alike(0, -far, far))
        for dimensions, far in ((1, 6.0), (64, 1.0))
    ]  # fmt: skip


_WIDTHS = {1: (0.001, 0.03, 1.0, 30.0, 1000.0), 64: (0.316, 0.56, 1.0, 1.78, 3.16)}
_LOST = (0.0, 0.25, 0.5, 0.75, 0.95, 1.0)
_MISSING = (0.0, 2.0, 5.0, 7.0, 9.0)
_WHOLE_NUMBERS = (1.0, 10.0, 100.0, 1000.0)

CHECKS: tuple[Check, ...] = (
    *_mean_shifts("mean", "are shifted"),
    *_mean_shifts("mean, real outlier", "are shifted, and one real point lies far off", "real"),
    *_mean_shifts("mean, fake outlier", "are shifted, and one of them lies far off", "fake"),
    *(Check("spread", f"{dimensions} dim.", "spread less or more", "standard deviation",
            widths, clouds.widened(dimensions), {
                "fidelity": (is_near(1, 1), is_near(1, widths[0]), is_near(0, widths[-1]), falls()),
                "diversity": (is_near(1, 1), is_near(0, widths[0]),
                              either(is_near(0, widths[-1]), is_near(1, widths[-1])),
                              either(peaks_at(1), rises())),
                "distance": (grows_from(1),),
            })
      for dimensions, widths in _WIDTHS.items()),
    *(Check("modes fade", f"{dimensions} dim.", "lose points in nine of ten modes at once",
            "share of points that these lose", _LOST, clouds.modes_dropped_at_once(dimensions),
            _dropped(1, 0.95)) for dimensions in (1, 64)),
    *(Check("modes vanish", f"{dimensions} dim.", "have none of the points of some modes",
            "missing modes of ten", _MISSING, clouds.modes_dropped_one_by_one(dimensions),
            _dropped(9, 5)) for dimensions in (1, 64)),
    Check("modes invented", "", "have modes that are missing among the real ones, or too few",
          "modes, of five real ones", (1.0, 3.0, 5.0, 7.0, 10.0), clouds.invented_modes, {
              "fidelity": (is_near(1, 5), is_near(1, 1), falls()),
              "diversity": (is_near(1, 5), is_near(1, 10), rises()),
              "distance": (grows_from(5),),
          }),
    *(Check("modes merged", f"{dimensions} dim.", "fill the gap between two modes",
            "distance of the modes, in standard deviations", (0.0, 1.25, 2.5, 3.75, 5.0),
            clouds.one_mode_for_two(dimensions), {
                "fidelity": (is_near(1, 0), falls()),
                "diversity": (is_near(1, 0), either(falls(), is_flat())),
                "distance": (grows_from(0),),
            }) for dimensions in (1, 64)),
    *(Check("sphere surface", f"{dimensions} dim.", "lie within or around a sphere's surface",
            "radius", (0.1, 0.55, 1.0, 1.45, 1.9), clouds.hypersphere(dimensions),
            _alike(1, 0.1, 1.9)) for dimensions in (2, 128)),
    *(Check("cube overlap", f"{dimensions} dim.", "fill a cube that shares a fifth of its volume",
            "points of each kind", (100.0, 300.0, 1000.0, 2000.0), clouds.hypercubes(dimensions), {
                "fidelity": (is_near(0.2, 2000), settles()),
                "diversity": (is_near(0.2, 2000), settles()),
                "distance": (settles(),),
            }) for dimensions in (1, 64)),
    *(Check("ball and ring", f"real {shape}", "fill another shape, which touches nowhere",
            "0: the same shape, 1: the other", (0.0, 1.0), clouds.sphere_and_torus(shape), {
                "fidelity": (is_near(0, 1),),
                "diversity": (is_near(0, 1),),
                "distance": (grows_from(0),),
            }) for shape in ("ball", "ring")),
    Check("unit of a dimension", "", "share no point, beside a dimension in another unit",
          "unit of the dimension that is right", (0.001, 0.03, 1.0, 30.0, 1000.0),
          clouds.scaled_dimension, _disjoint(0.001, 1000)),
    Check("heavy tail", "", "are shifted, beside a dimension with a Pareto tail that is right",
          "shift, in standard deviations", _around(6), clouds.pareto_beside, _alike(0, -6, 6)),
    Check("one dimension disjoint", "", "share no point in one of many dimensions",
          "dimensions that are right", (1.0, 10.0, 100.0, 300.0), clouds.disjoint_dimension,
          _disjoint(1, 300)),
    Check("whole numbers", "real rounded", "are never whole numbers as the real ones are",
          "standard deviation", _WHOLE_NUMBERS, clouds.discrete("real"), {
              "fidelity": (is_near(0, 1), is_near(0, 1000), is_flat()),
              "diversity": (either(is_near(0, 1), is_near(1, 1)),
                            either(is_near(0, 1000), is_near(1, 1000)), is_flat()),
          }),
    Check("whole numbers", "fake rounded", "are whole numbers, which the real ones never are",
          "standard deviation", _WHOLE_NUMBERS, clouds.discrete("fake"), {
              "fidelity": (is_near(1, 1), is_near(1, 1000), is_flat()),
              "diversity": (is_near(0, 1), is_near(0, 1000), is_flat()),
          }),
)  # fmt: skip
"""In the order of the tables."""
