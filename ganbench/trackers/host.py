"""The process of one tracker: does the calls that come through a pipe; run as a module.

Calls come pickled on standard input; answers go as JSON, one per line, to what was standard output
at the start. What a tracker prints goes to standard error.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
import threading
import traceback
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ganbench.trackers import registry
from ganbench.trackers.tracker import RunEnd

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ganbench.trackers.tracker import Tracker

__all__ = ["END_SECONDS", "main"]

END_SECONDS = 60.0
"""How long a tracker may take to end; a server that does not answer is not waited for longer."""

_NICENESS = 10  # trackers give way to training


def main() -> None:
    """Host the tracker that the first call names, until the run's end or that of its process."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    with suppress(OSError, AttributeError):
        os.nice(_NICENESS)
    doing = "open"
    try:
        tracker: Tracker | None = None
        for method, arguments in _calls(sys.stdin.buffer):
            doing = method
            if tracker is None:
                name, run = arguments
                tracker = registry.load(name)(run)
                _answer(answers, opened=True, note=str(tracker.note), goes_on=bool(tracker.goes_on))
                continue
            if method == "end":
                _end_in_time()
            getattr(tracker, method)(*arguments)
    except BaseException as error:  # noqa: BLE001 - a library may raise anything, SystemExit too
        *_, last = traceback.extract_tb(error.__traceback__)
        place = f"{Path(last.filename).name}, line {last.lineno}"
        _answer(answers, problem=f"{doing} raised {type(error).__name__} ({place}): {error}")
        sys.exit(1)
    _answer(answers, ended=True)


def _calls(stream: IO[bytes]) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """The calls in their order; where the run's process is gone, a last one says so."""
    while True:
        try:
            calls = pickle.load(stream)  # noqa: S301 - from the run's own process
        except (EOFError, pickle.UnpicklingError, OSError):
            yield "end", (RunEnd("interrupted"),)
            return
        for method, arguments in calls:
            yield method, arguments
            if method == "end":
                return


def _end_in_time() -> None:
    """End this process in a while, whatever the tracker waits for."""
    timer = threading.Timer(END_SECONDS, os._exit, (1,))
    timer.daemon = True
    timer.start()


def _answer(answers: IO[str], **values: object) -> None:
    with suppress(OSError):  # the run's process may be gone
        answers.write(json.dumps(values) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
