"""The queue as the command sees it, with a double for submitit."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from launch_doubles import context, display, planned, said

from ganbench.errors import GanbenchError, UsageError
from ganbench.launch import slurm_queue
from ganbench.launch.slurm_queue import SlurmQueue
from ganbench.launch.worker import Outcome

NOT_ASKED = SimpleNamespace(asked=False)


@dataclass
class Submitted:
    """A job in the queue: its files, and whether it is there."""

    folder: object
    job_id: str
    is_done: bool = False

    @property
    def paths(self):
        names = ("submitted_pickle", "result_pickle", "stdout", "stderr")
        return SimpleNamespace(**{name: self.folder / f"{self.job_id}_{name}" for name in names})

    def done(self):
        return self.is_done


def say(messages, outcome):
    """Write how a run ended, as its process does."""
    error = outcome.error
    text = json.dumps({
        "error": error and str(error), "is_usage": isinstance(error, UsageError),
        "is_stopped": outcome.is_stopped,
    })  # fmt: skip
    messages.with_suffix(".outcome").write_text(text)


@dataclass
class Executor:
    """Does what it is given at once; `outcomes` says how each ends, None without a result."""

    folder: object
    outcomes: list = field(default_factory=list)
    arrays: list = field(default_factory=list)

    def submit_array(self, runs):
        jobs = []
        for run in runs:
            messages = run.messages
            number = sum(self.arrays) + len(jobs)
            job = Submitted(self.folder, f"7_{number}")
            outcome = self.outcomes[number] if number < len(self.outcomes) else Outcome()
            if outcome is None:
                job.is_done = True
            else:
                say(messages, outcome)
                job.paths.result_pickle.touch()
            jobs.append(job)
        self.arrays.append(len(jobs))
        return jobs


@pytest.fixture
def queue(tmp_path, cache_root, monkeypatch):
    folder = tmp_path / "slurm"

    def make(*outcomes):
        monkeypatch.setattr(slurm_queue, "_QUEUE_SECONDS", 0.01)
        monkeypatch.setattr(slurm_queue, "_ASK_SECONDS", 0.0)
        shown = display()
        executor = Executor(folder, list(outcomes))
        made = SlurmQueue(
            executor, folder, context(tmp_path, cache_root), shown,
            threads=1, most=None, is_local=False,
        )  # fmt: skip
        monkeypatch.setattr(SlurmQueue, "_executor_job", property(lambda _: known))
        return made, executor, shown

    def known(where, name):
        job = Submitted(where, name)
        job.is_done = name == "9_1"
        return job

    return make


def test_all_jobs_go_into_one_array_and_their_files_go_when_they_have_ended(queue, tmp_path):
    (made, executor, _), jobs, done = queue(), planned(seeds="3").jobs, []
    made.do(jobs, done.append, NOT_ASKED)
    assert executor.arrays == [3]
    assert done == list(jobs)
    assert json.loads((tmp_path / "slurm/submitted.json").read_text())["jobs"] == {}
    assert [file.name for file in (tmp_path / "slurm").iterdir() if file.is_file()] == [
        "submitted.json"
    ]


def test_an_array_is_no_larger_than_slurm_takes(queue, monkeypatch):
    monkeypatch.setattr(slurm_queue, "_LARGEST_ARRAY", 2)
    (made, executor, _), done = queue(), []
    made.do(planned(seeds="5").jobs, done.append, NOT_ASKED)
    assert executor.arrays == [2, 2, 1]
    assert len(done) == 5


def test_what_an_earlier_command_has_submitted_is_not_submitted_again(queue, tmp_path):
    (made, executor, shown), jobs, done = queue(), planned(seeds="3").jobs, []
    first = Submitted(tmp_path / "slurm", "3_0")
    first.paths.result_pickle.touch()
    say(tmp_path / f"slurm/messages/{jobs[0].id}.json", Outcome())
    stored = {"is_local": False, "jobs": {jobs[0].id: "3_0", jobs[1].id: "9_1"}}
    (tmp_path / "slurm/submitted.json").write_text(json.dumps(stored))
    made.do(jobs, done.append, NOT_ASKED)
    assert executor.arrays == [2]
    assert "1 of 3 runs are queued already" in said(shown)
    assert sorted(job.seed for job in done) == [0, 1, 2]


def test_what_an_earlier_command_has_submitted_and_this_one_does_not_want_is_cancelled_first(
    queue, tmp_path, monkeypatch
):
    """As the runs of a smaller budget, from which those of this command go on."""
    (made, executor, shown), jobs, done = queue(), planned(seeds="2").jobs, []
    living = {"5_0": 3, "5_1": 2}  # how often each is still there when it is asked for
    cancelled = []

    def is_alive(_queue, job):
        if not cancelled:
            return job.job_id in living
        assert executor.arrays == []
        living[job.job_id] -= 1
        return living[job.job_id] > 0

    def run(line, **_how):
        cancelled.append(line)

    monkeypatch.setattr(SlurmQueue, "_is_alive", is_alive)
    monkeypatch.setattr(slurm_queue.subprocess, "run", run)
    stored = {"is_local": False, "jobs": {"mlp-s0-0": "5_0", "mlp-s1-0": "5_1", "mlp-s2-0": "9_1"}}
    (tmp_path / "slurm/submitted.json").write_text(json.dumps(stored))
    made.do(jobs, done.append, NOT_ASKED)
    assert cancelled == [["scancel", "5_0", "5_1"]]
    assert "2 runs that an earlier command has queued are not wanted now" in said(shown)
    assert executor.arrays == [2]
    assert set(living.values()) == {0}


def test_what_does_not_end_is_named(queue, tmp_path, monkeypatch):
    made, executor, _ = queue()
    monkeypatch.setattr(SlurmQueue, "_is_alive", lambda *_: True)
    monkeypatch.setattr(slurm_queue.subprocess, "run", lambda *_, **__: None)
    monkeypatch.setattr(slurm_queue, "_LONGEST_END_SECONDS", 0.0)
    stored = {"is_local": False, "jobs": {"mlp-s0-0": "5_0"}}
    (tmp_path / "slurm/submitted.json").write_text(json.dumps(stored))
    with pytest.raises(UsageError, match=r"1 runs of an earlier command do not end, as job 5_0"):
        made.end_others()
    assert executor.arrays == []


def test_a_job_that_ends_without_a_result_fails_the_command_after_the_others(queue):
    (made, _, _), done = queue(None, Outcome(), Outcome()), []
    with pytest.raises(GanbenchError, match=r"job 7_0 was ended from outside.*7_0_stderr"):
        made.do(planned(seeds="3").jobs, done.append, NOT_ASKED)
    assert len(done) == 2


def test_a_refusal_is_the_error_of_the_command(queue):
    made, _, _ = queue(Outcome(error=UsageError("no data")))
    with pytest.raises(UsageError, match=r"^no data$"):
        made.do(planned().jobs, pytest.fail, NOT_ASKED)


@pytest.mark.parametrize(
    "jobs", [7, {"RUN": 7}, {"RUN": "../../7_0"}, {"RUN": ["7_0"]}, {"other": "7_0"}]
)
def test_a_damaged_record_of_the_queue_is_none(queue, tmp_path, jobs):
    (made, executor, _), done = queue(), []
    (run,) = planned().jobs
    text = json.dumps({"is_local": True, "jobs": jobs}).replace("RUN", run.id)
    (tmp_path / "slurm/submitted.json").write_text(text)
    made.do(planned().jobs, done.append, NOT_ASKED)
    assert executor.arrays == [1]
