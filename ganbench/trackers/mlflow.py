"""MLflow: a file store in `mlflow` of the results folder, or the server of MLFLOW_TRACKING_URI."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from ganbench.trackers.facts import environment_rows
from ganbench.trackers.stream import Stream
from ganbench.trackers.tracker import RunEnd, TrackedRun, Tracker

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["MLflow"]

_STATUS = {"ok": "FINISHED", "diverged": "FAILED", "failed": "FAILED", "interrupted": "KILLED"}
_LONGEST = 500  # characters of a parameter's value


class MLflow(Tracker):
    """Logs one MLflow run per run, in an experiment named after the results folder.

    `MLFLOW_EXPERIMENT_NAME` names another experiment.
    """

    def __init__(self, run: TrackedRun) -> None:
        super().__init__(run)
        uri = os.environ.get("MLFLOW_TRACKING_URI")
        if not uri:  # MLflow 3 asks for this word before it writes to a folder
            os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
        import mlflow

        self._stream = Stream.of(run, "mlflow")
        store = uri or (run.folder / "mlflow").as_uri()
        self._client = mlflow.MlflowClient(tracking_uri=store)
        self.goes_on = self._stream.goes_on
        if self.goes_on:
            self._id = self._stream.name
            self._client.update_run(self._id, status="RUNNING")
        else:
            self._id = self._begin()
            self._stream.name = self._id
            self._stream.save()
        self.note = (
            "runs go where MLFLOW_TRACKING_URI says"
            if uri
            else f"mlflow ui --backend-store-uri {store}"
        )

    def _begin(self) -> str:
        """Create a run with its parameters, and the environment as tags."""
        from mlflow.entities import Param

        run = self.run
        experiment = self._experiment(os.environ.get("MLFLOW_EXPERIMENT_NAME", run.folder.name))
        tags = {f"environment.{name}": value for name, value in environment_rows(run)}
        created = self._client.create_run(
            experiment, run_name=run.id, tags={**tags, "ganbench.command": run.command}
        )
        identity = str(created.info.run_id)
        parameters = [
            Param(name, str(value)[:_LONGEST]) for name, value in run.hyperparameters.items()
        ]
        self._client.log_batch(identity, params=parameters)
        return identity

    def _experiment(self, name: str) -> str:
        """The experiment of a name, which another run may be creating at this moment."""
        from mlflow.exceptions import MlflowException

        experiment = self._client.get_experiment_by_name(name)
        if experiment is None:
            try:
                return str(self._client.create_experiment(name))
            except MlflowException:
                experiment = self._client.get_experiment_by_name(name)
                if experiment is None:
                    raise
        return str(experiment.experiment_id)

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """See `Tracker`."""
        group = next(iter(values), "").partition("/")[0]
        if self._stream.is_new(group, step):
            self._client.log_batch(self._id, metrics=_metrics(values, step))

    def picture(self, step: int, name: str, file: Path) -> None:
        """See `Tracker`."""
        from PIL.Image import open as open_image

        if self._stream.is_new(f"samples/{name}", step):
            with open_image(file) as picture:
                self._client.log_image(self._id, picture.convert("RGB"), key=name, step=step)

    def end(self, end: RunEnd) -> None:
        """See `Tracker`."""
        self._stream.save()
        if end.status != "interrupted":
            final = {f"final/{name}": value for name, value in end.values.items()}
            self._client.log_batch(self._id, metrics=_metrics(final, end.step or 0))
            self._client.set_tag(self._id, "ganbench.status", end.status)
            if text := "\n\n".join(filter(None, [end.reason, *end.notes])):
                self._client.set_tag(self._id, "mlflow.note.content", text)
        self._client.set_terminated(self._id, _STATUS[end.status])


def _metrics(values: Mapping[str, float], step: int) -> list[Any]:
    from mlflow.entities import Metric

    now = int(1000 * time.time())
    return [Metric(name, value, now, step) for name, value in values.items()]
