"""Files written whole or not at all, and what processes that were killed have left."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from ganbench.machine import whole_files
from ganbench.machine.whole_files import remove_leftovers, save_torch, whole, write_whole

KILLED = (
    "import os, sys, pathlib\nfrom ganbench.machine.whole_files import whole\n"
    "with whole(pathlib.Path(sys.argv[1])) as temporary:\n"
    "    temporary.write_text('half')\n    os.kill(os.getpid(), 9)\n"
)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_failed_write_keeps_the_old_file_and_leaves_nothing(tmp_path):
    file = tmp_path / "a.txt"
    write_whole(file, b"old")

    def interrupted():
        with whole(file) as temporary:
            temporary.write_text("half of the n")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert names(tmp_path) == ["a.txt"]
    assert file.read_bytes() == b"old"


def test_a_device_or_a_pipe_is_never_replaced_by_a_file(tmp_path, monkeypatch):
    devices, pipe = tmp_path / "devices", tmp_path / "pipe"  # no test may touch those in /dev
    devices.mkdir()
    (devices / "stdout").symlink_to(tmp_path / "log")
    os.mkfifo(pipe)
    monkeypatch.setattr(whole_files, "_DEVICES", devices)
    for path in (pipe, devices / "stdout"):
        with pytest.raises(OSError, match="a device or a pipe"), whole(path):
            pytest.fail("no temporary file may be written beside it")
    assert pipe.is_fifo()
    assert (devices / "stdout").is_symlink()


def test_a_link_is_replaced_and_what_it_leads_to_stays(tmp_path):
    pipe, link = tmp_path / "pipe", tmp_path / "link"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    write_whole(link, b"new")
    assert link.read_bytes() == b"new"
    assert not link.is_symlink()
    assert pipe.is_fifo()


def test_two_writers_of_one_file_have_names_of_their_own(tmp_path):
    file = tmp_path / "a.png"
    with whole(file) as one, whole(file) as other:
        one.write_text("one")
        other.write_text("other")
        assert one != other
        assert one.suffix == other.suffix == ".png"
        assert str(os.getpid()) in one.name
    assert names(tmp_path) == ["a.png"]
    assert file.read_text() == "one"  # which was left last


@pytest.mark.parametrize("durable", [False, True])
def test_a_durable_file_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch, durable):
    done = []
    fsync, replace = os.fsync, Path.replace

    def watched_fsync(descriptor):
        done.append(("flushed", os.fstat(descriptor).st_ino))
        fsync(descriptor)

    def watched_replace(path, target):
        done.append(("renamed", path.stat().st_ino))
        return replace(path, target)

    monkeypatch.setattr(whole_files.os, "fsync", watched_fsync)
    monkeypatch.setattr(Path, "replace", watched_replace)
    write_whole(tmp_path / "a.txt", b"new", durable=durable)
    file, folder = (tmp_path / "a.txt").stat().st_ino, tmp_path.stat().st_ino
    expected = [("flushed", file), ("renamed", file), ("flushed", folder)]
    assert done == (expected if durable else [("renamed", file)])


def test_what_a_killed_process_left_is_removed_and_that_of_a_living_one_is_not(tmp_path):
    done = subprocess.run([sys.executable, "-c", KILLED, tmp_path / "a.txt"], check=False)
    assert done.returncode == -9
    assert len(names(tmp_path)) == 1
    with whole(tmp_path / "b.txt") as temporary:
        temporary.write_text("half")
        assert remove_leftovers([tmp_path, tmp_path / "nowhere"]) == 1
    assert names(tmp_path) == ["b.txt"]


def test_what_another_machine_left_is_removed_after_a_day(tmp_path):
    file = tmp_path / ".part-00000000-1-abcd.txt"
    file.write_text("half")
    assert remove_leftovers([tmp_path]) == 0
    os.utime(file, (time.time() - 90_000,) * 2)
    assert remove_leftovers([tmp_path]) == 1


@pytest.mark.parametrize("at", [0, 2, 5])
def test_a_request_to_stop_while_torch_writes_comes_through(tmp_path, monkeypatch, at):
    calls = iter(range(100))

    class Interrupted(io.FileIO):
        def write(self, content):
            if next(calls) == at:
                raise KeyboardInterrupt
            return super().write(content)

    monkeypatch.setattr(whole_files.io, "FileIO", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_torch([torch.zeros(4_000) for _ in range(12)], tmp_path / "a.pt")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("count", [1, 100_000])
def test_torch_on_a_full_disk_raises_an_error_of_the_system(tmp_path, count):
    (tmp_path / "full").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        save_torch({"values": torch.zeros(count)}, tmp_path / "full")


@pytest.mark.parametrize("room", range(0, 40_000, 3_000))
def test_torch_on_a_disk_that_fills_up_meanwhile_raises_that_error_and_not_its_own(
    tmp_path, monkeypatch, room
):
    class Filling(io.FileIO):
        left = room

        def write(self, content):
            size = memoryview(content).nbytes
            if size > self.left:
                raise OSError(28, "No space left on device")
            self.left -= size
            return super().write(content)

    monkeypatch.setattr(whole_files.io, "FileIO", Filling)
    with pytest.raises(OSError, match="No space left"):
        save_torch([torch.zeros(1_000) for _ in range(12)], tmp_path / "a.pt")
