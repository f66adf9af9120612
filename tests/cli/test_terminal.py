"""A run in a real terminal of 80 columns: what its user sees."""

from __future__ import annotations

import os
import re
import signal
import struct
import sys
import time
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("digits_backbone")]

fcntl, pty, termios = map(pytest.importorskip, ("fcntl", "pty", "termios"))  # not on Windows

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_DEADLINE = 240  # seconds


def in_terminal(*arguments: object, until: str = "", keys: bytes = b"") -> tuple[int, list[str]]:
    """Run a command in a terminal of 80 columns; its exit code and all lines that it has drawn.

    Args:
        arguments: Of `ganbench`.
        until: When this text has come, `keys` are typed; Ctrl-C where there are none.
        keys: What to type.
    """
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.pop("COLUMNS", None)
        os.environ["TERM"] = "xterm"
        os.execv(sys.executable, [sys.executable, "-m", "ganbench", *map(str, arguments)])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    output, deadline = b"", time.monotonic() + _DEADLINE
    while time.monotonic() < deadline:
        try:
            received = os.read(terminal, 65536)
        except OSError:
            break
        if not received:
            break
        output += received
        if until and until in output.decode(errors="replace"):
            os.write(terminal, keys or b"\x03")
            until = ""
    else:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    text = _ESCAPES.sub("", output.decode(errors="replace"))
    return os.waitstatus_to_exitcode(status), [line.rstrip() for line in re.split(r"[\r\n]+", text)]


def command(out: Path, *more: object) -> list[object]:
    return [
        "run", "--variants", "mlp", "--dataset", "digits", "--device", "cpu",
        "--set", "batch_size=32", "--out", out, *more,
    ]  # fmt: skip


def test_bars_of_runs_side_by_side_fit_name_their_seed_and_stopped_runs_are_not_done(tmp_path):
    code, lines = in_terminal(
        *command(tmp_path / "a", "--budget", "100000steps", "--seeds", 2, "--jobs", 2),
        until=" left",
    )
    assert code == 130
    bars = [line for line in lines if "━" in line]
    assert [line for line in bars if len(line) > 80 and "^C" not in line] == []
    for seed in (0, 1):
        assert any(line.startswith(f"mlp · digits · seed {seed}") for line in bars)
    assert any("0 of 2 done · stopping" in line for line in bars)
    assert not any("1 of 2 done" in line or "2 of 2 done" in line for line in bars)
    assert not any("resident on" in line for line in lines)


def test_scoring_and_the_report_have_bars_and_debug_facts_come_where_they_are_asked_for(tmp_path):
    code, lines = in_terminal(*command(tmp_path / "a", "--budget", "20steps", "--verbose"))
    assert code == 0
    for work in ("computing scores", "drawing charts"):
        assert any(work in line and "━" in line for line in lines)
    said = [line for line in lines if line and "━" not in line]
    assert sum("resident on" in line for line in said) == 1
    assert sum("features of the classifier" in line for line in said) == 1


@pytest.mark.parametrize(("answer", "left"), [(b"n\n", 2), (b"y\n", 1)])
def test_fresh_asks_before_finished_runs_of_other_variants_go(tmp_path, answer, left):
    assert in_terminal(*command(tmp_path / "a", "--budget", "2steps"))[0] == 0
    other = command(tmp_path / "a", "--budget", "2steps", "--fresh")
    other[2] = "lsgan"
    code, lines = in_terminal(
        *other, "--set", "generator_width=4", until="remove them too?", keys=answer
    )
    assert code == 0
    assert any("1 finished run of mlp" in line for line in lines)
    assert len(list((tmp_path / "a" / "runs").glob("*-s0-*"))) == left


def test_a_dry_run_says_what_its_runs_take(tmp_path):
    code, lines = in_terminal(*command(tmp_path / "a", "--budget", "200steps", "--dry-run"))
    assert code == 0
    assert any(re.search(r"mlp-s0-[0-9a-f]{8} .* \d+ (s|min) +\d\.\d GB", line) for line in lines)
    assert any(line.startswith("in total about ") for line in lines)
    assert not (tmp_path / "a").exists()
