"""What a run will take, from a few real steps, or from what is known."""

from __future__ import annotations

import pytest
import torch
from launch_doubles import display, planned

from ganbench.launch import estimate as estimating
from ganbench.launch.estimate import estimate
from ganbench.launch.timings import Cost
from ganbench.machine.device import choose
from ganbench.variant.budget import Budget


@pytest.fixture(autouse=True)
def _few(monkeypatch):
    monkeypatch.setattr(estimating, "_SECONDS", Budget(0.01, "s"))
    monkeypatch.setattr(estimating, "_ROWS", (20, 40))


def test_a_few_steps_give_seconds_and_memory_and_no_dataset_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr("ganbench.data.load", None)
    (job,) = planned().jobs
    before = torch.random.get_rng_state()
    cost = estimate(job, choose("cpu"), tmp_path, "classifier", display())
    assert cost.is_measured
    assert 0 < cost.step_seconds < 1
    assert cost.evaluation_seconds > 0
    assert cost.memory_bytes > 10**7
    assert not list(tmp_path.iterdir())
    torch.random.set_rng_state(before)


def test_what_is_known_is_not_measured_again(tmp_path, monkeypatch):
    known = Cost(1.0, 2.0, 3, "a run")
    monkeypatch.setattr(estimating, "read_cost", lambda *_: known)
    monkeypatch.setattr(estimating, "build_session", None)
    (job,) = planned().jobs
    assert estimate(job, choose("cpu"), tmp_path, "classifier", display()) is known


def test_the_variants_of_a_plan_are_scored_once(tmp_path, monkeypatch):
    scored, score = [], estimating.score
    monkeypatch.setattr(
        estimating, "score", lambda *sets, **more: scored.append(sets) or score(*sets, **more)
    )
    estimating._score_seconds.cache_clear()
    (job,) = planned().jobs
    for _ in range(3):
        estimate(job, choose("cpu"), tmp_path, "classifier", display())
    assert len(scored) == len(estimating._ROWS)


def test_inception_at_its_own_size_takes_longer_than_the_classifier(tmp_path, monkeypatch):
    monkeypatch.setattr(estimating, "_feature_seconds", lambda *_: 1.0)
    monkeypatch.setattr(estimating, "_score_seconds", lambda *_: 0.0)
    monkeypatch.setattr(estimating, "_drawing_seconds", lambda *_: 0.0)
    # Images of 8x8, of which the classifier sees 16 times as many as of 32x32
    (job,) = planned().jobs
    seconds = {
        backbone: estimate(job, choose("cpu"), tmp_path, backbone, display()).evaluation_seconds
        for backbone in ("classifier", "inception")
    }
    assert seconds["classifier"] == job.spec.train_count
    assert seconds["inception"] == seconds["classifier"] * (1 + 40 * 16)
