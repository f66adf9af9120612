"""Ctrl-C and SIGTERM at any moment: obeyed, saved, exit code 130, and no run more."""

from __future__ import annotations

import gc
import os
import signal

import psutil
import pytest
from fault_doubles import EVERY_PART, signal_at
from launch_doubles import planned, resources

from ganbench.data.dataset import Dataset, Split
from ganbench.launch.run_job import run_job
from ganbench.machine.interrupt import Stopped
from ganbench.scoring.backbones.classifier import obtain_classifier

pytestmark = pytest.mark.slow


# --- The process of a run ---


@pytest.fixture(scope="module")
def calm(tmp_path_factory, digits_backbone):
    """A job, its calls, a folder of a run that nothing disturbed, and the cache it filled."""
    gc.freeze()  # so that memory is given back quickly
    root = tmp_path_factory.mktemp("calm")
    (job,) = planned(**EVERY_PART).jobs
    run_job(job, resources(root / "first", root / "cache"))
    with signal_at(None, signal.SIGTERM) as calls:
        run_job(job, resources(root, root / "cache"))
    yield job, calls[0], root / "results", root / "cache"
    gc.unfreeze()


def test_no_step_is_lost_where_a_request_comes_after_the_last_one(calm, tmp_path, monkeypatch):
    job, _, _, filled = calm
    needed = resources(tmp_path, filled)
    from ganbench.launch import run_job as module

    write = module.write_step_seconds

    def asked(folder, session):
        (folder / "checkpoint.pt").unlink(missing_ok=True)  # of the last evaluation
        os.kill(os.getpid(), signal.SIGTERM)
        write(folder, session)

    monkeypatch.setattr(module, "write_step_seconds", asked)
    with signal_at(None, signal.SIGTERM), pytest.raises(Stopped):
        run_job(job, needed)
    monkeypatch.undo()
    run_job(job, needed)
    assert "goes on at step 5" in needed.display.console.file.getvalue()


def test_the_training_of_a_classifier_ends_with_the_request_and_leaves_nothing(tmp_path, digits):
    few = Split(digits.train.images[:640], digits.train.labels[:640])
    small = Dataset(digits.spec, few, few, "0" * 16)

    def asked(_text, step, _total):
        if step >= 1:
            os.kill(os.getpid(), signal.SIGTERM)

    with signal_at(None, signal.SIGTERM), pytest.raises(Stopped):
        obtain_classifier(small, "cpu", tmp_path, asked, published=tmp_path / "none")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    lines = [" ".join(child.cmdline()) for child in psutil.Process().children()]
    assert not any("classifier_training" in line for line in lines)
