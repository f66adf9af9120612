"""Whether a download can begin is found out within seconds, whatever the network does."""

from __future__ import annotations

import socket
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from ganbench import data
from ganbench.data import catalogue, download
from ganbench.data.download import check_reachable
from ganbench.data.vision import check_vision
from ganbench.errors import DataError


@pytest.fixture(autouse=True)
def direct(monkeypatch):
    """No proxy, and a short time limit."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr("urllib.request._opener", None)  # which remembers proxies
    monkeypatch.setattr(download, "_ANSWER_SECONDS", 0.3)


@pytest.fixture
def silent():
    """The address of a server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as opened:
        yield f"http://127.0.0.1:{opened.getsockname()[1]}/file"


@pytest.fixture
def answering():
    """The address of a server that answers with the code that the path gives."""

    class Answer(BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.send_response(int(self.path.strip("/")))
            self.end_headers()

        def log_message(self, *_arguments):
            pass

    served = HTTPServer(("127.0.0.1", 0), Answer)
    Thread(target=served.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{served.server_port}"
    served.shutdown()
    served.server_close()


def test_a_server_that_never_answers_is_given_up_after_the_time_limit(silent):
    begun = time.monotonic()
    with pytest.raises(OSError, match=r"no answer within|timed out"):
        check_reachable([silent, silent])
    assert time.monotonic() - begun < 5


def test_a_proxy_that_never_answers_is_given_up_too(silent, monkeypatch):
    monkeypatch.setenv("http_proxy", silent)
    with pytest.raises(OSError, match=r"no answer within|timed out"):
        check_reachable(["http://example.invalid/file"])


def test_one_of_several_servers_is_enough(silent, answering, monkeypatch):
    monkeypatch.setattr(download, "_ANSWER_SECONDS", 20.0)
    check_reachable([silent, f"{answering}/200"])


@pytest.mark.parametrize("code", [405, 403, 501])
def test_a_server_that_refuses_to_say_may_still_send_the_file(answering, code):
    check_reachable([f"{answering}/{code}"])


@pytest.mark.parametrize("code", [404, 500])
def test_a_server_without_the_file_says_so(answering, code, monkeypatch):
    monkeypatch.setattr(download, "_ANSWER_SECONDS", 20.0)
    with pytest.raises(OSError, match=str(code)):
        check_reachable([f"{answering}/{code}"])


@pytest.mark.parametrize("name", [*catalogue.DOWNLOADED, "stacked-mnist"])
def test_data_that_cannot_be_had_are_named_without_touching_the_data_root(
    name, tmp_path, monkeypatch
):
    def fail(*_arguments, **_names):
        raise OSError("no network")

    monkeypatch.setattr(download, "urlopen", fail)
    root = tmp_path / "data"
    with pytest.raises(DataError, match=r"cannot be downloaded \(no network\).*--data-root"):
        data.check_obtainable(name, root)
    assert not root.exists()


def test_data_that_are_there_need_no_network(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "urlopen", None)
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for split in ("train", "t10k"):
        for what in ("images-idx3", "labels-idx1"):
            (raw / f"{split}-{what}-ubyte").touch()
    assert check_vision("mnist", tmp_path) == ""
    assert data.check_obtainable("digits", tmp_path) == ""


def test_what_would_be_downloaded_is_said(tmp_path, monkeypatch):
    monkeypatch.setattr("ganbench.data.vision.check_reachable", lambda _addresses: None)
    said = data.check_obtainable("cifar10", tmp_path)
    assert said == f"cifar10 is not in the data root {tmp_path}: it will be downloaded"
