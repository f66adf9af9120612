"""The threads of OpenMP spin briefly, unless the user has said how they wait."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ganbench.machine import openmp

NAMES = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")


@pytest.fixture(autouse=True)
def unset(monkeypatch):
    for name in NAMES:
        monkeypatch.setenv(name, "")  # so that it is put back even if it was not set before
        monkeypatch.delenv(name)


def test_spinning_is_bounded_for_both_libraries():
    openmp.bound_spinning()
    assert 0 < int(os.environ["GOMP_SPINCOUNT"]) < 300_000  # libgomp's own
    assert 0 <= int(os.environ["KMP_BLOCKTIME"]) < 200  # Intel's own, milliseconds
    assert openmp.spinning() == {name: os.environ[name] for name in NAMES[1:]}


@pytest.mark.parametrize(("name", "value"), [*zip(NAMES, ("active", "5", "infinite"), strict=True)])
def test_what_the_user_has_set_decides(name, value, monkeypatch):
    monkeypatch.setenv(name, value)
    openmp.bound_spinning()
    assert openmp.spinning() == {name: value}


def test_a_command_bounds_spinning_before_torch_is_loaded():
    program = (
        "import os, sys\nfrom ganbench.cli import app\n"
        "class Watch:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'torch':\n"
        "            print(os.environ.get('GOMP_SPINCOUNT'), file=sys.stderr)\n"
        "            sys.exit(7)\n"
        "sys.meta_path.insert(0, Watch())\napp.main(['check', 'mlp'])"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 7
    assert int(done.stderr) > 0
