"""What earlier runs on this machine have taken, kept in the cache for estimates."""

from __future__ import annotations

import dataclasses
import json
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ganbench.data import cache
from ganbench.errors import DataError
from ganbench.scoring.protocol import short_hash

if TYPE_CHECKING:
    from pathlib import Path

    from ganbench.experiment.plan import Job
    from ganbench.experiment.result import RunResult

__all__ = [
    "Cost",
    "duration",
    "gigabytes",
    "read_cost",
    "report_seconds",
    "store_cost",
    "store_report_seconds",
]

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_USUAL_REPORT = 10.0  # seconds, of a few runs
_DURING = 0.5  # an evaluation during training draws half as many images as the last one


@dataclass(frozen=True)
class Cost:
    """What a run takes, whatever its budget.

    Attributes:
        step_seconds: Of one training step.
        evaluation_seconds: Of the scores at the end; those during training take half of it.
        memory_bytes: The most that training uses, of the device or of its process on the CPU.
        origin: Where the numbers are from, for people.
        is_measured: Whether a few steps were done for this, as no run like it is known.
    """

    step_seconds: float
    evaluation_seconds: float
    memory_bytes: int
    origin: str
    is_measured: bool = False

    def training_seconds(self, job: Job) -> float:
        """Seconds on the training clock that a job's budget takes."""
        steps = job.steps
        return job.budget.seconds if steps is None else steps * self.step_seconds

    def scoring_seconds(self, job: Job) -> float:
        """Seconds of all evaluations of a job, during training and at its end."""
        if job.evaluate_every is None:
            return self.evaluation_seconds
        length = self.training_seconds(job)
        every = job.steps_of(job.evaluate_every)
        between = job.evaluate_every.seconds if every is None else every * self.step_seconds
        during = (
            int(length / max(between, 1e-9)) + 2
        )  # the last moment and the best are scored anew
        return self.evaluation_seconds * (1 + _DURING * during)


def _file(cache_root: Path, job: Job, device_name: str) -> Path:
    key = {
        "device": device_name,
        "variant": job.variant,
        "source": job.source_hash,
        "recipe": {name: job.recipe[name] for name in job.recipe if name not in _NOT_IN_KEY},
        "dataset": job.spec.fields,
        "backbone": job.backbone,
        **job.execution.changed,
        **({"processes": job.processes} if job.processes > 1 else {}),
    }
    return cache_root / "timings" / f"{short_hash(key)}.json"


_NOT_IN_KEY = ("dataset", "budget", "sample_every")


def read_cost(cache_root: Path, job: Job, device_name: str) -> Cost | None:
    """What a run like this one has taken before on this machine; None where that is not known."""
    text = cache.read_text(_file(cache_root, job, device_name))
    try:
        values: Any = json.loads(text or "")
        return Cost(
            float(values["step_seconds"]),
            float(values["evaluation_seconds"]),
            int(values["memory_bytes"]),
            str(values["origin"]),
        )
    except (ValueError, KeyError, TypeError):
        return None


def store_cost(cache_root: Path, job: Job, result: RunResult, date: str) -> None:
    """Keep what a run has taken, unless it shared the machine with others or was too short.

    A cache that cannot be written is left as it is: the run is worth more than an estimate.
    """
    evaluations = result.over_training.get("evaluations", 0) if result.over_training else 0
    rounds = 1 + (_DURING * (evaluations + 2) if evaluations else 0)
    spent = result.outside_seconds.get("evaluation")
    if (
        result.status != "ok"
        or result.timing_shared is not False
        or not result.step_seconds_median
        or spent is None
    ):
        return
    cost = Cost(
        result.step_seconds_median,
        spent / rounds,
        result.peak_memory_bytes or 0,
        f"a run of {date} on this machine",
    )
    with suppress(DataError, OSError):
        file = _file(cache_root, job, result.device_name)
        cache.folder(file.parent)
        cache.write_text(file, json.dumps(dataclasses.asdict(cost)))


def report_seconds(cache_root: Path) -> float:
    """How long the last report took on this machine; a usual time where there was none."""
    text = cache.read_text(cache_root / "timings" / "report.json")
    try:
        return float(json.loads(text or "")["seconds"])
    except (ValueError, KeyError, TypeError):
        return _USUAL_REPORT


def store_report_seconds(cache_root: Path, seconds: float) -> None:
    """Keep how long a report took; a cache that cannot be written is left as it is."""
    with suppress(DataError, OSError):
        cache.folder(cache_root / "timings")
        cache.write_text(cache_root / "timings" / "report.json", json.dumps({"seconds": seconds}))


def duration(seconds: float) -> str:
    """Some time for people: `40 s`, `12 min`, `2 h 10 min` or `3 days 4 h`."""
    if seconds < _MINUTE:
        return f"{max(1, round(seconds))} s"
    if seconds < _HOUR:
        return f"{round(seconds / _MINUTE)} min"
    minutes = round(seconds / _MINUTE)
    if seconds < _DAY:
        return f"{minutes // _MINUTE} h {minutes % _MINUTE:02d} min"
    hours = round(seconds / _HOUR)
    days = hours // 24
    return f"{days} day{'s' if days > 1 else ''} {hours % 24} h"


def gigabytes(count: int) -> str:
    """Some memory for people."""
    return f"{count / 1e9:.1f} GB" if count else ""
