"""From scores to verdicts: whether each metric sees each fault beyond chance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy import stats

from ganbench.scoring.metrics.catalogue import METRICS
from ganbench.selftest.known_generators import CONTROL

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from ganbench.scoring.metrics.catalogue import Metric
    from ganbench.selftest.known_generators import Fault
    from ganbench.selftest.sanity import Sanity

__all__ = [
    "CONFIDENCE",
    "Answer",
    "Detection",
    "Outcome",
    "Verdict",
    "band",
    "detect",
    "outcome_of",
]

CONFIDENCE = 0.999
"""Share of the means of new control draws that lie within the band by chance."""

_ROUNDING = 1e-6

Detection = Literal["sees", "blind", "varies", "misled"]


@dataclass(frozen=True)
class Answer:
    """How one metric answers one fault at one strength.

    Attributes:
        fault: Its name.
        strength: Its value.
        label: The strength as people read it.
        mean: The metric's mean over the draws.
        standardised: How far the mean (where 1 is best: the mean distance from 1) lies from the
            control's, in the control's standard deviations, positive where it is worse; infinite
            where the control never varied.
        detection: `sees` where the metric got worse beyond chance in every draw, `misled` where it
            got better, `varies` where its mean is beyond chance and draws lie on both sides of the
            control's, `blind` where the mean is within chance.
        rises: Whether every draw lies above the control's mean; None where draws disagree.
    """

    fault: str
    strength: float
    label: str
    mean: float
    standardised: float
    detection: Detection
    rises: bool | None


@dataclass(frozen=True)
class Verdict:
    """How one metric answers one fault, from its weakest to its strongest strength.

    Attributes:
        metric: From the catalogue.
        control: The metric's mean over the control's draws.
        deviation: Their standard deviation.
        answers: One per strength, the weakest first.
    """

    metric: Metric
    control: float
    deviation: float
    answers: tuple[Answer, ...]

    @property
    def fault(self) -> str:
        """The fault's name."""
        return self.answers[-1].fault

    @property
    def detection(self) -> Detection:
        """The verdict: the answer at the strongest strength."""
        return self.answers[-1].detection

    @property
    def arrow(self) -> str:
        """Where 1 is best, whether the metric rose (↑), fell (↓) or did either (↕); else empty."""
        if self.metric.direction != "one" or self.detection in ("blind", "varies"):
            return ""
        return {True: "↑", False: "↓", None: "↕"}[self.answers[-1].rises]

    @property
    def sees_from(self) -> Answer | None:
        """The weakest strength from which on the metric sees the fault at every one."""
        first = None
        for answer in reversed(self.answers):
            if answer.detection != "sees":
                break
            first = answer
        return first

    @property
    def misled_at(self) -> tuple[Answer, ...]:
        """The strengths at which the metric got better."""
        return tuple(answer for answer in self.answers if answer.detection == "misled")


@dataclass(frozen=True)
class Outcome:
    """The results of a self-test.

    Attributes:
        responses: One row per generator, strength and draw, with one column per score.
        faults: In the order of the tables.
        verdicts: By metric, then by fault; metrics that do not apply are left out.
        absent: Metrics that gave no number here.
        record: The conditions, as plain values.
        sanity: The sanity checks of the scores; None where they were left out.
    """

    responses: pd.DataFrame
    faults: tuple[Fault, ...]
    verdicts: tuple[Verdict, ...]
    absent: tuple[Metric, ...]
    record: dict[str, Any]
    sanity: Sanity | None = None

    @property
    def dataset(self) -> str:
        """The dataset's short name."""
        return str(self.record["protocol"]["dataset"])

    @property
    def backbone(self) -> str:
        """Name of the backbone that gave the features."""
        return str(self.record["protocol"]["backbone"])

    @property
    def count(self) -> int:
        """Images of each generator."""
        return int(self.record["protocol"]["fake_count"])

    @property
    def metrics(self) -> list[Metric]:
        """Those that gave numbers, in the catalogue's order."""
        return list(dict.fromkeys(verdict.metric for verdict in self.verdicts))

    def verdict(self, metric: str, fault: str) -> Verdict | None:
        """The verdict of one metric on one fault."""
        wanted = (metric, fault)
        matching = (item for item in self.verdicts if (item.metric.name, item.fault) == wanted)
        return next(matching, None)


def band(controls: int, draws: int) -> float:
    """Half-width of the band of the means of new control draws, in the control's deviations.

    Student's prediction interval for the mean of `draws` from `controls` earlier ones.
    """
    quantile = float(stats.t.ppf((1 + CONFIDENCE) / 2, controls - 1))
    return quantile * math.sqrt(1 / draws + 1 / controls)


def detect(
    metric: Metric, values: Sequence[float], control: Sequence[float]
) -> tuple[float, Detection]:
    """Compare a metric's values on a faulty generator with those on the control.

    To be seen, a fault has to move the mean out of the control's band, and every draw to the same
    side of the control's mean, since few images repeated are a small sample that scatters more than
    the control: a reaction that depends on the draw is neither blindness nor sight. Where 1 is
    best, distances from 1 take the place of the values.

    Args:
        metric: Its direction says what is worse.
        values: One per draw of the faulty generator.
        control: One per draw of the control, at least two.

    Returns:
        The standardised answer, positive where it is worse, and the verdict.
    """
    deviation = float(np.std(control, ddof=1))
    if metric.direction == "one":
        values, control = ([abs(value - 1) for value in some] for some in (values, control))
    mean, usual = _mean(values), _mean(control)
    rounding = _ROUNDING * max(1.0, abs(usual))
    if abs(mean - usual) <= rounding:
        return 0.0, "blind"
    worse = mean < usual if metric.direction == "higher" else mean > usual
    size = abs(mean - usual) / deviation if deviation > rounding else math.inf
    agree = len({value > usual for value in values}) == 1
    detection: Detection = "sees" if worse else "misled"
    if size <= band(len(control), len(values)):
        detection = "blind"
    elif not agree:
        detection = "varies"
    return size if worse else -size, detection


def outcome_of(responses: pd.DataFrame, faults: Sequence[Fault], record: dict[str, Any]) -> Outcome:
    """The verdict of every metric on every fault, from the responses."""
    by_generator = dict(iter(responses.groupby("generator")))
    verdicts, absent = [], []
    for metric in METRICS:
        control = by_generator[CONTROL][metric.name].dropna().astype(float)
        if len(control) < 2:  # noqa: PLR2004 - a deviation needs two
            absent.append(metric)
            continue
        for fault in faults:
            answers = _answers(metric, fault, by_generator[fault.name], list(control))
            if answers:
                verdicts.append(Verdict(metric, control.mean(), control.std(), answers))
    return Outcome(responses, tuple(faults), tuple(verdicts), tuple(absent), record)


def _answers(
    metric: Metric, fault: Fault, rows: pd.DataFrame, control: list[float]
) -> tuple[Answer, ...]:
    answers = []
    for strength in fault.strengths:
        values = rows.loc[rows["strength"] == strength.value, metric.name].dropna().astype(float)
        if len(values):
            mean, (size, detection) = values.mean(), detect(metric, list(values), control)
            above = {bool(value > _mean(control)) for value in values}
            rises = above.pop() if len(above) == 1 else None
            answers.append(
                Answer(fault.name, strength.value, strength.label, mean, size, detection, rises)
            )
    return tuple(answers)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
