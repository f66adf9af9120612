"""The server of the page: on this machine alone, and for no page but its own."""

from __future__ import annotations

import socket
from functools import partial
from importlib import resources
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from ganbench.errors import GanbenchError, UsageError
from ganbench.machine.device import is_out_of_memory
from ganbench.playground.playground import (
    DrawAsked,
    LoadAsked,
    NearestAsked,
    PictureAsked,
)
from ganbench.visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flask import Flask, Request, Response
    from werkzeug.serving import BaseWSGIServer

    from ganbench.playground.playground import Playground

__all__ = ["ADDRESS", "application", "server"]

ADDRESS = "127.0.0.1"
"""The loopback address: nothing outside this machine reaches it."""

_NAMES = (ADDRESS, "localhost")  # by which a browser may call it
_LARGEST_REQUEST = 1 << 20
_BAD, _FORBIDDEN, _REFUSED, _BROKEN = 400, 403, 422, 500
_HEADERS = {
    # The page holds all that it needs; nothing is fetched from anywhere else
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data: blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}


def application(playground: Playground, port: int) -> Flask:
    """The page and what it asks for, as a Flask application.

    Requests are answered only if they name this server, so that no page from elsewhere reaches it
    by a name of its own that leads to this machine, and only if they come from this page.

    Args:
        playground: Answers.
        port: Of the server.

    Raises:
        UsageError: Flask is not installed.
    """
    try:
        from flask import Flask, Response, jsonify, request
    except ImportError as error:
        raise UsageError(
            "ganbench play needs Flask: python -m pip install 'ganbench[play]'"
        ) from error

    app = Flask("ganbench.playground", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = _LARGEST_REQUEST
    app.before_request(lambda: _refusal(request, port))
    app.after_request(_guarded)

    _say_errors(app)

    def posted(path: str, asked: type[BaseModel], answer: Callable[[Any], Any]) -> None:
        def view() -> Response:
            answered = answer(asked.model_validate(_body(request)))
            if isinstance(answered, bytes):
                return Response(answered, mimetype="image/png")
            return jsonify(answered)

        app.add_url_rule(path, path, view, methods=["POST"])

    posted("/load", LoadAsked, playground.load)
    posted("/directions", LoadAsked, playground.directions)
    posted("/draw", DrawAsked, playground.draw)
    posted("/nearest", NearestAsked, playground.nearest)
    posted("/picture", PictureAsked, playground.picture)
    app.add_url_rule("/runs", "runs", lambda: jsonify(playground.runs()))
    for address, content, kind in _files():
        app.add_url_rule(address, address, partial(Response, content, mimetype=kind))
    return app


def _say_errors(app: Flask) -> None:
    """Let the page be told in one line what went wrong."""
    from flask import jsonify
    from werkzeug.exceptions import HTTPException

    def refuse(message: str, code: int) -> tuple[Response, int]:
        return jsonify({"error": visible(" ".join(message.split()))}), code

    @app.errorhandler(GanbenchError)
    def refused(error: GanbenchError) -> tuple[Response, int]:
        return refuse(str(error), _REFUSED)

    @app.errorhandler(ValidationError)
    def misunderstood(error: ValidationError) -> tuple[Response, int]:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        return refuse(f"{where or 'the request'}: {first['msg']}", _BAD)

    @app.errorhandler(HTTPException)
    def not_understood(error: HTTPException) -> tuple[Response, int]:
        return refuse(error.description or error.name, error.code or _BAD)

    @app.errorhandler(Exception)  # or its traceback would stand on the terminal
    def broken(error: Exception) -> tuple[Response, int]:
        if is_out_of_memory(error):
            return refuse("out of memory: give --device cpu, or play with one generator", _BROKEN)
        return refuse(f"{type(error).__name__}: {error}", _BROKEN)


def _refusal(request: Request, port: int) -> tuple[str, int] | None:
    """Why a request is not answered, and the code that says so; None where it is."""
    if request.headers.get("Host") not in {f"{name}:{port}" for name in _NAMES}:
        return f"this server is http://{ADDRESS}:{port}/ and has no other name\n", _FORBIDDEN
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    is_own = site in (None, "same-origin", "none") and origin in (None, f"http://{request.host}")
    if not is_own and request.path != "/":  # the page itself may be opened by a link
        return "requests of other pages are not answered\n", _FORBIDDEN
    return None


def _body(request: Request) -> Any:
    """What a request says in JSON.

    Raises:
        BadRequest: It is no JSON, or nested more deeply than anything that the page asks.
    """
    from werkzeug.exceptions import BadRequest

    try:
        return request.get_json()
    except RecursionError as error:
        raise BadRequest("the request is nested too deeply") from error


def _guarded(response: Response) -> Response:
    """The same answer with headers by which a browser fetches nothing from elsewhere for it."""
    response.headers.update(_HEADERS)
    return response


def _files() -> Iterator[tuple[str, bytes, str]]:
    """The page's files: address, content and type of each."""
    for file in resources.files("ganbench.playground").joinpath("page").iterdir():
        kind = _KINDS.get(PurePath(file.name).suffix)
        if kind is not None:
            yield "/" if file.name == "page.html" else f"/{file.name}", file.read_bytes(), kind


def server(playground: Playground, port: int = 0) -> BaseWSGIServer:
    """Open the page on a port of the loopback address; `serve_forever` then answers.

    Args:
        playground: Answers.
        port: 0 for any that is free.

    Raises:
        UsageError: The port cannot be had, or Flask is not installed.
    """
    with socket.socket() as opened:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            opened.bind((ADDRESS, port))
        except OSError as error:
            raise UsageError(
                f"port {port} cannot be had ({error.strerror}): give another one with --port, or "
                "leave it out for one that is free"
            ) from error
        opened.listen()
        taken = opened.getsockname()[1]
        app = application(playground, taken)  # first, as it says what is not installed

        from werkzeug.serving import WSGIRequestHandler, make_server

        class Quiet(WSGIRequestHandler):
            """Prints no line for each request."""

            def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
                """Print nothing."""

            def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's
                """Print nothing of what is no HTTP, or was broken off; its sender is told."""

            def run_wsgi(self) -> None:
                """Answer; an address that is none is refused instead of ending in a traceback."""
                try:
                    super().run_wsgi()
                except ValueError as error:
                    self.send_error(_BAD, visible(str(error)))

        # werkzeug takes a duplicate of the socket, so that this one may be closed
        return make_server(
            ADDRESS, taken, app, threaded=True, request_handler=Quiet, fd=opened.fileno()
        )
