"""Downloads by other libraries, without their bars and with a short timeout."""

from __future__ import annotations

import io
import queue
import socket
import threading
import time
from contextlib import contextmanager, redirect_stderr
from http.client import HTTPException
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.request import Request, urlopen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ganbench.data.dataset import Progress

__all__ = ["check_reachable", "downloading", "one_line"]

_TIMEOUT_SECONDS = 20.0
_ANSWER_SECONDS = 8.0
_HEAD_REFUSED = (403, 405, 501)  # of servers that may still send the file


@contextmanager
def downloading(what: str, report: Progress, addresses: Sequence[str]) -> Iterator[None]:
    """Report a download whose length is unknown, and hide the bars that its library draws.

    A server that begins to answer and then sends nothing for 20 seconds counts as unreachable.

    Args:
        what: Is downloaded.
        report: Called before and after the download.
        addresses: Of a file each, one of which has to answer before the download begins.

    Raises:
        OSError: None of the addresses answers.
    """
    report(f"downloading {what}", 0, 0)
    check_reachable(addresses)
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_TIMEOUT_SECONDS)
    try:
        with redirect_stderr(io.StringIO()):
            yield
    finally:
        socket.setdefaulttimeout(before)
    report(f"downloading {what}", 1, 1)


def check_reachable(addresses: Sequence[str]) -> None:
    """See within seconds that one of some addresses answers; nothing is downloaded.

    All are asked at once, each by a thread that nobody waits for: the time limit of a socket holds
    for one attempt on one address of a machine, and for no look-up of its name.

    Raises:
        OSError: None of them does; it says why the first one did not that gave a reason.
    """
    answers: queue.Queue[str] = queue.Queue()
    for address in addresses:
        threading.Thread(
            target=lambda asked=address: answers.put(_why_unreachable(asked)), daemon=True
        ).start()
    reasons = []
    end = time.monotonic() + _ANSWER_SECONDS
    try:
        for _ in addresses:
            why = answers.get(timeout=max(0.0, end - time.monotonic()))
            if not why:
                return
            reasons.append(why)
    except queue.Empty:
        reasons.append(f"no answer within {_ANSWER_SECONDS:.0f} seconds")
    raise OSError(reasons[0])


def _why_unreachable(address: str) -> str:
    """Why an address does not answer; empty where it does."""
    try:
        with urlopen(Request(address, method="HEAD"), timeout=_ANSWER_SECONDS):  # noqa: S310
            return ""
    except HTTPError as error:
        return "" if error.code in _HEAD_REFUSED else one_line(error)
    except (OSError, ValueError, HTTPException) as error:  # ValueError: of a proxy's address
        return one_line(error)


def one_line(error: BaseException) -> str:
    """Say what an error says, in one line."""
    return " ".join(str(error).split()) or type(error).__name__
