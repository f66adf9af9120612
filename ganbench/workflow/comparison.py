"""A comparison: what is asked for becomes a plan, runs in a results folder, and a report."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ganbench import data
from ganbench.data.cache import clean
from ganbench.experiment import plan as planning
from ganbench.experiment.extension import planned_budgets, variant_of
from ganbench.experiment.lock import locked
from ganbench.experiment.looks import check_looks
from ganbench.experiment.processes import refuse_devices
from ganbench.experiment.store import ResultsFolder
from ganbench.launch import local
from ganbench.launch.context import CommandContext
from ganbench.launch.launchers import launcher_of
from ganbench.launch.side_by_side import side_by_side
from ganbench.launch.timings import store_report_seconds
from ganbench.machine.torch_settings import preserved_settings
from ganbench.report import build
from ganbench.report import remove as remove_report
from ganbench.trackers import registry as trackers
from ganbench.workflow.expected_time import long_text
from ganbench.workflow.rounds import launch_rounds, may_run, planned_looks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ganbench.experiment.looks import Looks
    from ganbench.experiment.plan import Job, Plan
    from ganbench.experiment.store import StoredRun
    from ganbench.experiment.suite import Suite
    from ganbench.launch.launcher import Launcher
    from ganbench.launch.progress import Display
    from ganbench.machine.device import Device

    Launch = Callable[[Sequence[Job]], list[StoredRun]]

__all__ = ["PlannedComparison", "carry_out", "choose_folder", "plan_comparison"]

_MOST_DRAWING = 8  # processes, which draw the charts of a report


@dataclass(frozen=True)
class PlannedComparison:
    """A comparison before its first run.

    Attributes:
        suite: What was asked for.
        plan: Its runs; where seeds are added as needed, all that there may be.
        looks: The plan of the looks at the scores; None where seeds were given.
        device: Where it trains.
        device_name: The model of that device.
        context: What all runs share; its folder is chosen later.
        launcher: Where runs are done.
    """

    suite: Suite
    plan: Plan
    looks: Looks | None
    device: Device
    device_name: str
    context: CommandContext
    launcher: Launcher


def plan_comparison(suite: Suite, display: Display, *, command: str) -> PlannedComparison:
    """Make the plan of a comparison; nothing is written but caches of images.

    Args:
        suite: What is asked for.
        display: Where progress is shown, and the device is said.
        command: What the user gave, as the results will say it.

    Raises:
        UsageError: The comparison cannot be carried out as asked for.
    """
    trackers.check(suite.track)
    launcher = launcher_of(suite)
    device, name = launcher.device(suite.device, display)
    refuse_devices(suite.processes_per_run, device)
    display.say(f"device: {name} ({device.reason})")
    data_root, cache_root = suite.data_root or data.default_data_root(), data.default_cache_root()
    with preserved_settings():  # which the code of variants may change
        plan = planning.make(
            suite,
            device=device.kind,
            data_root=data_root,
            cache_root=cache_root,
            report=display.report,
        )
    context = CommandContext(
        folder=ResultsFolder(Path()),
        device=str(device.torch),
        data_root=data_root,
        cache_root=cache_root,
        inception_weights=suite.inception_weights,
        command=command,
        track=suite.track,
    )
    looks = planned_looks(suite, plan)
    return PlannedComparison(suite, plan, looks, device, name, context, launcher)


def choose_folder(planned: PlannedComparison, *, is_new: bool = False) -> ResultsFolder:
    """The results folder that was named, or one of today that is new or holds this plan.

    Args:
        planned: What is to be done.
        is_new: Whether one that is not named has to be new.
    """
    out, plan, device = planned.suite.out, planned.plan, planned.device.kind
    return local.choose_folder(out, plan, device, planned.looks, is_new=is_new)


def carry_out(
    planned: PlannedComparison,
    folder: ResultsFolder,
    display: Display,
    *,
    fresh: bool = False,
    is_replaced: Callable[[str], bool] | None = None,
    in_rounds: Callable[[Launch], list[StoredRun]] | None = None,
    is_reported: bool = True,
) -> list[StoredRun]:
    """Do the runs of a comparison that are not done yet, and write its report.

    Args:
        planned: What to do.
        folder: Where; it is locked meanwhile.
        display: Where progress is shown.
        fresh: Whether to start over instead of going on.
        is_replaced: Which stored runs are then removed, by name; left out, those of the plan's
            variants.
        in_rounds: Launches the jobs of the plan in rounds, the next of which may depend on how
            those before it ended; left out, all are launched together.
        is_reported: Whether the report is written.

    Returns:
        The stored runs, in the order of the plan.

    Raises:
        UsageError: The folder holds other runs, another command works in it, or something that
            the runs need is missing.
        GanbenchError: The process of a run was ended from outside.
        Stopped: The runs were asked to stop; they have been saved.
    """
    plan, looks = planned.plan, planned.looks
    local.check_folder(folder, plan, fresh=fresh)
    with locked(folder.path):
        local.check_folder(folder, plan, fresh=fresh)  # as another command may have written
        if not fresh:
            check_looks(folder, looks)
        folder.clean()
        context = replace(planned.context, folder=ResultsFolder(folder.path.resolve()))
        clean(context.cache_root)
        possible = may_run(plan, folder, fresh=fresh)
        here = replace(context, device="cpu") if planned.launcher.is_cluster else context
        local.prepare(possible, here, display, fresh=fresh, jobs=planned.suite.jobs)
        if fresh:
            planned.launcher.end_earlier(context, display)
            own = {job.variant for job in plan.jobs}
            folder.clear(is_replaced or (lambda name: variant_of(name) in own))
            remove_report(folder.path)
        earlier_budgets = () if fresh else planned_budgets(folder)
        launch = _launcher(planned, folder, context, display, earlier_budgets)
        if looks is not None:
            runs = launch_rounds(plan, looks, context, display, launch=launch)
        elif in_rounds is not None:
            runs = in_rounds(launch)
        else:
            runs = launch(plan.jobs)
        if not is_reported:
            return runs
        display.say("writing the report")
        begun = time.perf_counter()
        over = partial(side_by_side, count=min(planned.suite.jobs, _MOST_DRAWING))
        build([folder.path], primary=planned.suite.primary, report=display.report, over=over)
        store_report_seconds(context.cache_root, time.perf_counter() - begun)
    return runs


def _launcher(
    planned: PlannedComparison,
    folder: ResultsFolder,
    context: CommandContext,
    display: Display,
    earlier_budgets: Sequence[str],
) -> Launch:
    """What stores the plan of some more jobs and does them."""
    begun: list[Job] = []
    suite = planned.suite

    def launch(jobs: Sequence[Job]) -> list[StoredRun]:
        begun.extend(jobs)
        record = local.plan_record(
            replace(planned.plan, jobs=tuple(begun)),
            device=planned.device.kind,
            device_name=planned.device_name,
            device_reason=planned.device.reason,
            command=context.command,
            earlier_budgets=earlier_budgets,
        )
        folder.write_plan(record)
        part = replace(planned.plan, jobs=tuple(jobs))
        is_known = not planned.launcher.is_cluster
        if is_known and (long := long_text(part, context, planned.device_name)):
            display.say(long)
        return local.launch(
            part,
            context,
            display,
            jobs=suite.jobs,
            exclusive_timing=suite.exclusive_timing,
            launcher=planned.launcher,
        )

    return launch
