"""What launchers of clusters share: messages in files, the same code, and how runs end."""

from __future__ import annotations

import dataclasses
import pickle

import pytest
from launch_doubles import display, planned, said

from ganbench.errors import GanbenchError, UsageError
from ganbench.launch import message_files
from ganbench.launch.endings import Endings
from ganbench.launch.message_files import FileDisplay, MessageReader
from ganbench.launch.progress import Message
from ganbench.launch.same_code import SourceCode, check_same_code, own_code
from ganbench.launch.slurm_run import SlurmRun
from ganbench.launch.worker import Outcome

LINE, OTHER = Message("run", "a line"), Message("run", "another")
HALF, FULL = Message("run", "bar", 1.0, 2.0), Message("run", "bar", 2.0, 2.0)


def test_lines_and_bars_are_read_once(tmp_path, monkeypatch):
    monkeypatch.setattr(message_files, "_WRITE_SECONDS", 0)
    shown, reader = FileDisplay("run", tmp_path / "m.json"), MessageReader(tmp_path / "m.json")
    assert reader.new() == []
    shown.show(LINE)
    shown.show(HALF)
    assert reader.new() == [LINE, HALF]
    assert reader.new() == []
    shown.show(OTHER)
    shown.show(FULL)
    assert reader.new() == [OTHER, FULL]


def test_bars_are_written_now_and_then_and_always_when_they_are_full(tmp_path, monkeypatch):
    monkeypatch.setattr(message_files, "_WRITE_SECONDS", 1000)
    shown, reader = FileDisplay("run", tmp_path / "m.json"), MessageReader(tmp_path / "m.json")
    shown.show(LINE)
    assert reader.new() == [LINE]
    shown.show(HALF)
    assert reader.new() == []
    shown.show(FULL)
    assert reader.new() == [FULL]


def test_the_lines_of_a_process_that_was_queued_again_are_new(tmp_path):
    file = tmp_path / "m.json"
    reader = MessageReader(file)
    FileDisplay("run", file).show(LINE)
    reader.new()
    FileDisplay("run", file).show(OTHER)
    assert reader.new() == [OTHER]


def test_a_damaged_file_of_messages_shows_nothing(tmp_path):
    (tmp_path / "m.json").write_text('{"lines": [{"no": "message"}]}')
    assert MessageReader(tmp_path / "m.json").new() == []


def test_another_version_or_source_is_refused():
    check_same_code(own_code())
    for other in (
        dataclasses.replace(own_code(), version="0.0.1"),
        dataclasses.replace(own_code(), source_hash="0" * 16),
    ):
        with pytest.raises(UsageError, match="install the same one on all machines"):
            check_same_code(other)


def test_a_run_in_a_queue_refuses_another_source_before_it_reads_what_it_was_sent(tmp_path):
    run = SlurmRun(SourceCode("0.0.1", "0" * 16), b"no pickle", tmp_path / "m.json")
    outcome = pickle.loads(pickle.dumps(run))._outcome(None)
    assert "refuses runs" in str(outcome.error)


def test_a_process_that_was_ended_fails_the_command_after_the_others():
    jobs, done, shown = planned(seeds="3").jobs, [], display()
    endings = Endings(3, shown, done.append)
    endings.note(jobs[0], Outcome(error=GanbenchError("gone")))
    assert not endings.is_time_to_stop(asked=False)
    endings.note(jobs[1], Outcome())
    endings.note(jobs[2], Outcome(is_stopped=True))
    assert done == [jobs[1]]
    assert "gone" in said(shown)
    with pytest.raises(GanbenchError, match="gone"):
        endings.check()


def test_what_no_run_can_do_without_stops_all_once_and_is_the_reason():
    jobs = planned(seeds="3").jobs
    endings = Endings(3, display(), pytest.fail)
    endings.note(jobs[0], Outcome(error=GanbenchError("gone")))
    endings.note(jobs[1], Outcome(error=UsageError("no disk")))
    assert endings.is_time_to_stop(asked=False)
    assert not endings.is_time_to_stop(asked=True)
    assert endings.is_stopping
    endings.note(jobs[2], Outcome(error=UsageError("no disk either")))
    with pytest.raises(UsageError, match=r"^no disk$"):
        endings.check()
