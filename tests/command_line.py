"""The command line called in the tests' own process, as its users call it."""

from __future__ import annotations

import pytest

from ganbench.cli import app


def ganbench(*arguments: object) -> int:
    with pytest.raises(SystemExit) as caught:
        app.main([str(argument) for argument in arguments])
    return int(caught.value.code or 0)


def one_line(capsys: pytest.CaptureFixture[str]) -> str:
    """The message on stderr, which must be one line that begins with the program's name."""
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1, captured.err
    assert captured.err.startswith("ganbench: ")
    assert "Traceback" not in captured.err
    return captured.err
