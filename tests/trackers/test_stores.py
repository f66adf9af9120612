"""The stores of TensorBoard and MLflow, read back by their own readers."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from PIL import Image

from ganbench.trackers.mlflow import MLflow
from ganbench.trackers.tensorboard import TensorBoard
from ganbench.trackers.tracker import RunEnd, TrackedRun

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # of the libraries, whose process is not this one
]
needs_mlflow = pytest.mark.skipif(
    find_spec("mlflow") is None, reason="mlflow is not installed: pip install 'ganbench[mlflow]'"
)

needs_tensorboard = pytest.mark.skipif(
    find_spec("tensorboard") is None,
    reason="tensorboard is not installed: pip install 'ganbench[tensorboard]'",
)


def run_at(step, folder):
    recipe = {"lr_g": 0.5, "optimizer": "adam", "crops": None}
    environment = {"versions": {"torch": "2.9"}, "threads": 1}
    return TrackedRun(
        "mlp-s0", folder, step, "mlp", "digits", 0, "cpu", "9steps", recipe, environment, "run it"
    )


def follow(tracker, first, last):
    """Give a tracker steps, each with a loss of a hundred plus the step."""
    for step in range(first, last + 1):
        tracker.scalars(step, {"training/d_loss": 100.0 + step, "training/g_loss": float("nan")})


@pytest.fixture
def picture(tmp_path):
    file = tmp_path / "picture.png"
    Image.new("L", (12, 7), 128).save(file)
    return file


# --- TensorBoard ---


def events(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    read = EventAccumulator(str(folder / "tensorboard" / "mlp-s0"), {"scalars": 0, "images": 0})
    return read.Reload()


def losses(folder):
    return [(event.step, event.value) for event in events(folder).Scalars("training/d_loss")]


@needs_tensorboard
def test_tensorboard_holds_losses_pictures_hyperparameters_and_final_scores(tmp_path, picture):
    from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    tracker = TensorBoard(run_at(0, tmp_path))
    follow(tracker, 1, 3)
    tracker.scalars(2, {"scores/fid": 7.5})
    tracker.picture(2, "generated", picture)
    tracker.end(RunEnd("ok", step=3, values={"fid": 4.5}, notes=("mind | this",)))
    read = events(tmp_path)
    assert losses(tmp_path) == [(1, 101.0), (2, 102.0), (3, 103.0)]
    assert [(event.step, event.value) for event in read.Scalars("scores/fid")] == [(2, 7.5)]
    assert [(event.step, event.value) for event in read.Scalars("final/fid")] == [(3, 4.5)]
    (image,) = read.Images("samples/generated")
    assert (image.step, image.width, image.height) == (2, 12, 7)
    (text,) = read.Tensors("final/text_summary")
    assert "| note | mind \\| this |" in text.tensor_proto.string_val[0].decode()
    (text,) = read.Tensors("environment/text_summary")
    assert "| versions.torch | 2.9 |" in text.tensor_proto.string_val[0].decode()
    content = read.summary_metadata["_hparams_/session_start_info"].plugin_data.content
    stored = HParamsPluginData.FromString(content).session_start_info.hparams
    assert stored["lr_g"].number_value == 0.5
    assert stored["optimizer"].string_value == "adam"
    assert stored["crops"].string_value == "None"


@needs_tensorboard
def test_tensorboard_shows_no_step_twice_after_a_run_went_on(tmp_path):
    killed = TensorBoard(run_at(0, tmp_path))
    follow(killed, 1, 5)
    killed.end(RunEnd("interrupted"))
    resumed = TensorBoard(run_at(3, tmp_path))
    assert resumed.goes_on
    follow(resumed, 4, 6)
    resumed.end(RunEnd("ok", step=6))
    assert losses(tmp_path) == [(step, 100.0 + step) for step in range(1, 7)]


@needs_tensorboard
def test_tensorboard_shows_nothing_of_a_run_that_was_started_over(tmp_path):
    follow(before := TensorBoard(run_at(0, tmp_path)), 1, 5)
    before.end(RunEnd("failed", step=5, values={"fid": 1.0}))
    again = TensorBoard(run_at(0, tmp_path))
    assert not again.goes_on
    follow(again, 1, 2)
    again.end(RunEnd("ok", step=2))
    assert losses(tmp_path) == [(1, 101.0), (2, 102.0)]


# --- MLflow ---


@pytest.fixture
def client(tmp_path, monkeypatch):
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    from mlflow import MlflowClient

    return MlflowClient((tmp_path / "mlflow").as_uri())


def only_run(client, folder):
    experiment = client.get_experiment_by_name(folder.name)
    (run,) = client.search_runs([experiment.experiment_id])
    return run


@needs_mlflow
def test_mlflow_holds_parameters_environment_metrics_and_pictures(tmp_path, picture, client):
    tracker = MLflow(run_at(0, tmp_path))
    follow(tracker, 1, 2)
    tracker.picture(2, "generated", picture)
    tracker.end(RunEnd("diverged", "d_loss is not finite", 2, {"fid": 4.5}))
    run = only_run(client, tmp_path)
    assert run.info.status == "FAILED"
    assert (run.data.params["lr_g"], run.data.params["variant"]) == ("0.5", "mlp")
    assert run.data.tags["environment.versions.torch"] == "2.9"
    assert run.data.tags["mlflow.note.content"] == "d_loss is not finite"
    assert run.data.metrics["final/fid"] == 4.5
    images = [file.path for file in client.list_artifacts(run.info.run_id, "images")]
    assert any(path.endswith(".png") for path in images)


@needs_mlflow
def test_a_run_that_goes_on_is_one_run_in_mlflow_with_each_step_once(tmp_path, client):
    killed = MLflow(run_at(0, tmp_path))
    follow(killed, 1, 5)
    killed.end(RunEnd("interrupted"))
    assert only_run(client, tmp_path).info.status == "KILLED"
    resumed = MLflow(run_at(3, tmp_path))
    assert resumed.goes_on
    follow(resumed, 4, 6)
    resumed.end(RunEnd("ok", step=6))
    run = only_run(client, tmp_path)
    assert run.info.status == "FINISHED"
    stored = client.get_metric_history(run.info.run_id, "training/d_loss")
    assert sorted(metric.step for metric in stored) == [1, 2, 3, 4, 5, 6]
