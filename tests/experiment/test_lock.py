"""The lock on a results folder."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from command_line import ganbench, one_line
from results_doubles import result, write

from ganbench.errors import UsageError
from ganbench.experiment.lock import is_empty, locked, run_locked

HOLDER = (
    "import pathlib, sys\nfrom ganbench.experiment.lock import locked\n"
    "with locked(pathlib.Path(sys.argv[1])):\n    print('held', flush=True)\n    sys.stdin.read()\n"
)


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock on a folder."""
    folder = tmp_path / "results"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"held\n"
        yield folder, process
        process.kill()


def test_a_second_command_says_who_holds_the_folder(holder):
    folder, process = holder
    message = f"in use by another command .process {process.pid} on "
    with pytest.raises(UsageError, match=message), locked(folder):
        pass


def test_the_lock_of_a_process_that_was_killed_is_free(holder):
    folder, process = holder
    process.kill()
    process.wait()
    assert is_empty(folder)
    with locked(folder):
        assert f"process {os.getpid()} on " in (folder / ".ganbench.lock").read_text()
    assert list(folder.iterdir()) == []


def test_a_folder_that_was_made_for_the_lock_alone_goes_with_it(tmp_path):
    with locked(tmp_path / "new"):
        assert is_empty(tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_process_that_is_still_saving_a_run_is_waited_for(tmp_path):
    file = tmp_path / ".dcgan-s0.lock"
    with (
        run_locked(file),
        pytest.raises(UsageError, match="dcgan-s0 is still being saved"),
        run_locked(file, seconds=0.0),
    ):
        pass
    with run_locked(file, seconds=0.0):
        pass


def test_a_report_is_not_written_into_a_folder_that_is_in_use(holder, capsys):
    folder, process = holder
    write(folder, [result()], files=False)
    before = sorted(path.name for path in folder.iterdir())
    assert ganbench("report", folder) == 2
    assert f"process {process.pid} on" in one_line(capsys)
    assert sorted(path.name for path in folder.iterdir()) == before
