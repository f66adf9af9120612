"""A table that cannot be read is named where the report is read, and on the terminal."""

from __future__ import annotations

import os

import pytest
from command_line import ganbench
from results_doubles import result, write

from ganbench.report.gather import gather
from ganbench.report.over_training import over_training_tables


@pytest.mark.slow
def test_a_damaged_history_is_named_on_the_terminal_and_in_the_report(tmp_path, capsys):
    path = write(tmp_path / "out", [result("mlp"), result("dcgan")])
    (history,) = path.glob("runs/dcgan*/history.csv")
    history.write_bytes(b'step,d_loss\n1,\xff\xfe"x\n')
    assert ganbench("report", path) == 0
    named = f"{history} cannot be read as a table of numbers"
    assert f"note: {named}" in capsys.readouterr().out
    written = (path / "README.md").read_text(encoding="utf-8")
    assert "cannot be read as a table of numbers" in written
    assert "dcgan" in (path / "summary.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["looks.json", "plan.json", "result.json", "scores.csv"])
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(tmp_path, name):
    out = write(tmp_path / "out", [result("mlp", over_training={"last": {}}), result("dcgan")])
    run = next(out.glob("runs/mlp-*"))
    pipe = (run if name in ("result.json", "scores.csv") else out) / name
    pipe.unlink(missing_ok=True)
    os.mkfifo(pipe)
    results = gather([out])
    assert over_training_tables(results.groups[0]) or name == "result.json"
    is_named = any(name in note for note in results.notes)
    assert is_named == (name != "scores.csv")  # which `damaged_tables` names
