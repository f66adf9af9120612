"""Weights & Biases and Trackio, with doubles in the place of their libraries."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from ganbench.trackers.tracker import RunEnd, TrackedRun
from ganbench.trackers.trackio import Trackio
from ganbench.trackers.wandb import WeightsAndBiases, is_logged_in

VARIABLES = (
    "WANDB_API_KEY", "WANDB_IDENTITY_TOKEN_FILE", "WANDB_MODE", "WANDB_PROJECT", "WANDB_BASE_URL",
    "TRACKIO_DIR", "TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL",
)  # fmt: skip


class Library:
    """Has what both libraries have, and writes down what it is given."""

    Image = staticmethod(lambda file: f"image of {file}")
    Settings = SimpleNamespace
    url = "https://example.org/run"

    def __init__(self):
        self.asked, self.logged, self.ended = {}, [], []
        self.summary = {}

    def init(self, **asked):
        self.asked = asked
        return self

    def define_metric(self, name, step_metric):
        assert step_metric == "step"

    def log(self, values, step=None):
        self.logged.append(values if step is None else {**values, "step": step})

    def finish(self, exit_code=0):
        self.ended.append(exit_code)


@pytest.fixture
def library(monkeypatch, tmp_path):
    for name in VARIABLES:
        monkeypatch.setenv(name, "")  # so that it is put back as it was
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    double = Library()
    monkeypatch.setitem(sys.modules, "wandb", double)
    monkeypatch.setitem(sys.modules, "trackio", double)
    return double


def run_at(step, folder):
    return TrackedRun(
        "mlp-s0", folder / "out", step, "mlp", "digits", 0, "cpu", "9steps", {"lr_g": 0.5}
    )


@pytest.mark.parametrize("kind", [WeightsAndBiases, Trackio])
def test_numbers_pictures_and_the_end_reach_the_library(kind, library, tmp_path):
    tracker = kind(run_at(0, tmp_path))
    tracker.scalars(1, {"training/d_loss": 0.5})
    tracker.picture(1, "generated", tmp_path / "a.png")
    tracker.end(RunEnd("ok", step=1, values={"fid": 4.5}))
    assert library.asked["config"]["lr_g"] == 0.5
    assert library.asked["group"] == "out"
    assert library.logged[:2] == [
        {"training/d_loss": 0.5, "step": 1},
        {"samples/generated": f"image of {tmp_path / 'a.png'}", "step": 1},
    ]
    final = {**library.summary, **library.logged[-1]}
    assert (final["final/fid"], final["status"]) == (4.5, "ok")
    assert library.ended == [0]


@pytest.mark.parametrize(("kind", "key"), [(WeightsAndBiases, "id"), (Trackio, "name")])
def test_a_run_that_goes_on_keeps_its_name_and_repeats_no_step(kind, key, library, tmp_path):
    killed = kind(run_at(0, tmp_path))
    for step in range(1, 6):
        killed.scalars(step, {"training/d_loss": 0.5})
    killed.scalars(3, {"scores/fid": 9.0})
    killed.end(RunEnd("interrupted"))
    name = library.asked[key]
    resumed = kind(run_at(3, tmp_path))
    assert (library.asked[key], library.asked["resume"]) == (name, "allow")
    for step in range(4, 7):
        resumed.scalars(step, {"training/d_loss": 0.5})
    resumed.scalars(4, {"scores/fid": 8.0})
    steps = [row["step"] for row in library.logged if "training/d_loss" in row]
    assert steps == [1, 2, 3, 4, 5, 6]
    assert [row["step"] for row in library.logged if "scores/fid" in row] == [3, 4]


@pytest.mark.parametrize(("kind", "key"), [(WeightsAndBiases, "id"), (Trackio, "name")])
def test_a_run_that_is_started_over_has_a_new_name(kind, key, library, tmp_path):
    kind(run_at(0, tmp_path)).end(RunEnd("interrupted"))
    before = library.asked[key]
    kind(run_at(0, tmp_path))
    assert library.asked[key] != before


def test_wandb_is_told_of_a_run_that_diverged(library, tmp_path):
    tracker = WeightsAndBiases(run_at(0, tmp_path))
    tracker.end(RunEnd("diverged", "g_loss is not finite"))
    assert (library.summary["reason"], library.ended) == ("g_loss is not finite", [1])


@pytest.mark.parametrize(
    ("variables", "mode", "said"),
    [
        ({}, "offline", "nobody is logged in"),
        ({"WANDB_API_KEY": "k"}, "online", Library.url),
        ({"WANDB_API_KEY": "k", "WANDB_MODE": "offline"}, "offline", "as WANDB_MODE says"),
    ],
)
def test_wandb_is_offline_unless_somebody_is_logged_in(
    variables, mode, said, library, tmp_path, monkeypatch
):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    tracker = WeightsAndBiases(run_at(0, tmp_path))
    assert library.asked["mode"] == mode
    assert said in tracker.note


@pytest.mark.parametrize(
    ("host", "base", "logged_in"),
    [
        ("api.wandb.ai", "", True),
        ("example.org", "", False),
        ("example.org", "https://example.org:8080", True),
    ],
)
def test_credentials_count_for_their_own_server(
    host, base, logged_in, library, tmp_path, monkeypatch
):
    (tmp_path / "netrc").write_text(f"machine {host} login user password k\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("WANDB_BASE_URL", base)
    assert is_logged_in() == logged_in


def test_trackio_writes_below_the_results_unless_it_is_told_otherwise(
    library, tmp_path, monkeypatch
):
    assert str(tmp_path / "out" / "trackio") in Trackio(run_at(0, tmp_path)).note
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "mine"))
    assert f"TRACKIO_DIR={tmp_path / 'mine'}" in Trackio(run_at(0, tmp_path)).note
    monkeypatch.setenv("TRACKIO_SERVER_URL", "https://example.org?write_token=secret")
    note = Trackio(run_at(0, tmp_path)).note
    assert "TRACKIO_SERVER_URL" in note
    assert "secret" not in note
