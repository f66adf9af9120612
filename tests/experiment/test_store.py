from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from ganbench import DataError, UsageError
from ganbench.experiment import store
from ganbench.experiment.result import RunResult
from ganbench.experiment.store import ResultsFolder, StoredRun, first_dated_folder, write_text


@pytest.fixture
def folder(tmp_path):
    found = ResultsFolder(tmp_path / "results" / "digits")
    found.prepare()
    return found


def a_result(run_id="mlp-0", **values):
    needed = {"status": "ok", "variant": "mlp", "dataset": "digits", "seed": 0, "device": "cpu"}
    return RunResult(run_id, **{**needed, **values})


# --- Writing a file ---


def test_a_file_is_written_with_the_folders_above_it_and_nothing_beside_it(tmp_path):
    file = tmp_path / "new" / "folder" / "text.md"
    write_text(file, "größer\n")
    assert file.read_bytes().decode("utf-8").splitlines() == ["größer"]
    assert list(file.parent.iterdir()) == [file]


def test_a_write_that_fails_leaves_the_old_text_and_nothing_beside_it(tmp_path, monkeypatch):
    file = tmp_path / "text.md"
    write_text(file, "old")

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_text(file, "new")
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


# --- A run's folder ---


def test_a_run_is_visible_only_when_it_is_finished(folder):
    partial = folder.partial_path("mlp-0")
    partial.mkdir(parents=True)
    (partial / "checkpoint.pt").write_bytes(b"weights")
    assert folder.runs() == []
    assert folder.find("mlp-0") is None
    stored = folder.finish(a_result())
    assert stored == StoredRun(a_result(), folder.run_path("mlp-0"))
    assert stored.checkpoint.read_bytes() == b"weights"
    assert not partial.exists()
    assert folder.find("mlp-0") == stored


def test_a_record_in_a_partial_folder_is_no_run(folder):
    write_text(folder.partial_path("mlp-0") / "result.json", a_result().to_json())
    assert folder.runs() == []


def test_all_files_of_a_run_are_on_the_disk_before_it_is_finished(folder, monkeypatch):
    partial = folder.open_run("mlp-0")
    (partial / "samples").mkdir()
    (partial / "samples" / "step-1.png").write_bytes(b"picture")
    (partial / "history.csv").write_text("step")
    flushed, at_rename, replace = [], [], Path.replace

    def rename(path, target):
        at_rename.append(set(flushed))
        return replace(path, target)

    monkeypatch.setattr(store, "flush", lambda path: flushed.append(path.name))
    monkeypatch.setattr(Path, "replace", rename)
    folder.finish(a_result())
    files = {"result.json", "history.csv", "samples", "step-1.png", partial.name}
    assert at_rename[-1] == files


def test_a_run_that_left_no_files_is_finished_too(folder):
    folder.finish(a_result(status="failed", reason="no memory"))
    assert [run.result.reason for run in folder.runs()] == ["no memory"]


def test_a_run_that_is_finished_again_replaces_the_whole_folder(folder):
    folder.finish(a_result(status="failed"))
    (folder.run_path("mlp-0") / "old.txt").write_text("old")
    folder.finish(a_result(status="ok"))
    assert [run.result.status for run in folder.runs()] == ["ok"]
    assert [file.name for file in folder.run_path("mlp-0").iterdir()] == ["result.json"]


def test_runs_come_by_name(folder):
    for run_id in ("mlp-1", "dcgan-0", "mlp-0"):
        folder.finish(a_result(run_id))
    assert [run.result.run_id for run in folder.runs()] == ["dcgan-0", "mlp-0", "mlp-1"]


def test_sample_grids_come_in_the_order_of_their_steps(folder):
    run = folder.finish(a_result())
    samples = run.path / "samples"
    samples.mkdir()
    steps = (12_000_000, 100, 9_900_000, 0)
    for step in steps:
        (samples / f"step-{step:07d}.png").touch()
    (samples / "real-and-fake.png").touch()
    numbers = [int(grid.stem.removeprefix("step-")) for grid in run.samples]
    assert numbers == sorted(steps)


