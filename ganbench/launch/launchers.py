"""The launcher that a suite asks for: this machine, Ray or Slurm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganbench.launch.launcher import check_launcher
from ganbench.launch.local_launcher import LocalLauncher
from ganbench.launch.ray import RayLauncher
from ganbench.launch.slurm import SlurmLauncher

if TYPE_CHECKING:
    from ganbench.experiment.suite import Suite
    from ganbench.launch.launcher import Launcher

__all__ = ["launcher_of"]


def launcher_of(suite: Suite) -> Launcher:
    """The launcher of a suite; nothing is started, and no cluster is asked.

    Raises:
        UsageError: Its package is missing, or a flag does not fit it.
    """
    check_launcher(suite)
    at_a_time = suite.jobs if "jobs" in suite.model_fields_set else None
    if suite.launcher == "ray":
        return RayLauncher.of(suite.ray_address, suite.ray, at_a_time)
    if suite.launcher == "slurm":
        return SlurmLauncher.of(suite.slurm, at_a_time)
    return LocalLauncher.of(suite.jobs, suite.device)
