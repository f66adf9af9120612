"""Running the sanity checks: scores of feature clouds, and whether they do what is asked.

A check that a score fails is a finding on the score, and no error: Räisä et al. 2025
(arXiv:2505.22450) show that every score of fidelity and diversity fails some.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from ganbench.data.dataset import Progress, ignore_progress
from ganbench.scoring.metrics import neighbours
from ganbench.scoring.metrics.clipped import clipped_density_coverage
from ganbench.scoring.metrics.constants import DENSITY_K
from ganbench.scoring.metrics.diversity import vendi
from ganbench.scoring.metrics.fid import Statistics, fid
from ganbench.scoring.metrics.kid import kid
from ganbench.scoring.metrics.mind import mind
from ganbench.selftest.feature_clouds import Source
from ganbench.selftest.sanity_checks import CHECKS, Check, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

__all__ = ["KINDS", "POINTS", "Sanity", "SanityVerdict", "cloud_scores", "run_checks"]

KINDS: dict[str, Kind] = {
    "precision": "fidelity",
    "density": "fidelity",
    "clipped_density": "fidelity",
    "recall": "diversity",
    "coverage": "diversity",
    "clipped_coverage": "diversity",
    "vendi": "diversity",
    "fid": "distance",
    "kid": "distance",
    "mind": "distance",
}
"""The scores that are checked, and what each of them is to measure."""

POINTS = 1000
_KID_POINTS = 300  # KID has no bias, and its subsets take most of the time


@dataclass(frozen=True)
class SanityVerdict:
    """What one score did in one check.

    Attributes:
        check: The fault and its setting.
        metric: Name of the score.
        curve: Its values by strength.
    """

    check: Check
    metric: str
    curve: dict[float, float]

    @property
    def kind(self) -> Kind:
        """What the score measures."""
        return KINDS[self.metric]

    @property
    def asked(self) -> int:
        """Number of criteria."""
        return len(self.check.criteria[self.kind])

    @cached_property
    def failed(self) -> tuple[str, ...]:
        """What was asked and not done, in the words of the criteria."""
        criteria = self.check.criteria[self.kind]
        return tuple(item.text for item in criteria if not item.is_met(self.curve))

    @property
    def verdict(self) -> str:
        """`pass` where all criteria are met, else `fail`."""
        return "fail" if self.failed else "pass"


@dataclass(frozen=True)
class Sanity:
    """The verdicts of all scores in all checks."""

    verdicts: tuple[SanityVerdict, ...]

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the scores, by what they measure."""
        return tuple(KINDS)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the faults, each of which may have several settings."""
        return tuple(dict.fromkeys(verdict.check.name for verdict in self.verdicts))

    def of(self, metric: str, name: str | None = None) -> list[SanityVerdict]:
        """The verdicts of one score, in all settings of one fault or in all checks."""
        return [
            verdict
            for verdict in self.verdicts
            if verdict.metric == metric and name in (None, verdict.check.name)
        ]

    def passed(self, metric: str, name: str) -> bool | None:
        """Whether a score passes in all settings of a fault; None where nothing is asked of it."""
        verdicts = self.of(metric, name)
        return not any(verdict.failed for verdict in verdicts) if verdicts else None

    def tally(self, metric: str) -> tuple[int, int]:
        """How many faults a score passes in all settings, and in how many something is asked."""
        answers = [self.passed(metric, name) for name in self.names]
        known = [answer for answer in answers if answer is not None]
        return sum(known), len(known)

    def csv(self) -> str:
        """One row per check, setting and score; `values` are `strength: value` in order."""
        rows = [
            {
                "check": verdict.check.name,
                "setting": verdict.check.setting,
                "fake_points": verdict.check.what,
                "strength": verdict.check.unit,
                "metric": verdict.metric,
                "kind": verdict.kind,
                "verdict": verdict.verdict,
                "criteria": verdict.asked,
                "failed": len(verdict.failed),
                "failed_criteria": "; ".join(verdict.failed),
                "values": "; ".join(f"{at:g}: {value:.4g}" for at, value in verdict.curve.items()),
            }
            for verdict in self.verdicts
        ]
        return str(pd.DataFrame(rows).to_csv(index=False, lineterminator="\n"))


def run_checks(
    checks: Sequence[Check] = CHECKS, count: int = POINTS, report: Progress = ignore_progress
) -> Sanity:
    """Score the clouds of every check at every strength; the same clouds each time.

    Args:
        checks: Which of them.
        count: Points of each kind, where the check does not say how many.
        report: Called with the progress.
    """
    verdicts = []
    for done, check in enumerate(checks):
        report("sanity checks of the scores", done, len(checks))
        rows = {
            strength: cloud_scores(*check.make(strength, Source(check.key, count)))
            for strength in check.strengths
        }
        verdicts += [
            SanityVerdict(check, name, {strength: row[name] for strength, row in rows.items()})
            for name, kind in KINDS.items()
            if kind in check.criteria
        ]
    report("sanity checks of the scores", len(checks), len(checks))
    return Sanity(tuple(verdicts))


def cloud_scores(real: Tensor, fake: Tensor) -> dict[str, float]:
    """The scores of `KINDS` of fake points against real ones, float64 (n, dimensions) each.

    The Vendi score, which knows no real points, is divided by that of the real points.

    Raises:
        ValueError: There are too few points for one of the scores.
    """
    real_nearest, real_rows = neighbours.nearest(real, DENSITY_K + 1)
    both = neighbours.precision_recall(real, fake, real_nearest=real_nearest)
    plain = neighbours.density_coverage(real, fake, real_nearest=real_nearest)
    clipped = clipped_density_coverage(real, fake, real_nearest=real_nearest, real_rows=real_rows)
    discrepancy = kid(real[:_KID_POINTS], fake[:_KID_POINTS])
    if both is None or plain is None or clipped is None or discrepancy is None:
        raise ValueError(f"{len(real)} real and {len(fake)} fake points are too few to be scored")
    return {
        "precision": both[0],
        "recall": both[1],
        "density": plain[0],
        "coverage": plain[1],
        "clipped_density": clipped[0],
        "clipped_coverage": clipped[1],
        "vendi": vendi(fake) / vendi(real),
        "fid": fid(Statistics.of(real), Statistics.of(fake)),
        "kid": discrepancy[0],
        "mind": mind(real, fake),
    }
