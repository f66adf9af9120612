"""What each score has to see, and by what it must not be misled, from its definition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ganbench.selftest.outcome import Outcome

__all__ = ["EXPECTATIONS", "Expectation", "expectations_of", "shortfalls"]


_MISSED = {"blind": "is blind to it", "varies": "does not see it in every draw"}
_ENOUGH_IMAGES = 60
_ENOUGH_DRAWS = 5


@dataclass(frozen=True)
class Expectation:
    """What a score has to answer to each fault at its strongest.

    Attributes:
        sees: Faults that make the score worse beyond chance.
        is_not_misled_by: Faults that must not make it better beyond chance; what it sees is among
            them without being said.
    """

    sees: tuple[str, ...]
    is_not_misled_by: tuple[str, ...] = ()


_SPOILT = ("noise", "blur", "contrast")
_DISTANCE = Expectation(("repeated", "classes", "imbalance", *_SPOILT), ("unseen",))
_MODES = Expectation(("repeated", "classes"), ("imbalance", *_SPOILT, "unseen"))
_HISTOGRAM = Expectation(("repeated", "classes", "imbalance"), (*_SPOILT, "unseen"))

EXPECTATIONS: dict[str, Expectation] = {
    # Mean and spread of the features change with every fault but copies
    "fid": _DISTANCE,
    "kid": _DISTANCE,
    "mind": _DISTANCE,
    "fid_infinity": _DISTANCE,
    # Spoilt images have fewer classes or as many, not more
    "modes_covered": _MODES,
    "modes_covered_strict": _MODES,
    "mode_kl": _HISTOGRAM,
    "mode_entropy": _HISTOGRAM,
    # A class that is missing counts 0; noise within a class may spread it
    "diversity": Expectation(("repeated", "classes"), ("unseen",)),
    # Precision asks whether images lie among the real ones: missing classes are all the same to
    # it, and one good image repeated has full precision
    "precision": Expectation(("noise",), ("classes", "imbalance", "blur", "contrast", "unseen")),
    "recall": Expectation(("repeated", "classes"), ("imbalance", *_SPOILT, "unseen")),
    "coverage": Expectation(("repeated", "classes", "noise"), ("imbalance", "unseen")),
    "density": Expectation(("noise",), ("unseen",)),
    # As precision and coverage, but no real outlier has a wide neighbourhood
    "clipped_density": Expectation(("noise", "blur", "contrast"), ("unseen",)),
    "clipped_coverage": Expectation(("repeated", "classes", "imbalance", *_SPOILT), ("unseen",)),
    # It knows no real images, and noise is various
    "vendi": Expectation(("repeated", "classes"), ("unseen",)),
    "duplicates": Expectation(("repeated",), ("unseen",)),
    "memorisation": Expectation(("memorised",), ("unseen",)),
    "inception_score": Expectation(("repeated",), ("unseen",)),
}
"""By metric; scores of images that were drawn by class have none, as no fault is drawn so, and
those of points, as all faults are of images."""


def expectations_of(outcome: Outcome) -> Iterator[tuple[str, str, str]]:
    """The expectations that a self-test could look at, and what scores did instead.

    With fewer than 60 images or 5 draws a fault may be within chance for a good score too, and only
    scores that were misled count.

    Yields:
        Title of the metric, fault, and what the score did; `""` where the expectation was met.
    """
    for metric in outcome.metrics:
        expected = EXPECTATIONS.get(metric.name, Expectation(()))
        for fault in (*expected.sees, *expected.is_not_misled_by):
            verdict = outcome.verdict(metric.name, fault)
            if verdict is None:
                continue
            if verdict.detection == "misled":
                yield metric.title, fault, "is misled by it"
            elif fault in expected.sees and verdict.detection != "sees" and _is_decided(outcome):
                yield metric.title, fault, _MISSED[verdict.detection]
            else:
                yield metric.title, fault, ""


def _is_decided(outcome: Outcome) -> bool:
    """Whether images and draws are enough for blindness to be more than a lack of them."""
    return outcome.count >= _ENOUGH_IMAGES and outcome.record["draws"] >= _ENOUGH_DRAWS


def shortfalls(outcome: Outcome) -> tuple[str, ...]:
    """Say which expectations were not met, one sentence each."""
    faults = {fault.name: fault for fault in outcome.faults}
    wanted = {"is misled by it": "must not get better"}
    wanted |= dict.fromkeys(_MISSED.values(), "has to get worse")
    return tuple(
        f"{title} {shortfall}: it {wanted[shortfall]} where a generator {faults[fault].what} "
        f"({fault})"
        for title, fault, shortfall in expectations_of(outcome)
        if shortfall
    )
