"""`ganbench play` as it is called: what it says, and how it ends."""

from __future__ import annotations

import re
import socket
import sys
import webbrowser

import pytest
import results_doubles as doubles
from command_line import ganbench, one_line
from play_doubles import untrained_run

from ganbench.experiment.store import ResultsFolder

serving = pytest.importorskip("werkzeug.serving", reason="Flask is not installed")


@pytest.fixture
def opened(monkeypatch):
    """Addresses that a browser was asked to open; the server is interrupted at once."""

    def interrupted(_self):
        raise KeyboardInterrupt

    addresses = []
    monkeypatch.setattr(serving.BaseWSGIServer, "serve_forever", interrupted)
    monkeypatch.setattr(webbrowser, "open", addresses.append)
    monkeypatch.setenv("DISPLAY", ":0")
    return addresses


def test_play_prints_and_opens_its_address_and_ends_well_with_ctrl_c(tmp_path, capsys, opened):
    untrained_run(tmp_path)
    assert ganbench("play", tmp_path, "--device", "cpu") == 0
    captured = capsys.readouterr()
    (address,) = re.findall(r"http://127\.0\.0\.1:\d+/", captured.out)
    assert opened == [address]
    assert "1 generator(s) to play with" in captured.out
    assert captured.err == ""


@pytest.mark.parametrize("how", ["--no-browser", "no screen"])
def test_no_browser_is_opened_where_none_is_wanted_or_could_be_seen(
    tmp_path, opened, monkeypatch, how
):
    untrained_run(tmp_path)
    if how == "no screen":
        monkeypatch.setattr(sys, "platform", "linux")
        monkeypatch.delenv("DISPLAY")
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    flags = [how] if how.startswith("--") else []
    assert ganbench("play", tmp_path, "--device", "cpu", *flags) == 0
    assert opened == []


def test_the_port_can_be_chosen_and_one_that_is_taken_is_refused(tmp_path, capsys, opened):
    untrained_run(tmp_path)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert ganbench("play", tmp_path, "--device", "cpu", "--port", port) == 2
        assert f"port {port} cannot be had" in one_line(capsys)
    assert ganbench("play", tmp_path, "--device", "cpu", "--port", port) == 0
    assert f"http://127.0.0.1:{port}/" in capsys.readouterr().out


def test_a_run_without_a_checkpoint_is_one_line(tmp_path, capsys):
    run = ResultsFolder(tmp_path).finish(doubles.result("mlp", request="mlp"))
    assert ganbench("play", run.path) == 2
    assert "has no checkpoint.pt" in one_line(capsys)


def test_runs_that_cannot_be_loaded_are_counted_and_the_first_is_explained(
    tmp_path, capsys, opened
):
    untrained_run(tmp_path)
    ResultsFolder(tmp_path).finish(doubles.result("mlp", 1, request="mlp"))
    assert ganbench("play", tmp_path, "--device", "cpu", "--no-browser") == 0
    assert "1 cannot be loaded, the first because" in capsys.readouterr().out


def test_a_missing_flask_is_named_with_the_way_to_get_it(tmp_path, capsys, monkeypatch):
    untrained_run(tmp_path)
    monkeypatch.setitem(sys.modules, "flask", None)
    assert ganbench("play", tmp_path, "--device", "cpu") == 2
    assert "pip install 'ganbench[play]'" in one_line(capsys)


def test_a_device_that_is_not_there_is_one_line(tmp_path, capsys):
    untrained_run(tmp_path)
    assert ganbench("play", tmp_path, "--device", "cuda:99") == 2
    assert "cuda:99" in one_line(capsys)
