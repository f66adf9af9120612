"""What a launcher is: it gets records of jobs, and gives the folders of their runs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

from ganbench.errors import UsageError, unknown
from ganbench.machine.packages import is_installed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ganbench.experiment.plan import Job
    from ganbench.experiment.suite import Suite
    from ganbench.launch.context import CommandContext
    from ganbench.launch.progress import Display
    from ganbench.machine.device import Device

__all__ = ["Launcher", "check_launcher", "names_one_device", "read_numbers", "settings_of"]

_PACKAGES = {"ray": "ray", "slurm": "submitit"}  # of launchers
_ONE_FILE = {  # trackers, and the variables that name their servers
    "mlflow": ("MLFLOW_TRACKING_URI",),
    "trackio": ("TRACKIO_SERVER_URL", "TRACKIO_SPACE_ID"),
}


class Launcher(Protocol):
    """A place where jobs run.

    Attributes:
        is_cluster: Whether runs may be on other machines than this one, so that nothing that is
            measured here tells how long they take.
    """

    @property
    def is_cluster(self) -> bool:
        """Whether runs may be on other machines."""

    def device(self, requested: str, display: Display, /) -> tuple[Device, str]:
        """The device on which runs train, and its model.

        Args:
            requested: As on the command line.
            display: Where progress is shown.

        Raises:
            UsageError: It is not there, or the cluster cannot be asked.
        """

    def end_earlier(self, context: CommandContext, display: Display, /) -> None:
        """End the runs that an earlier command has left at work, before the folder is cleared.

        Args:
            context: Where.
            display: Where this is said.

        Raises:
            UsageError: Something does not end.
        """

    def carry_out(
        self,
        jobs: Sequence[Job],
        context: CommandContext,
        display: Display,
        done: Callable[[Job], None],
    ) -> None:
        """Do jobs; at the end the folder of each run lies in `context.folder`.

        Args:
            jobs: What to do, in this order.
            context: Where, and with what, as this machine names it.
            display: Shows what the runs show.
            done: Called with each job that has ended, when its folder is there.

        Raises:
            UsageError: Something that the runs need is missing, or the cluster cannot be reached.
            GanbenchError: The process of a run was ended from outside. The others were asked to
                stop.
            Stopped: The runs were asked to stop, and have been saved.
        """


def check_launcher(suite: Suite) -> None:
    """See that a suite's launcher is installed and that its flags fit it, without importing it.

    Raises:
        UsageError: They do not.
    """
    flags = {"--ray-address": ("ray", suite.ray_address), "--ray": ("ray", suite.ray),
             "--slurm": ("slurm", suite.slurm)}  # fmt: skip
    for flag, (launcher, given) in flags.items():
        if given and suite.launcher != launcher:
            raise UsageError(
                f"{flag} is for --launcher {launcher}, and the launcher is {suite.launcher}: "
                f"give --launcher {launcher}, or leave {flag} out"
            )
    if suite.launcher != "local" and suite.exclusive_timing:
        raise UsageError(
            f"--exclusive-timing measures on this machine, and --launcher {suite.launcher} trains "
            "on a cluster: leave it out"
        )
    for tracker, servers in _ONE_FILE.items():
        if (
            suite.launcher == "ray"
            and tracker in suite.track
            and not any(map(os.environ.get, servers))
        ):
            raise UsageError(
                f"--track {tracker} keeps one file for all runs, which machines without a common "
                f"disk cannot share: name a server in {servers[0]}, or take another tracker"
            )
    package = _PACKAGES.get(suite.launcher)
    if package is not None and not is_installed(package):
        raise UsageError(
            f"--launcher {suite.launcher} needs the package {package}: "
            f"pip install 'ganbench[{suite.launcher}]'"
        )


def names_one_device(requested: str, engine: str) -> UsageError:
    """The error of a device by which one machine would be meant, where a cluster chooses."""
    return UsageError(
        f"--device {requested} names one device of one machine, and {engine} chooses them: "
        "give auto, cuda or cpu"
    )


def settings_of(flag: str, given: Iterable[str]) -> dict[str, str]:
    """Sort `KEY=VALUE` of a launcher's flag by key; keys may be spelt with `-`.

    Args:
        flag: Its name, for messages.
        given: As on the command line.

    Raises:
        UsageError: One has no `=`, or a key is given twice.
    """
    settings: dict[str, str] = {}
    for text in given:
        key, equals, value = (part.strip() for part in text.partition("="))
        key = key.replace("-", "_")
        if not equals or not key or not value:
            raise UsageError(f"{flag} {text!r} cannot be read: give KEY=VALUE")
        if key in settings:
            raise UsageError(f"{flag} {key} is given twice: give it once")
        settings[key] = value
    return settings


def read_numbers(
    flag: str, given: Iterable[str], kinds: Mapping[str, Callable[[str], float]]
) -> dict[str, float]:
    """Read `KEY=NUMBER` of a launcher's flag.

    Args:
        flag: Its name, for messages.
        given: As on the command line.
        kinds: By key, `int` or `float`.

    Raises:
        UsageError: As `settings_of`; or a key is unknown, or a value is no number.
    """
    numbers = {}
    for key, text in settings_of(flag, given).items():
        if key not in kinds:
            raise unknown(f"key in {flag}", key, kinds)
        try:
            numbers[key] = kinds[key](text)
        except ValueError as error:
            what = "a whole number" if kinds[key] is int else "a number"
            raise UsageError(f"{flag} {key}={text!r} is not allowed: give {what}") from error
    return numbers
