"""Tests in the time that there is: their order, and what begins too late."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

NAMES = "abcdefgh"


def run(folder, *options):
    """Names of the tests in the order in which they were run, and the last line."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "-n", "0", *options],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if "::test_" in line]
    return [line.split()[0] for line in lines], done.stdout.splitlines()[-1]


@pytest.fixture
def folder(tmp_path):
    shutil.copy(Path(__file__).parent / "conftest.py", tmp_path)
    for name in NAMES:
        (tmp_path / f"test_{name}.py").write_text("def test_one(): ...\n\ndef test_two(): ...\n")
    return tmp_path


def test_an_order_shuffles_whole_files_the_same_each_time(folder):
    plain, _ = run(folder)
    shuffled, last = run(folder, "--order", "one")
    again, _ = run(folder, "--order", "one")
    other, _ = run(folder, "--order", "two")
    assert plain == [f"test_{name}.py::test_{which}" for name in NAMES for which in ("one", "two")]
    assert shuffled == again != plain
    assert other != shuffled
    assert sorted(shuffled) == sorted(other) == plain
    for first, second in zip(shuffled[::2], shuffled[1::2], strict=True):
        assert first.replace("test_one", "test_two") == second
    assert "16 passed" in last


def test_what_would_begin_too_late_is_skipped(folder):
    _, last = run(folder, "--minutes", "0")
    assert "16 skipped" in last
    _, last = run(folder, "--minutes", "10")
    assert "16 passed" in last
