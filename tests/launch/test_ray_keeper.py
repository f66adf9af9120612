"""The keeper of the results folder, without Ray around it."""

from __future__ import annotations

import pytest
from results_doubles import result

from ganbench.errors import UsageError
from ganbench.experiment import lock
from ganbench.experiment.store import ResultsFolder
from ganbench.launch import ray_keeper
from ganbench.launch.parcels import pack, unpack
from ganbench.launch.progress import Message
from ganbench.launch.ray_keeper import ResultsKeeper

LINE = Message("run", "a line")


@pytest.fixture
def keeper(tmp_path):
    folder = ResultsFolder(tmp_path / "results")
    folder.prepare()
    kept = ResultsKeeper(str(folder.path))
    yield kept
    kept.close()


def parcel(tmp_path, name, text):
    (tmp_path / "file").write_text(text, encoding="utf-8")
    return pack({name: tmp_path / "file"})


def test_a_run_that_begins_again_gets_what_the_first_process_has_delivered(keeper, tmp_path):
    assert keeper.begin("a", "")[0] == 1
    keeper.deliver("a", 1, [LINE], parcel(tmp_path, "runs/.a.partial/checkpoint.pt", "state"))
    time, files = keeper.begin("a", "")
    assert time == 2
    unpack(files, tmp_path / "there")
    assert (tmp_path / "there/runs/.a.partial/checkpoint.pt").read_text() == "state"
    assert keeper.take() == ([LINE], {"a": 2})
    assert keeper.take() == ([], {})


def test_nothing_is_taken_from_a_process_whose_run_has_begun_again(keeper, tmp_path):
    keeper.begin("a", "")
    keeper.begin("a", "")
    late = parcel(tmp_path, "runs/.a.partial/checkpoint.pt", "late")
    assert keeper.deliver("a", 1, [LINE], late)  # which is asked to stop
    keeper.finish("a", 1)
    assert not keeper.deliver("a", 2, [], b"")
    assert keeper.take()[0] == []
    assert list((tmp_path / "results/runs/.a.partial").iterdir()) == []


def test_a_finished_run_is_seen_when_all_of_it_is_there(keeper, tmp_path):
    record = result("dcgan", 0)
    run_id = record.run_id
    keeper.begin(run_id, "")
    name = f"runs/.{run_id}.partial/result.json"
    keeper.deliver(run_id, 1, [], parcel(tmp_path, name, record.to_json()))
    folder = ResultsFolder(tmp_path / "results")
    assert folder.find(run_id) is None
    keeper.finish(run_id, 1)
    assert folder.find(run_id).result == record


def test_the_run_that_is_gone_on_from_travels_with_the_plan(keeper, tmp_path):
    folder = ResultsFolder(tmp_path / "results")
    folder.write_plan({"schema": 1, "jobs": []})
    folder.run_path("small").mkdir()
    (folder.run_path("small") / "checkpoint.pt").write_text("state")
    unpack(keeper.begin("large", "small")[1], tmp_path / "there")
    assert (tmp_path / "there/runs/small/checkpoint.pt").read_text() == "state"
    assert (tmp_path / "there/plan.json").exists()


def test_runs_are_asked_to_stop_at_their_next_call(keeper):
    keeper.begin("a", "")
    assert not keeper.deliver("a", 1, [], b"")
    keeper.stop()
    assert keeper.deliver("a", 1, [], b"")


def test_a_second_keeper_waits_for_the_first_and_says_so_where_that_does_not_end(
    keeper, tmp_path, monkeypatch
):
    monkeypatch.setattr(ray_keeper, "run_locked", lambda file: lock.run_locked(file, seconds=0.05))
    with pytest.raises(UsageError, match="end that process"):
        ResultsKeeper(str(tmp_path / "results"))
    keeper.close()
    ResultsKeeper(str(tmp_path / "results")).close()
