"""A table that cannot be read is named where the report is read, and on the terminal."""

from __future__ import annotations

import pytest
from command_line import ganbench
from results_doubles import result, write


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
