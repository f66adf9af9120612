"""Whatever is sent to the page's server: a code from 400 on, one line, and it goes on answering."""

from __future__ import annotations

import json
import re
import shutil
import socket
from contextlib import suppress
from threading import Thread

import pytest
from play_doubles import untrained_run

from ganbench.machine.device import Device
from ganbench.playground.choices import find_choices
from ganbench.playground.playground import Playground

pytest.importorskip("flask", reason="Flask is not installed: pip install 'ganbench[play]'")

from ganbench.playground.server import server


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    untrained_run(folder, "lsgan")
    untrained_run(folder, "texthash")
    untrained_run(folder, "acgan")
    return folder


@pytest.fixture(scope="module")
def port(results, cache_root):
    choices, _ = find_choices([results])
    opened = server(Playground(choices, Device("cpu"), cache_root, cache_root))
    Thread(target=opened.serve_forever, args=(0.01,), daemon=True).start()
    yield opened.port
    opened.shutdown()
    opened.server_close()


def sent(port: int, request: bytes) -> tuple[int, bytes]:
    """The code and the body that answer some bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(request)
        with suppress(OSError):  # a refusal may close it first
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        while part := connection.recv(1 << 16):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/"):  # to what is no HTTP of today, as HTTP/0.9 answers
        return int(re.findall(rb"Error code: (\d+)", head + body)[0]), body
    return int(head.split()[1]), body


def posted(port: int, path: str, body: str | bytes, **headers: str) -> tuple[int, bytes]:
    content = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    given = {
        "Host": f"127.0.0.1:{port}",
        "Content-Type": "application/json",
        "Content-Length": str(len(content)),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return sent(port, f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + content)


def draw(**changes: object) -> str:
    return json.dumps({"run": "0", "places": [{"seed": 1, "index": 0}], **changes})


def place(**changes: object) -> str:
    return draw(places=[{"seed": 1, "index": 0, **changes}])


HUGE = "1" + "0" * 400
BODIES = {
    "no JSON": ("/draw", "{"),
    "nothing": ("/draw", ""),
    "null": ("/draw", "null"),
    "a list": ("/draw", "[]"),
    "a number": ("/draw", "1e999"),
    "not UTF-8": ("/draw", b'{"run": "\xff\xfe"}'),
    "deep lists": ("/draw", "[" * 100_000),
    "deep objects": ("/load", '{"run":' * 100_000),
    "a number of 5,000 digits": ("/load", '{"run": 1' + "0" * 5000 + "}"),
    "a body too large": ("/draw", json.dumps({"run": "0" * (1 << 21)})),
    "a run by a number": ("/load", '{"run": 0}'),
    "a run by a path": ("/load", '{"run": "../../../etc"}'),
    "a run by a long path": ("/load", json.dumps({"run": "/etc/passwd" * 9})),
    "an unknown run": ("/load", '{"run": "99"}'),
    "a run with an escape": ("/load", json.dumps({"run": "\x1b[31m\n<b>"})),
    "a run of half a character": ("/load", '{"run": "\\ud800"}'),
    "an unknown run for directions": ("/directions", '{"run": "-1"}'),
    "a key too many": ("/load", '{"run": "0", "path": "/etc"}'),
    "a seed that is negative": ("/draw", place(seed=-1)),
    "a seed that is huge": ("/draw", draw().replace('"seed": 1', f'"seed": {HUGE}')),
    "a seed that is not whole": ("/draw", place(seed=1.5)),
    "a seed that is no number": ("/draw", place(seed=float("nan"))),
    "an index that is huge": ("/draw", draw().replace('"index": 0', f'"index": {HUGE}')),
    "an index as a truth": ("/draw", place(index="true")),
    "a share that is no number": ("/draw", place(share=float("nan"))),
    "a share beyond 1": ("/draw", place(share=1e308)),
    "a move that is no number": ("/draw", place(moves=[float("nan")])),
    "a move that is infinite": ("/draw", place(moves=[float("-inf")])),
    "a move that is huge": ("/draw", place(moves=[0.5]).replace("0.5", HUGE)),
    "a move that is large": ("/draw", place(moves=[1e308])),
    "too many moves": ("/draw", place(moves=[0.0] * 1000)),
    "a truncation that is no number": ("/draw", draw(wanted={"truncation": float("nan")})),
    "a truncation that is negative": ("/draw", draw(wanted={"truncation": -1})),
    "a class that is negative": ("/draw", draw(run="2", wanted={"label": -1})),
    "a class that is huge": ("/draw", draw(run="2", wanted={"label": 10**400})),
    "a class that is not whole": ("/draw", draw(run="2", wanted={"label": 0.5})),
    "a long prompt": ("/draw", draw(run="1", wanted={"prompt": "x" * 501})),
    "a prompt of a number": ("/draw", draw(run="1", wanted={"prompt": 7})),
    "directions of a run that is unknown": ("/draw", draw(along="77")),
    "places that are none": ("/draw", draw(places={})),
    "too many places": ("/draw", draw(places=[{"seed": 1, "index": 0}] * 1025)),
    "too many neighbours": (
        "/nearest",
        '{"run": "0", "place": {"seed": 1, "index": 0}, "count": 1000000}',
    ),
    "neighbours in something else": (
        "/nearest",
        '{"run": "0", "place": {"seed": 1, "index": 0}, "by": "../x"}',
    ),
    "a picture of nothing": ("/picture", '{"parts": []}'),
    "a picture of a kind that is unknown": (
        "/picture",
        json.dumps({"parts": [json.loads(draw())], "kind": "../../x.svg"}),
    ),
    "an address that is none": ("/etc/passwd", "{}"),
    "an address outside": ("/../../../../etc/passwd", "{}"),
    "an address outside, in code": ("/%2e%2e/%2e%2e/etc/passwd", "{}"),
    "another method": ("/runs", "{}"),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_request_that_makes_no_sense_is_refused_in_one_line(port, name, capfd):
    path, body = BODIES[name]
    code, answer = posted(port, path, body)
    assert 400 <= code < 500, (code, answer)
    message = json.loads(answer)["error"]
    assert message
    assert "\n" not in message
    assert "\x1b" not in message
    assert posted(port, "/load", '{"run": "0"}')[0] == 200
    assert capfd.readouterr() == ("", "")


RAW = {
    "no HTTP": b"\x00\xff\x16\x03\x01\r\n\r\n",
    "an address that breaks off": b"GET //[ HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\n\r\n",
    "no host": b"GET /runs HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /runs HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nHost: evil.example\r\n\r\n",
    "a host of strange letters": b"GET /runs HTTP/1.1\r\nHost: \xff\xfe\x1b[31m\r\n\r\n",
    "a host and a user": b"GET /runs HTTP/1.1\r\nHost: evil@127.0.0.1:PORT\r\n\r\n",
    "a long line": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
    "many headers": b"GET /runs HTTP/1.1\r\n" + b"A: b\r\n" * 1000 + b"\r\n",
    "a length that is negative": (
        b"POST /load HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nContent-Type: application/json\r\n"
        b"Content-Length: -5\r\n\r\n{}"
    ),
    "a length that is huge": (
        b"POST /load HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nContent-Type: application/json\r\n"
        b"Content-Length: 1" + b"0" * 400 + b"\r\n\r\n{}"
    ),
    "a length of more digits than Python reads": (
        b"POST /load HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nContent-Type: application/json\r\n"
        b"Content-Length: 1" + b"0" * 5000 + b"\r\n\r\n{}"
    ),
    "chunks that are none": (
        b"POST /load HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}"
    ),
    "another page": (
        b"POST /load HTTP/1.1\r\nHost: 127.0.0.1:PORT\r\nOrigin: http://evil.example\r\n"
        b'Content-Type: application/json\r\nContent-Length: 12\r\n\r\n{"run": "0"}'
    ),
}


@pytest.mark.parametrize("name", RAW)
def test_bytes_that_no_browser_sends_are_refused(port, name, capfd):
    code, _ = sent(port, RAW[name].replace(b"PORT", str(port).encode()))
    assert 400 <= code < 500
    assert posted(port, "/load", '{"run": "0"}')[0] == 200
    assert capfd.readouterr() == ("", "")


def test_a_request_that_is_broken_off_leaves_no_trace(port, capfd):
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(
            b"POST /load HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{"
        )
    with socket.create_connection(("127.0.0.1", port)):
        pass
    assert posted(port, "/load", '{"run": "0"}')[0] == 200
    assert capfd.readouterr() == ("", "")


def test_a_prompt_of_half_a_character_is_drawn_or_refused(port, capfd):
    part = '{"run": "1", "places": [{"seed": 1, "index": 0}], "wanted": {"prompt": "\\ud800 x"}}'
    for path, body in (("/draw", part), ("/picture", f'{{"parts": [{part}]}}')):
        code, _ = posted(port, path, body)
        assert code in (200, 400, 422)
    assert capfd.readouterr() == ("", "")


def test_a_run_that_is_removed_while_the_page_is_open_is_named(tmp_path, cache_root, capfd):
    kept, gone = untrained_run(tmp_path, "lsgan"), untrained_run(tmp_path, "acgan")
    choices, _ = find_choices([kept.path, gone.path])
    opened = server(Playground(choices, Device("cpu"), cache_root, cache_root))
    Thread(target=opened.serve_forever, args=(0.01,), daemon=True).start()
    try:
        shutil.rmtree(gone.path)
        code, answer = posted(opened.port, "/load", '{"run": "1"}')
        assert code == 422
        assert str(gone.path) in json.loads(answer)["error"]
        assert posted(opened.port, "/load", '{"run": "0"}')[0] == 200
    finally:
        opened.shutdown()
        opened.server_close()
    assert capfd.readouterr() == ("", "")
