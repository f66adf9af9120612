"""Tunings whose runs end as a table says, without training."""

from __future__ import annotations

from functools import cache
from typing import Any

import results_doubles as doubles

from ganbench.experiment import plan as planning
from ganbench.experiment.store import ResultsFolder
from ganbench.experiment.suite import Suite
from ganbench.machine.interrupt import Stopped
from ganbench.variant import registry
from ganbench.workflow import comparison
from ganbench.workflow.tuning import tune
from ganbench.workflow.tuning_plan import TuneRequest, plan_tuning

VARIANTS = ("mlp", "dcgan")


_entries = cache(registry.entries)
_resolved = cache(lambda names: registry.resolve(list(names)))


def find_variants_once(monkeypatch) -> None:
    """Let all plans of a test know the same variants, which are looked for just once."""
    monkeypatch.setattr(planning, "entries", _entries)
    monkeypatch.setattr(planning, "resolve", lambda names: _resolved(tuple(names)))


def request(out: Any = None, *, variants=VARIANTS, seeds="2", jobs=1, given=(), **changes: Any):
    """As `ganbench tune` makes it from its flags."""
    suite = Suite(
        variants=variants, dataset="digits", budget=changes.pop("budget", "8epochs"), seeds=seeds,
        set=given, jobs=jobs, out=out, primary=changes.pop("primary", "fid"),
        data_root="/nowhere", device="cpu",
    )  # fmt: skip
    return TuneRequest(suite=suite, **{"trials": 4, **changes})


def fid_of(job: Any) -> float:
    """A score that depends on the recipe, and on the budget as if more training were better."""
    recipe = job.recipe
    return 1e4 * abs(float(recipe["lr_g"]) - 3e-4) + 10 * float(recipe["beta1"]) + job.seed % 7


class Launcher:
    """In the place of `ganbench.launch.local.launch`: stores made-up runs.

    Attributes:
        launched: Ids of the runs that were done, in their order.
        kept: Ids of those that had been done before.
        stop_after: Runs after which it is stopped, as by Ctrl-C; None for never.
        failing: Whether a job's run fails.
    """

    def __init__(self, monkeypatch, fid=fid_of, failing=lambda _job: False) -> None:
        self.launched: list[str] = []
        self.kept: list[str] = []
        self.jobs: dict[str, Any] = {}
        self.stop_after: int | None = None
        self.fid, self.failing = fid, failing
        self.reports = 0
        monkeypatch.setattr(comparison.local, "launch", self.launch)
        monkeypatch.setattr(comparison.local, "prepare", lambda *_a, **_k: None)
        monkeypatch.setattr(comparison, "build", self.build)

    def build(self, *_arguments: Any, **_named: Any) -> None:
        self.reports += 1

    def launch(self, plan, context, _display, **_named: Any):
        folder: ResultsFolder = context.folder
        for job in plan.jobs:
            self.jobs[job.id] = job
            if folder.find(job.id) is not None:
                self.kept.append(job.id)
                continue
            if self.stop_after is not None and len(self.launched) >= self.stop_after:
                raise Stopped
            self.launched.append(job.id)
            folder.open_run(job.id)
            folder.finish(self.result(job))
        return [folder.find(job.id) for job in plan.jobs]

    def result(self, job):
        changes = {
            "run_id": job.id, "dataset": "digits", "budget": str(job.budget),
            "recipe": job.recipe, "source_hash": job.source_hash,
        }  # fmt: skip
        if self.failing(job):
            return doubles.failed(job.variant, job.seed, **changes)
        half = {"fake_count": 719} if job.noise == "choosing" else {"fake_count": 1438}
        protocol = doubles.protocol("digits", **half)
        return doubles.result(
            job.variant, job.seed, scores={"fid": self.fid(job)}, protocol=protocol.hash,
            protocol_fields=vars(protocol), **changes,
        )  # fmt: skip


def done(asked: TuneRequest, display: Any, *, fresh: bool = False):
    """Plan a tuning and do it; its plan and its final runs."""
    planned = plan_tuning(asked, display, command="ganbench tune")
    runs = tune(planned, ResultsFolder(asked.suite.out), display, fresh=fresh)
    return planned, runs
