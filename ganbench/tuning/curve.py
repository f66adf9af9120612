"""The best score as a function of the number of trials, exactly, by order statistics.

A search of k trials would have found the best of k scores. Its mean is that over all subsets of k
of the n trials, each as likely as any other, which is unbiased (Tang et al. 2020,
arXiv:2004.13705). Its spread is that of the bootstrap (Lucic et al. 2018, arXiv:1711.10337), in
which k trials are drawn with replacement: the quantiles of the best of them are known without
drawing, as the best is above the i-th smallest score with the probability ((n - i) / n)^k.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ganbench.scoring.metrics.catalogue import Direction

__all__ = ["HIGH", "LOW", "BestOf", "best_over_trials", "best_so_far", "loss_of"]

LOW, HIGH = 0.05, 0.95
"""The interval of the best score between these quantiles is the spread."""
_ROUNDING = 1e-12


@dataclass(frozen=True)
class BestOf:
    """The best score of some number of trials; None where it would be that of a failed trial.

    Attributes:
        trials: How many.
        mean: Over all subsets of so many trials; None where all of one may have failed.
        median: Of the bootstrap; of one search in its order, the best so far.
        better: The better end of its 90% interval.
        worse: The worse end.
    """

    trials: int
    mean: float | None
    median: float | None
    better: float | None
    worse: float | None


def loss_of(score: float | None, direction: Direction) -> float:
    """A score as a number of which less is better; infinity where there is none.

    Args:
        score: Of a trial; None where it failed or diverged.
        direction: What is better: `lower`, `higher`, or nearer to `one`.
    """
    if score is None or not math.isfinite(score):
        return math.inf
    return {"lower": score, "higher": -score, "one": abs(score - 1)}[direction]


def best_over_trials(scores: Sequence[float | None], direction: Direction) -> list[BestOf]:
    """The best score of 1, 2, ... up to all trials.

    Args:
        scores: Of all trials, in any order; None for those that failed, which is the worst.
        direction: What is better.
    """
    losses = [loss_of(score, direction) for score in scores]
    order = np.argsort(losses, kind="stable")
    ranked = [scores[place] if math.isfinite(losses[place]) else None for place in order]
    count = len(ranked)
    places = np.arange(1, count + 1)
    points = []
    for trials in range(1, count + 1):
        below = 1 - ((count - places) / count) ** trials  # that the best is among the first ones
        median, better, worse = (
            ranked[int(np.argmax(below >= share - _ROUNDING))] for share in (0.5, LOW, HIGH)
        )
        points.append(BestOf(trials, _mean(ranked, trials), median, better, worse))
    return points


def best_so_far(scores: Sequence[float | None], direction: Direction) -> list[BestOf]:
    """The best score after 1, 2, ... trials of one search, in which each depends on earlier ones.

    Such trials cannot be resampled, so nothing is known of the spread.

    Args:
        scores: In the order of the trials; None for those that failed.
        direction: What is better.
    """
    points: list[BestOf] = []
    best: float | None = None
    for trials, score in enumerate(scores, start=1):
        if loss_of(score, direction) < loss_of(best, direction):
            best = score
        points.append(BestOf(trials, None, best, None, None))
    return points


def _mean(ranked: Sequence[float | None], trials: int) -> float | None:
    """The mean of the best of a subset, over all subsets."""
    count = len(ranked)
    left = count - np.arange(count)  # of the scores that are not better than the i-th
    above = np.concatenate([[1.0], np.cumprod(np.maximum(left - trials, 0) / left)])
    total = 0.0
    for score, weight in zip(ranked, above[:-1] - above[1:], strict=True):
        if weight > 0:
            if score is None:
                return None
            total += weight * score
    return total