def test_a_folder_without_runs_has_none(tmp_path):
    assert ResultsFolder(tmp_path / "nowhere").runs() == []


def test_a_folder_that_holds_no_run_is_refused(tmp_path):
    with pytest.raises(DataError, match="holds no run"):
        StoredRun.read(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", '{"schema": 1}', '{"schema": 999}'])
def test_a_damaged_record_is_refused_with_its_path(folder, text):
    file = folder.run_path("mlp-0") / "result.json"
    write_text(file, text)
    with pytest.raises(DataError, match="cannot be read as a run's result") as caught:
        folder.runs()
    assert str(file) in str(caught.value)


# --- The plan ---


def test_a_plan_is_read_as_it_was_written(folder):
    assert folder.read_plan() is None
    folder.write_plan({"schema": 1, "jobs": []})
    assert folder.read_plan() == {"schema": 1, "jobs": []}
    assert folder.plan_file.name == store.PLAN_FILE == "plan.json"


@pytest.mark.parametrize("text", ["{", "[1]", "null", "\0"])
def test_a_damaged_plan_is_refused_with_its_path_and_what_to_do(folder, text):
    folder.plan_file.write_text(text)
    with pytest.raises(DataError, match="--fresh") as caught:
        folder.read_plan()
    assert str(folder.plan_file) in str(caught.value)


def test_clearing_removes_runs_and_plan_and_keeps_what_people_wrote(folder):
    folder.write_plan({"schema": 1})
    folder.finish(a_result())
    folder.partial_path("dcgan-0").mkdir()
    (folder.path / "notes.md").write_text("seen")
    folder.clear(lambda _name: True)
    assert [file.name for file in folder.path.iterdir()] == ["notes.md"]
    folder.clear(lambda _name: True)


def test_clearing_removes_only_the_runs_that_are_named_finished_or_not(folder):
    for name in ("mlp-s0-00000000", "dcgan-s0-00000000"):
        folder.run_path(name).mkdir(parents=True)
        folder.partial_path(name).mkdir()
    folder.clear(lambda name: name.startswith("mlp-"))
    left = sorted(path.name for path in (folder.path / "runs").iterdir())
    assert left == [".dcgan-s0-00000000.partial", "dcgan-s0-00000000"]


def test_a_folder_that_cannot_be_cleared_is_said(folder, monkeypatch):
    folder.open_run("mlp-0")

    def denied(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(store.shutil, "rmtree", denied)
    with pytest.raises(UsageError, match=r"cannot be cleared for --fresh: .*Permission denied"):
        folder.clear(lambda _name: True)


# --- A place to write ---


def test_preparing_makes_the_folder_and_leaves_no_trace(folder):
    folder.prepare()
    assert list(folder.path.iterdir()) == []


def test_a_path_through_a_file_is_refused_with_what_to_do(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"cannot be written to .*file/results.*--out"):
        ResultsFolder(tmp_path / "file" / "results").prepare()


def test_a_run_that_failed_goes_on_with_what_it_has_left(folder):
    partial = folder.open_run("mlp-0")
    (partial / "checkpoint.pt").write_bytes(b"weights")
    (partial / "error.txt").write_text("Traceback", encoding="utf-8")
    folder.finish(a_result(status="failed", reason="out of memory"))
    again = folder.open_run("mlp-0")
    assert again == partial
    assert folder.find("mlp-0") is None
    assert [file.name for file in again.iterdir()] == ["checkpoint.pt"]


def test_the_first_dated_folder_is_new_or_may_be_used_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = Path("results") / f"{datetime.date.today():%Y-%m-%d}_cpu_digits"
    assert first_dated_folder("cpu_digits", lambda _path: False) == first
    first.mkdir(parents=True)
    second = first.with_name(f"{first.name}-2")
    assert first_dated_folder("cpu_digits", lambda _path: False) == second
    assert first_dated_folder("cpu_digits", lambda path: path == first) == first
    second.mkdir()
    third = first.with_name(f"{first.name}-3")
    assert first_dated_folder("cpu_digits", lambda path: path == third) == third
