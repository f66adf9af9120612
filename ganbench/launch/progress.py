"""Live progress on a terminal as bars, elsewhere as a plain line now and then.

Runs in processes of their own hold a `Relay`, which sends what they show to the one `Display`.
"""

from __future__ import annotations

import logging
import time
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console

from ganbench.launch.bars import Bars
from ganbench.visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import TaskID

__all__ = ["Display", "Message", "Relay", "said_by"]

_PLAIN_INTERVAL_SECONDS = 10.0
_RELAY_INTERVAL_SECONDS = 0.2


@dataclass(frozen=True)
class Message:
    """What a run in another process shows: a line, or how far it is.

    Attributes:
        run: Which run, for people.
        text: The line to say, or the name of the bar.
        done: How far the bar is; None for a line.
        total: Where it ends; 0 where that is unknown.
        detail: What stands behind the bar.
        topic: Of a line that is about no run alone and is said once, however often it comes; empty
            for any other line.
        is_debug: Whether the line is for those who look for a fault.
    """

    run: str
    text: str
    done: float | None = None
    total: float = 0.0
    detail: str = ""
    topic: str = ""
    is_debug: bool = False


class Display(AbstractContextManager["Display"]):
    """Shows what is going on, in one place for all runs.

    Args:
        console: Where to; bars where it is a terminal, plain lines elsewhere.
        verbose: Whether to show lines for those who look for a fault.
    """

    def __init__(self, console: Console, *, verbose: bool = False) -> None:
        self.console = console
        self._verbose = verbose
        self._bars = Bars(console=console, transient=True) if console.is_terminal else None
        self._tasks: dict[str, TaskID] = {}
        self._printed: dict[str, float] = {}
        self._said: set[str] = set()

    def __enter__(self) -> Self:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(self, *_error: object) -> None:
        if self._bars is not None:
            self._bars.stop()

    def say(self, line: str) -> None:
        """Print one line, as it is."""
        self._said.add(line)
        self.console.print(visible(line), markup=False, highlight=False, soft_wrap=True)

    def say_once(self, topic: str, line: str) -> None:
        """Print a line, unless one on the same topic was printed before."""
        if topic not in self._said:
            self._said.add(topic)
            self.say(line)

    def debug(self, line: str) -> None:
        """Print a line once, for those who look for a fault."""
        if self._verbose:
            self.say_once(line, line)

    def update(self, text: str, done: float, total: float, detail: str = "") -> None:
        """Move the bar named `text`; it appears with its first update and goes when it is full."""
        finished = total > 0 and done >= total
        if self._bars is None:
            self._plain(text, done, total, detail, finished=finished)
            return
        fields: dict[str, Any] = {
            "completed": done,
            "total": total or None,
            "detail": visible(detail),
        }
        if text not in self._tasks:
            self._tasks[text] = self._bars.add_task(visible(text), **fields)
        else:
            self._bars.update(self._tasks[text], **fields)
        if finished:
            self._bars.remove_task(self._tasks.pop(text))

    def report(self, text: str, done: int, total: int) -> None:
        """`update` for those who know no detail."""
        self.update(text, done, total)

    def show(self, message: Message) -> None:
        """Show what a run in another process has sent; a line that all of them say, only once."""
        named = not message.run or _is_of(message.run, message.text)
        text = message.text if named else f"{message.run}: {message.text}"
        if message.done is not None:
            self.update(text, message.done, message.total, message.detail)
        elif message.is_debug:
            self.debug(message.text)
        elif message.topic:
            self.say_once(message.topic, message.text)
        elif not {text, message.text} & self._said:
            self.say(text)

    def leave(self, run: str) -> None:
        """Take away the bars of a run in another process, which may have ended half-way."""
        for text in [text for text in self._tasks if _is_of(run, text)]:
            if self._bars is not None:
                self._bars.remove_task(self._tasks.pop(text))
        self._printed = {
            text: moment for text, moment in self._printed.items() if not _is_of(run, text)
        }

    def _plain(self, text: str, done: float, total: float, detail: str, *, finished: bool) -> None:
        now = time.monotonic()
        last = self._printed.setdefault(text, now)  # short work passes without a line
        if finished:
            del self._printed[text]
            if not detail:
                return
        elif now - last < _PLAIN_INTERVAL_SECONDS:
            return
        else:
            self._printed[text] = now
        share = f" {min(1.0, done / total):.0%}" if total else ""
        self.say(f"{text}:{share} {detail}".rstrip())


def _is_of(run: str, text: str) -> bool:
    """Whether a bar or a line names a run first; `seed 10` is not of `seed 1`."""
    return not run or text == run or text.startswith((f"{run}:", f"{run} "))


class _Lines(logging.Handler):
    """Says on a display what ganbench's modules log."""

    def __init__(self, display: Display) -> None:
        super().__init__(logging.WARNING)
        self._display = display

    def emit(self, record: logging.LogRecord) -> None:
        """Say it as one line."""
        self._display.say(" ".join(record.getMessage().split()))


@contextmanager
def said_by(display: Display) -> Iterator[None]:
    """Say on a display what ganbench's modules log inside a `with`, such as damaged caches."""
    handler, log = _Lines(display), logging.getLogger("ganbench")
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)


class Relay(Display):
    """A run's display in a process of its own: sends what it is to show, and shows nothing.

    Args:
        run: Which run, for people.
        send: Takes messages to the process that shows them; must not wait for it.
    """

    def __init__(self, run: str, send: Callable[[Message], object]) -> None:
        super().__init__(Console(quiet=True))
        self._run = run
        self._send = send
        self._sent: dict[str, float] = {}

    def say(self, line: str) -> None:
        """Send one line."""
        self._send(Message(self._run, line))

    def say_once(self, topic: str, line: str) -> None:
        """Send one line; the process that shows it knows what was said before."""
        self._send(Message(self._run, line, topic=topic))

    def debug(self, line: str) -> None:
        """Send one line; the process that shows it knows whether somebody looks for a fault."""
        self._send(Message(self._run, line, topic=line, is_debug=True))

    def update(self, text: str, done: float, total: float, detail: str = "") -> None:
        """Send how far the work named `text` is, its beginning and its end, and some between."""
        now = time.monotonic()
        finished = total > 0 and done >= total
        if finished:
            self._sent.pop(text, None)
        elif now - self._sent.get(text, -_RELAY_INTERVAL_SECONDS) < _RELAY_INTERVAL_SECONDS:
            return
        else:
            self._sent[text] = now
        self._send(Message(self._run, text, done, total, detail))
