"""Drawing trials from a space, by Optuna's seeded samplers.

Random search is the default, and drawn before any trial is trained. So a trial depends neither on
the others nor on how many run side by side, the same command draws the same ones, and the best of
any few of them is what a smaller budget would have found: the curve of the best score over the
number of trials (Lucic et al. 2018) asks for that. A sampler that learns from earlier trials may
find more, but its trials are one sequence that cannot be resampled, and it learns faster on some
variants than on others.
"""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any, Literal

from ganbench.errors import UsageError
from ganbench.machine.random_streams import stream_seed
from ganbench.tuning.searched import Choices, Range

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ganbench.tuning.searched import Searched

__all__ = ["TPE_BATCH", "TPE_FIRST", "Sampler", "Search", "check_installed", "optuna_version"]

Sampler = Literal["random", "tpe"]
TPE_FIRST, TPE_BATCH = 10, 5
"""Trials of TPE that are drawn at random at first, and those that are drawn together afterwards;
they do not depend on how many run side by side, so that the trials do not either."""

_DIGITS = 4  # of a drawn number, so that it can be written down as it was trained


def check_installed() -> None:
    """See that Optuna is there.

    Raises:
        UsageError: It is not.
    """
    try:
        import optuna  # noqa: F401
    except ImportError as error:
        raise UsageError(
            "ganbench tune draws its trials with optuna, which is not installed: "
            "python -m pip install 'ganbench[tune]'"
        ) from error


def optuna_version() -> str:
    """The version that draws the trials."""
    import optuna

    return str(optuna.__version__)


class Search:
    """The trials of one variant, drawn one batch after the other.

    Args:
        space: What is searched.
        sampler: `random`, or `tpe`: a tree-structured Parzen estimator (Bergstra et al. 2011).
        seed: Of the search.
        variant: Its name, so that each has random numbers of its own.
    """

    def __init__(
        self, space: Mapping[str, Searched], sampler: Sampler, seed: int, variant: str
    ) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        own = stream_seed(seed, "tune", variant) % 2**32
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # constant_liar is marked as experimental
            made: optuna.samplers.BaseSampler = (
                optuna.samplers.RandomSampler(seed=own)
                if sampler == "random"
                else optuna.samplers.TPESampler(
                    seed=own, n_startup_trials=TPE_FIRST, constant_liar=True
                )
            )
        self._study = optuna.create_study(direction="minimize", sampler=made)
        self._space = dict(space)
        self._asked: list[Any] = []

    def ask(self, count: int) -> list[dict[str, float | int | str]]:
        """Draw some trials: values by the names of numbers."""
        asked = [self._study.ask() for _ in range(count)]
        self._asked += asked
        return [
            {key: _drawn(trial, key, searched) for key, searched in self._space.items()}
            for trial in asked
        ]

    def tell(self, losses: Sequence[float]) -> None:
        """Say how the trials of the last `ask` ended: less is better, infinity is a failure."""
        for trial, loss in zip(self._asked, losses, strict=True):
            self._study.tell(trial, loss)
        self._asked = []


def _drawn(trial: Any, key: str, searched: Searched) -> float | int | str:
    if isinstance(searched, Choices):
        return str(trial.suggest_categorical(key, searched.values))
    if searched.whole:
        low, high = math.ceil(searched.low), math.floor(searched.high)
        return int(trial.suggest_int(key, low, high, log=searched.log))
    return _rounded(
        trial.suggest_float(key, searched.low, searched.high, log=searched.log), searched
    )


def _rounded(number: float, searched: Range) -> float:
    return min(searched.high, max(searched.low, float(f"{number:.{_DIGITS}g}")))
