"""The server of the page: on this machine alone, and for no page but its own."""

from __future__ import annotations

import socket
from importlib import resources
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
    from collections.abc import Callable

    from flask import Flask, Response
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
_FILES = {
    "/": ("page.html", "text/html"),
    "/page.css": ("page.css", "text/css"),
    "/page.js": ("page.js", "text/javascript"),
    "/show.js": ("show.js", "text/javascript"),
}


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

    @app.before_request
    def only_this_page() -> tuple[str, int] | None:
        if request.host not in {f"{name}:{port}" for name in _NAMES}:
            return f"this server is http://{ADDRESS}:{port}/ and has no other name\n", _FORBIDDEN
        site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
        is_own = site in (None, "same-origin", "none")
        is_own = is_own and origin in (None, f"http://{request.host}")
        if not is_own and request.path != "/":
            return "requests of other pages are not answered\n", _FORBIDDEN
        return None

    @app.after_request
    def guarded(response: Response) -> Response:
        response.headers.update(_HEADERS)
        return response

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

    @app.errorhandler(RuntimeError)
    def broken(error: RuntimeError) -> tuple[Response, int]:
        if is_out_of_memory(error):
            return refuse("out of memory: choose fewer samples, or --device cpu", _BROKEN)
        return refuse(f"{type(error).__name__}: {error}", _BROKEN)

    for address, (name, kind) in _FILES.items():
        content = resources.files("ganbench.playground").joinpath("page", name).read_bytes()
        app.add_url_rule(address, name, _file(Response, content, kind))

    @app.get("/runs")
    def runs() -> Response:
        return jsonify(playground.runs())

    def answers(asked: type[BaseModel], answer: Callable[[Any], dict[str, Any]], path: str) -> None:
        def view() -> Response:
            return jsonify(answer(asked.model_validate(request.get_json())))

        app.add_url_rule(path, path, view, methods=["POST"])

    answers(LoadAsked, playground.load, "/load")
    answers(LoadAsked, playground.directions, "/directions")
    answers(DrawAsked, playground.draw, "/draw")
    answers(NearestAsked, playground.nearest, "/nearest")

    @app.post("/picture")
    def picture() -> Response:
        asked = PictureAsked.model_validate(request.get_json())
        return Response(playground.picture(asked), mimetype="image/png")

    return app


def _file(response: type[Response], content: bytes, kind: str) -> Callable[[], Response]:
    """A view that answers with a file of the page."""
    return lambda: response(content, mimetype=kind)


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

        # werkzeug takes a duplicate of the socket, so that this one may be closed
        return make_server(
            ADDRESS, taken, app, threaded=True, request_handler=Quiet, fd=opened.fileno()
        )
