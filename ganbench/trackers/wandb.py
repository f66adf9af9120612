"""Weights & Biases: online where somebody is logged in, otherwise in files to send later."""

from __future__ import annotations

import netrc
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ganbench.trackers.stream import Stream
from ganbench.trackers.tracker import RunEnd, TrackedRun, Tracker

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["WeightsAndBiases", "is_logged_in"]

_HOST = "https://api.wandb.ai"
_KEYS = ("WANDB_API_KEY", "WANDB_IDENTITY_TOKEN_FILE")
_STEP = "step"


class WeightsAndBiases(Tracker):
    """Logs to the project `ganbench`, or `WANDB_PROJECT`; runs of one comparison are a group."""

    def __init__(self, run: TrackedRun) -> None:
        super().__init__(run)
        import wandb

        self._wandb: Any = wandb
        self._stream = Stream.of(run, "wandb")
        self.goes_on = self._stream.goes_on
        mode = os.environ.get("WANDB_MODE") or ("online" if is_logged_in() else "offline")
        self._run = self._wandb.init(
            project=os.environ.get("WANDB_PROJECT", "ganbench"),
            group=run.folder.name,
            id=self._stream.name,
            name=run.id,
            dir=str(run.folder),
            mode=mode,
            resume="allow",
            config={
                **run.hyperparameters,
                "command": run.command,
                "environment": dict(run.environment),
            },
            settings=self._wandb.Settings(console="off", silent=True, x_disable_stats=True),
        )
        for group in ("training", "scores", "samples"):  # steps that come twice are no error so
            self._run.define_metric(f"{group}/*", step_metric=_STEP)
        folder = run.folder / "wandb"
        if mode != "offline":
            self.note = str(self._run.url or mode)
        elif os.environ.get("WANDB_MODE"):
            self.note = f"offline, as WANDB_MODE says, in {folder}"
        else:
            self.note = f"offline in {folder}, as nobody is logged in (wandb login, wandb sync)"

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """See `Tracker`."""
        group = next(iter(values), "").partition("/")[0]
        if self._stream.is_new(group, step):
            self._run.log({_STEP: step, **values})

    def picture(self, step: int, name: str, file: Path) -> None:
        """See `Tracker`."""
        if self._stream.is_new(f"samples/{name}", step):
            self._run.log({_STEP: step, f"samples/{name}": self._wandb.Image(str(file))})

    def end(self, end: RunEnd) -> None:
        """See `Tracker`."""
        self._stream.save()
        if end.status != "interrupted":
            final = {f"final/{name}": value for name, value in end.values.items()}
            self._run.summary.update({**final, "status": end.status, "reason": end.reason})
            self._run.summary.update({"notes": list(end.notes)})
        is_error = end.status in ("diverged", "failed")
        self._run.finish(exit_code=1 if is_error else 0)


def is_logged_in() -> bool:
    """Whether there are credentials where `wandb login` and its manual put them."""
    if any(os.environ.get(name) for name in _KEYS):
        return True
    host = urlsplit(os.environ.get("WANDB_BASE_URL") or _HOST).hostname or ""
    files = [os.environ.get("NETRC", ""), "~/.netrc", "~/_netrc"]
    for file in filter(None, files):
        with suppress(OSError, RuntimeError, netrc.NetrcParseError):
            if netrc.netrc(str(Path(file).expanduser())).authenticators(host):
                return True
    return False
