"""Downloads by other libraries, without their bars and with a short timeout."""

from __future__ import annotations

import io
import socket
from contextlib import contextmanager, redirect_stderr
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ganbench.data.dataset import Progress

__all__ = ["downloading", "one_line"]

_TIMEOUT_SECONDS = 20.0


@contextmanager
def downloading(what: str, report: Progress) -> Iterator[None]:
    """Report a download whose length is unknown, and hide the bars that its library draws.

    A server that sends nothing for 20 seconds counts as unreachable.
    """
    report(f"downloading {what}", 0, 0)
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_TIMEOUT_SECONDS)
    try:
        with redirect_stderr(io.StringIO()):
            yield
    finally:
        socket.setdefaulttimeout(before)
    report(f"downloading {what}", 1, 1)


def one_line(error: BaseException) -> str:
    """Say what an error says, in one line."""
    return " ".join(str(error).split()) or type(error).__name__
