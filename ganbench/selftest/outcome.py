"""From scores to verdicts: what each metric makes of each fault, against what chance does."""

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

__all__ = ["CONFIDENCE", "Answer", "Outcome", "Verdict", "Word", "band", "judge", "outcome_of"]

CONFIDENCE = 0.999
"""Share of means of so many new control draws that chance keeps within the band."""

_ROUNDING = 1e-6

Word = Literal["sees", "blind", "misled"]


@dataclass(frozen=True)
class Answer:
    """How one metric answers one fault at one strength.

    Attributes:
        fault: Its name.
        strength: Its value.
        label: The strength for people.
        mean: The metric's mean over the draws.
        standardised: How far the mean (where 1 is best: the mean distance from 1) lies from the
            control's, in the control's standard deviations, positive where it is worse; infinite
            where the control never varied.
        word: `sees` where the metric got worse beyond chance in every draw, `misled` where it got
            better, `blind` otherwise.
        rises: Whether every draw lies above the control's mean; None where draws disagree.
    """

    fault: str
    strength: float
    label: str
    mean: float
    standardised: float
    word: Word
    rises: bool | None


@dataclass(frozen=True)
class Verdict:
    """What one metric makes of one fault: its answer at the strongest, and how it gets there.

    Attributes:
        metric: From the catalogue.
        control: The metric's mean over the control's draws.
        deviation: Their standard deviation.
        answers: One a strength, the weakest first.
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
    def word(self) -> Word:
        """The verdict: that at the strongest strength."""
        return self.answers[-1].word

    @property
    def arrow(self) -> str:
        """Where 1 is best, whether the metric rose (↑), fell (↓) or did either (↕); else empty."""
        if self.metric.direction != "one" or self.word == "blind":
            return ""
        return {True: "↑", False: "↓", None: "↕"}[self.answers[-1].rises]

    @property
    def sees_from(self) -> Answer | None:
        """The weakest strength from which on the metric sees the fault at every one."""
        first = None
        for answer in reversed(self.answers):
            if answer.word != "sees":
                break
            first = answer
        return first

    @property
    def misled_at(self) -> tuple[Answer, ...]:
        """The strengths at which the metric got better."""
        return tuple(answer for answer in self.answers if answer.word == "misled")


@dataclass(frozen=True)
class Outcome:
    """Everything that a self-test found.

    Attributes:
        responses: A row a generator, strength and draw, with a column a score.
        faults: In order.
        verdicts: By metric, then by fault; metrics that do not apply are left out.
        absent: Metrics that gave no number here.
        record: The conditions, as plain values.
    """

    responses: pd.DataFrame
    faults: tuple[Fault, ...]
    verdicts: tuple[Verdict, ...]
    absent: tuple[Metric, ...]
    record: dict[str, Any]

    @property
    def dataset(self) -> str:
        """The dataset's short name."""
        return str(self.record["protocol"]["dataset"])

    @property
    def backbone(self) -> str:
        """What made the features."""
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
        found = (item for item in self.verdicts if (item.metric.name, item.fault) == wanted)
        return next(found, None)


def band(controls: int, draws: int) -> float:
    """How far chance takes the mean of new control draws, in the control's standard deviations.

    Student's prediction interval for the mean of `draws` from `controls` earlier ones.
    """
    quantile = float(stats.t.ppf((1 + CONFIDENCE) / 2, controls - 1))
    return quantile * math.sqrt(1 / draws + 1 / controls)


def judge(metric: Metric, found: Sequence[float], control: Sequence[float]) -> tuple[float, Word]:
    """Compare a metric's values on a faulty generator with those on the control.

    The mean has to leave the control's band, and every draw has to lie on the same side of the
    control's mean: few images repeated are a small sample, that scatters more than the control.
    Where 1 is best, distances from 1 take the place of the values.

    Args:
        metric: Its direction says what is worse.
        found: A value a draw.
        control: Two or more values.

    Returns:
        The standardised answer, positive where it is worse, and the verdict.
    """
    deviation = float(np.std(control, ddof=1))
    if metric.direction == "one":
        found, control = ([abs(value - 1) for value in values] for values in (found, control))
    mean, usual = _mean(found), _mean(control)
    rounding = _ROUNDING * max(1.0, abs(usual))
    if abs(mean - usual) <= rounding:
        return 0.0, "blind"
    worse = mean < usual if metric.direction == "higher" else mean > usual
    size = abs(mean - usual) / deviation if deviation > rounding else math.inf
    agree = len({value > usual for value in found}) == 1
    word: Word = "sees" if worse else "misled"
    if not agree or size <= band(len(control), len(found)):
        word = "blind"
    return size if worse else -size, word


def outcome_of(responses: pd.DataFrame, faults: Sequence[Fault], record: dict[str, Any]) -> Outcome:
    """Judge every metric on every fault."""
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
        found = rows.loc[rows["strength"] == strength.value, metric.name].dropna().astype(float)
        if len(found):
            mean, (size, word) = found.mean(), judge(metric, list(found), control)
            sides = {bool(value > _mean(control)) for value in found}
            rises = sides.pop() if len(sides) == 1 else None
            answers.append(
                Answer(fault.name, strength.value, strength.label, mean, size, word, rises)
            )
    return tuple(answers)


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
