"""Which generators there are to choose from, and what is said where there are none."""

from __future__ import annotations

import pytest
import results_doubles as doubles
from play_doubles import untrained_run

from ganbench.errors import UsageError
from ganbench.experiment.store import ResultsFolder
from ganbench.playground.choices import find_choices
from ganbench.variant import source


def test_a_run_a_results_folder_and_a_folder_of_those_hold_the_same_run(tmp_path):
    run = untrained_run(tmp_path / "results" / "one")
    for path in (run.path, tmp_path / "results" / "one", tmp_path / "results"):
        choices, notes = find_choices([path])
        assert [choice.run.path for choice in choices] == [run.path]
        assert (choices[0].problem, notes) == ("", [])
    assert len(find_choices([run.path, tmp_path / "results"])[0]) == 1


def test_a_run_that_was_scored_in_training_gives_its_best_moment_too(tmp_path):
    run = untrained_run(tmp_path)
    path = run.path / "result.json"
    text = path.read_text().replace('"over_training": {}', '"over_training": {"best": {"step": 7}}')
    path.write_text(text)
    choices, _ = find_choices([tmp_path])
    assert [choice.best for choice in choices] == [False, True]
    assert "best of its scores, 7 steps" in choices[1].title
    path.write_text(text.replace('"step": 7', '"seconds": 1.0'))
    assert find_choices([tmp_path])[0][1].title.endswith("best of its scores")


def test_a_run_without_a_checkpoint_is_listed_with_the_reason(tmp_path):
    untrained_run(tmp_path)
    ResultsFolder(tmp_path).finish(doubles.result("mlp", 1, request="mlp"))
    ResultsFolder(tmp_path).finish(doubles.failed("mlp", 2))
    problems = {choice.run.result.run_id: choice.problem for choice in find_choices([tmp_path])[0]}
    assert problems["lsgan-digits-s0-abc123"] == ""
    assert "has no checkpoint.pt" in problems["mlp-mnist-s1-abc123"]
    assert "it failed" in problems["mlp-mnist-s2-failed"]


def test_a_damaged_run_is_left_out_with_a_note(tmp_path):
    run = untrained_run(tmp_path)
    (tmp_path / "runs" / "broken").mkdir()
    (tmp_path / "runs" / "broken" / "result.json").write_text("{")
    choices, notes = find_choices([tmp_path])
    assert [choice.run.path for choice in choices] == [run.path]
    assert len(notes) == 1
    assert "broken" in notes[0]


@pytest.mark.parametrize(
    ("name", "said"), [("missing", "is no folder"), ("empty", "holds no finished run")]
)
def test_a_path_without_runs_is_refused(tmp_path, name, said):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=said):
        find_choices([tmp_path / name])


def test_a_folder_whose_runs_have_no_checkpoints_is_refused_in_one_line(tmp_path):
    for seed in (0, 1):
        ResultsFolder(tmp_path).finish(doubles.result("mlp", seed, request="mlp"))
    with pytest.raises(UsageError, match=r"^none of 2 runs can be played with; .*checkpoint") as e:
        find_choices([tmp_path])
    assert "\n" not in str(e.value)


def test_a_file_that_only_the_folder_names_is_not_run(tmp_path):
    file, trace = tmp_path / "mine.py", tmp_path / "trace"
    file.write_text(f"open({str(trace)!r}, 'w').close()\n")
    record = doubles.result("mine", request=str(file), source_hash=source.identity(file))
    run = ResultsFolder(tmp_path / "results").finish(record)
    run.checkpoint.write_bytes(b"weights")
    with pytest.raises(UsageError, match=f"--variants {file}"):
        find_choices([run.path])
    (named,), _ = find_choices([run.path], [str(file)])
    assert named.files == (str(file),)
    assert not trace.exists()


def test_a_file_that_is_that_of_no_run_is_refused(tmp_path):
    untrained_run(tmp_path)
    with pytest.raises(UsageError, match="is the file of no run"):
        find_choices([tmp_path], ["other.py"])
