"""A run of a larger budget goes on from the checkpoint of a stored run of a smaller one."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import torch

from ganbench.experiment.checkpoint import read_checkpoint, write_checkpoint
from ganbench.experiment.extension import earlier_run, schedules
from ganbench.experiment.store import writing

if TYPE_CHECKING:
    from pathlib import Path

    from ganbench.experiment.plan import Job
    from ganbench.launch.resources import Resources

__all__ = ["take_over"]

_LEFT_BEHIND = ("samples", ".timing-shared")
_ADVICE = "remove it, or start over with --fresh"


def take_over(job: Job, resources: Resources, folder: Path) -> None:
    """Copy the checkpoint of a run that differs in a smaller budget alone, where there is one.

    The run that goes on is, to the last bit, one that had the larger budget from the start. Where
    something depends on the budget it would not be, so that it begins from the start, and says so.
    The stored run stays as it is.

    Args:
        job: What is to be done.
        resources: Where, and what is shown.
        folder: Of the run, which has no checkpoint yet; otherwise nothing is done.

    Raises:
        UsageError: The stored checkpoint is damaged, or the new one cannot be written.
    """
    if (folder / "checkpoint.pt").exists():
        return
    earlier = earlier_run(resources.folder, job)
    if earlier is None:
        return
    if not earlier.is_finished:  # where a command was killed, the process of its run may be saving
        with resources.folder.one_process(earlier.run_id):
            earlier = earlier_run(resources.folder, job) or earlier
    begins = f"{job.label}: begins from the start and not from {earlier.run_id} ({earlier.budget})"
    if changing := schedules(job):
        resources.display.say(f"{begins}, as {', '.join(changing)} changes over the budget")
        return
    values = read_checkpoint(
        earlier.path / "checkpoint.pt", earlier.run_id, torch.device("cpu"), _ADVICE
    )
    if values.get("looked_at_share", True):
        resources.display.say(
            f"{begins}, as its variant looks at the share of the budget that is used up"
            if "looked_at_share" in values
            else f"{begins}, which an earlier version of ganbench has written"
        )
        return
    over_training = values.get("over_training")
    if over_training is not None and over_training.get("before_end") is not None:
        values["over_training"] = over_training["before_end"]
    with writing(folder):
        for name in _LEFT_BEHIND:
            source = earlier.path / name
            if source.is_dir():
                shutil.copytree(source, folder / name, dirs_exist_ok=True)
            elif source.exists():
                shutil.copy2(source, folder / name)
        write_checkpoint(folder / "checkpoint.pt", job.id, values)
    resources.display.say(
        f"{job.label}: takes over {earlier.run_id} ({earlier.budget}), which stays as it is"
    )
