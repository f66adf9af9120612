"""Images made elsewhere as rows of a comparison: planned, scored, reported."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from command_line import ganbench, one_line
from results_doubles import result, write

from ganbench.errors import UsageError
from ganbench.experiment import frozen
from ganbench.experiment.plan import make
from ganbench.experiment.result import NO_BUDGET
from ganbench.experiment.suite import Suite
from ganbench.report import columns

IMAGES = np.random.default_rng(0).integers(0, 256, (40, 8, 8), np.uint8)


@pytest.fixture
def file(tmp_path):
    np.save(tmp_path / "my fakes.npy", IMAGES)
    return tmp_path / "my fakes.npy"


def plan_of(*variants, **values):
    suite = Suite(variants=variants, **{"dataset": "digits", **values})
    return make(suite, device="cpu", data_root=Path())


def test_a_file_is_a_job_beside_those_of_variants(file):
    plan = plan_of("mlp", f"frozen:{file}", seeds="3")
    jobs = [(job.variant, job.seed) for job in plan.jobs]
    assert jobs == [("mlp", 0), ("mlp", 1), ("mlp", 2), ("frozen-my-fakes", 0)]
    job = plan.jobs[-1]
    assert job.budget_text == NO_BUDGET
    assert job.frozen == str(file)
    assert job.id.startswith("frozen-my-fakes-s0-")


def test_a_file_that_has_changed_is_another_run(file):
    before = plan_of(f"frozen:{file}").jobs[0].id
    assert plan_of(f"frozen:{file}").jobs[0].id == before
    np.save(file, 255 - IMAGES)
    assert plan_of(f"frozen:{file}").jobs[0].id != before


def test_the_budget_of_variants_does_not_change_a_frozen_run(file):
    first, second = (plan_of(f"frozen:{file}", budget=text) for text in ("20s", "40s"))
    assert first.jobs[0].id == second.jobs[0].id


@pytest.mark.parametrize(
    ("variants", "values", "message"),
    [
        (("frozen:",), {}, "frozen: needs a path"),
        (("frozen:missing",), {}, "does not exist"),
        (("frozen:{file}", "frozen:{file}"), {}, "second row named frozen-my-fakes"),
        (("frozen:{file}",), {"dataset": None}, "give --dataset"),
    ],
)
def test_what_cannot_be_a_row_is_refused(variants, values, message, file):
    names = [name.format(file=file) for name in variants]
    with pytest.raises(UsageError, match=message):
        plan_of(*names, **values)


def test_too_few_images_are_refused_with_the_plan(file):
    np.save(file, IMAGES[:1])
    with pytest.raises(UsageError, match="holds 1 image: give 10 or more"):
        plan_of("mlp", f"frozen:{file}")


def test_a_name_is_fit_for_folders_and_tables():
    assert frozen.frozen_name("/a/b c: d?.npz") == "frozen-b-c-d"
    assert len(frozen.frozen_name("x" * 300)) < 80


def test_a_run_without_training_has_no_speed():
    record = result("frozen-x", budget=NO_BUDGET, images_per_second=None, steps=0, images_seen=0)
    for name in ("steps", "images_seen", "images_per_second"):
        assert columns.value(record, name) is None
    assert columns.value(result("mlp"), "steps") == 4690


def test_there_is_no_network_to_draw_from(tmp_path, capsys):
    record = result("frozen-x", budget=NO_BUDGET, request="frozen:x.npy")
    folder = write(tmp_path / "r", [record], files=False)
    assert ganbench("sample", folder / "runs" / record.run_id) == 2
    assert "images that were made elsewhere" in one_line(capsys)


@pytest.mark.slow
def test_a_frozen_row_has_the_scores_of_the_command_score(tmp_path, capsys, digits):
    noisy = digits.train.images.numpy().astype(int)
    noisy += np.random.default_rng(0).integers(-30, 31, noisy.shape)
    file = tmp_path / "noisy.npy"
    np.save(file, noisy.clip(0, 255).astype(np.uint8))
    out = tmp_path / "out"
    arguments = ("run", "--variants", f"mlp,frozen:{file}", "--dataset", "digits", "--out", out)
    arguments += ("--device", "cpu", "--budget", "20steps")
    assert ganbench(*arguments) == 0
    capsys.readouterr()
    assert ganbench("score", file, "--against", "digits", "--device", "cpu", "--json") == 0
    scored = json.loads(capsys.readouterr().out)
    (path,) = (out / "runs").glob("frozen-noisy-*")
    stored = json.loads((path / "result.json").read_text(encoding="utf-8"))
    assert stored["scores"] == scored["scores"]
    assert stored["protocol"] == scored["protocol"]["hash"]
    assert stored["images_per_second"] is None
    assert list(path.glob("samples/step-*.png"))
    assert "frozen-noisy" in (out / "README.md").read_text(encoding="utf-8")
    assert ganbench("report", out) == 0
    assert ganbench(*arguments) == 0  # goes on: both are kept
    assert capsys.readouterr().out.count("kept, it was finished before") == 2


@pytest.mark.slow
def test_images_that_do_not_fit_are_refused_before_anything_is_trained(tmp_path, capsys):
    np.save(tmp_path / "a.npy", np.zeros((50, 10, 10), np.uint8))
    out = tmp_path / "out"
    arguments = ("--dataset", "digits", "--device", "cpu", "--budget", "20steps", "--out", out)
    assert ganbench("run", "--variants", f"mlp,frozen:{tmp_path / 'a.npy'}", *arguments) == 2
    assert "--fit crop" in capsys.readouterr().err
    assert not list((out / "runs").glob("[!.]*")) if out.exists() else True
