"""Equal tuning: default recipes, trials, and the best recipe of each variant on new seeds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from ganbench.errors import GanbenchError, UsageError
from ganbench.experiment.plan import Plan
from ganbench.experiment.store import ResultsFolder, first_dated_folder, write_text, writing
from ganbench.experiment.suite import is_for
from ganbench.tuning.record import (
    DEFAULT,
    TRIALS_FOLDER,
    TUNED,
    best_trial,
    check_same,
    read_tuning,
    write_tuning,
)
from ganbench.workflow.comparison import carry_out
from ganbench.workflow.trials import begun_jobs, run_trials

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ganbench.experiment.plan import Job
    from ganbench.experiment.store import StoredRun
    from ganbench.launch.progress import Display
    from ganbench.tuning.record import Tuning
    from ganbench.workflow.comparison import Launch
    from ganbench.workflow.tuning_plan import PlannedTuning

__all__ = ["SUITE_FILE", "choose_tuning_folder", "tune"]

SUITE_FILE = Path("suites") / "tuned.yaml"


def choose_tuning_folder(planned: PlannedTuning) -> ResultsFolder:
    """The folder that was named, or the first one of today that is new or holds this tuning."""
    suite, default = planned.suite, planned.default
    if suite.out is not None:
        return ResultsFolder(suite.out)

    def holds_this(path: Path) -> bool:
        try:
            check_same(path, planned.record)
            return read_tuning(path) is not None
        except GanbenchError:
            return False

    topic = f"{default.device.kind}_{default.plan.topic}_tuned"
    return ResultsFolder(first_dated_folder(topic, holds_this))


def tune(
    planned: PlannedTuning, folder: ResultsFolder, display: Display, *, fresh: bool = False
) -> list[StoredRun]:
    """Do what is left of a tuning, and write its report.

    Args:
        planned: What to do.
        folder: Where.
        display: Where progress is shown.
        fresh: Whether to start over instead of going on.

    Returns:
        The final runs.

    Raises:
        UsageError: The folder holds something else, another command works in it, or something that
            the runs need is missing.
        GanbenchError: The process of a run was ended from outside.
        Stopped: The runs were asked to stop; they have been saved.
    """
    if not fresh:
        check_same(folder.path, planned.record)
    record = None if fresh else read_tuning(folder.path)
    if record is None or not record.winners:
        _run_default(planned, folder, display, fresh=fresh, is_new=record is None)
        record = _run_trials(planned, folder, display)
        write_tuning(folder.path, record)
    jobs = _final_jobs(planned, record)
    _write_suite(planned, record, folder)
    final = replace(planned.default, plan=replace(planned.default.plan, jobs=jobs))
    return carry_out(final, folder, display)


def _run_default(
    planned: PlannedTuning, folder: ResultsFolder, display: Display, *, fresh: bool, is_new: bool
) -> None:
    """Do the final runs of the default recipes, which show early what the search would fail at."""
    if is_new and not fresh and folder.plan_file.exists():
        raise UsageError(
            f"{folder.path} holds a comparison that is no tuning: give another folder with --out, "
            "or --fresh to start over"
        )
    plan = planned.default.plan

    def launch_all(launch: Launch) -> list[StoredRun]:
        trials = ResultsFolder(folder.path / TRIALS_FOLDER)
        if fresh and trials.plan_file.exists():  # which the command without --fresh would find
            context = replace(planned.default.context, folder=trials)
            planned.default.launcher.end_earlier(context, display)
            trials.clear(lambda _name: True)
            trials.write_plan({"jobs": []})  # by which it is known as a results folder
        write_tuning(folder.path, planned.record)
        return launch(plan.jobs)

    count = len(plan.jobs)
    display.say(f"default recipes: {count} run{'s' if count > 1 else ''}")
    carry_out(
        planned.default, folder, display, fresh=fresh, is_replaced=lambda _name: True,
        in_rounds=launch_all, is_reported=False,
    )  # fmt: skip


def _run_trials(planned: PlannedTuning, folder: ResultsFolder, display: Display) -> Tuning:
    """Do the trials in a results folder of their own; the record with their outcome is returned."""
    trials = ResultsFolder(folder.path / TRIALS_FOLDER)
    jobs = begun_jobs(planned, trials)
    record = planned.record
    display.say(
        f"trials: {record.trials} of each variant, and {planned.default_trials} of each default "
        f"recipe under the same conditions"
    )
    comparison = replace(planned.default, plan=Plan(jobs))

    def in_rounds(launch: Launch) -> list[StoredRun]:
        nonlocal record
        record = record.model_copy(update={"results": run_trials(planned, launch)})
        return []

    carry_out(
        comparison,
        trials,
        display,
        in_rounds=in_rounds,
        is_reported=False,
    )
    best = {name: best_trial(record.of(name), planned.direction) for name in planned.space}
    winners = {name: None if trial is None else trial.trial for name, trial in best.items()}
    for name, trial in best.items():
        if trial is None:
            display.say(f"{name}: no trial has a score, so that there is no tuned recipe")
        else:
            numbers = " ".join(planned.settings(name, trial.numbers))
            display.say(f"{name}: best of {record.trials} is trial {trial.trial}: {numbers}")
    for path in trials.run_paths():  # networks of trials, which nothing goes on from any more
        (path / "checkpoint.pt").unlink(missing_ok=True)
    record = record.model_copy(update={"winners": winners})
    return record.model_copy(update={"names": _names(planned, record)})


def _tuned_jobs(planned: PlannedTuning, record: Tuning) -> dict[str, tuple[Job, ...]]:
    """The final runs of the best recipes, by variant."""
    best = {name: record.winner(name) for name in planned.space}
    return {
        name: planned.final_jobs(name, trial.numbers)
        for name, trial in best.items()
        if trial is not None
    }


def _names(planned: PlannedTuning, record: Tuning) -> dict[str, str]:
    """What each final run is: tuned or default; the default where the search has found just it."""
    tuned = [job for jobs in _tuned_jobs(planned, record).values() for job in jobs]
    names = dict.fromkeys((job.id for job in tuned), TUNED)
    return {**names, **dict.fromkeys((job.id for job in planned.default.plan.jobs), DEFAULT)}


def _final_jobs(planned: PlannedTuning, record: Tuning) -> tuple[Job, ...]:
    """All final runs: by seed and variant, the default recipe and the tuned one."""
    tuned = _tuned_jobs(planned, record)
    jobs: list[Job] = []
    for job in planned.default.plan.jobs:
        jobs.append(job)
        jobs += [other for other in tuned.get(job.variant, ()) if other.seed == job.seed]
    return tuple({job.id: job for job in jobs}.values())


def _write_suite(planned: PlannedTuning, record: Tuning, folder: ResultsFolder) -> None:
    """Write the best recipes as a suite that `ganbench run` takes."""
    winners = {name: trial for name in planned.space if (trial := record.winner(name)) is not None}
    if not winners:
        return
    suite, lost = planned.suite, set(planned.space) - set(winners)
    drawn = [
        f"{name}.{text}"
        for name, trial in winners.items()
        for text in planned.settings(name, trial.numbers)
    ]
    values = suite.model_dump(mode="json", exclude_defaults=True, exclude={"out", "jobs"})
    values |= {
        "variants": _given_names(suite.variants, list(winners)),
        "seeds": ",".join([*map(str, record.seeds), ""]),
        "set": [*(text for text in suite.set if not is_for(text, lost)), *drawn],
    }
    head = (
        f"# The best of {record.trials} trials of each variant by {record.primary} "
        f"({record.sampler} search, seed {record.search_seed}), as `ganbench tune` found them\n"
    )
    with writing(folder.path / SUITE_FILE):
        text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=1000)
        write_text(folder.path / SUITE_FILE, head + text)


def _given_names(given: Sequence[str], variants: Sequence[str]) -> list[str]:
    """Variants as the user named them: those of files by their paths."""
    paths = {Path(name).stem.replace("_", "-"): name for name in given}
    return [paths.get(name, name) for name in variants]
