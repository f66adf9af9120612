"""Terminals and pipes of every encoding: a command does not fail because its output cannot."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import results_doubles as doubles

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "utf-8"])
def test_a_report_is_written_whatever_the_output_and_matplotlib_are_set_to(tmp_path, encoding):
    record = doubles.result("dcgan", device_name="名前 🙂 \udcff \x1b[2J")
    path = doubles.write(tmp_path / "名前 $x$ [/x]", [record])
    done = subprocess.run(
        [sys.executable, "-m", "ganbench", "report", path],
        env={**os.environ, "PYTHONIOENCODING": encoding, "MPLBACKEND": "no-such-backend"},
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    assert b"Traceback" not in done.stderr
    assert b"dcgan" in done.stdout
    assert b"\x1b[2J" not in done.stdout
    text = (path / "README.md").read_text(encoding="utf-8")
    assert r"\\udcff \\x1b[2J" in text  # a backslash is escaped in Markdown
