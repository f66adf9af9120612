"""`ganbench.tune` from Python: the same plan and folder as the command."""

from __future__ import annotations

import pytest
from tuning_doubles import Launcher, find_variants_once

import ganbench
from ganbench.tuning.record import read_tuning
from ganbench.workflow import comparison

ASKED = {"variants": ["mlp"], "dataset": "digits", "device": "cpu", "budget": "8epochs"}


@pytest.fixture
def launcher(monkeypatch):
    find_variants_once(monkeypatch)
    return Launcher(monkeypatch)


def test_a_call_searches_and_goes_on_where_it_stopped(launcher, tmp_path, monkeypatch):
    more = {"trials": 3, "seeds": [0, 4], "space": {"lr_g": "1e-4:1e-3:log"}, "quiet": True}
    written = []
    monkeypatch.setattr(comparison, "build", lambda folders, **_named: written.extend(folders))
    out = tmp_path / "out"
    done = ganbench.tune(**ASKED, **more, settings={"lr_d": 1e-4}, out=out)
    assert done.folders == (out,)
    assert written == [out]
    record = read_tuning(out)
    assert record.space["mlp"] == {
        "lr_g": "0.0001:0.001:log", "beta1": "0|0.5|0.9", "d_steps": "1|2|5",
    }  # fmt: skip
    assert record.settings == ("lr_d=0.0001",)
    assert {job.recipe["lr_d"] for job in launcher.jobs.values()} == {1e-4}
    assert len(launcher.launched) == 3 + 2 + 2 * 2
    ganbench.tune(**ASKED, **more, settings={"lr_d": 1e-4}, out=out)
    assert len(launcher.launched) == 3 + 2 + 2 * 2


def test_what_cannot_be_searched_is_an_error_with_a_way_out(tmp_path):
    with pytest.raises(ganbench.UsageError, match="give KEY=LOW:HIGH"):
        ganbench.tune(**ASKED, space={"lr_g": "high"}, out=tmp_path / "out", quiet=True)


def test_an_interrupted_call_is_a_keyboard_interrupt(launcher, tmp_path):
    launcher.stop_after = 2
    with pytest.raises(KeyboardInterrupt):
        ganbench.tune(**ASKED, trials=2, out=tmp_path / "out", quiet=True)
    assert launcher.reports == 0
