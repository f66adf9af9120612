"""What a run shows, in a small file on a disk that the command reads too."""

from __future__ import annotations

import json
import secrets
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console

from ganbench.launch.progress import Display, Message
from ganbench.machine.whole_files import write_whole

__all__ = ["FileDisplay", "MessageReader"]

_WRITE_SECONDS = 1.0
_MOST_LINES = 200


class FileDisplay(Display):
    """Writes what a run shows: all its lines, and where each of its bars is.

    Args:
        label: Of the run, for people.
        file: Replaced as a whole each time.
    """

    def __init__(self, label: str, file: Path) -> None:
        super().__init__(Console(quiet=True))
        self._label = label
        self._file = file
        self._process = secrets.token_hex(4)
        self._lines: list[Message] = []
        self._moved: dict[str, Message] = {}
        self._written = 0.0

    def show(self, message: Message) -> None:
        """Write a message, a bar only now and then."""
        if message.done is None:
            if len(self._lines) < _MOST_LINES:
                self._lines.append(message)
        else:
            self._moved[message.text] = message
            if not _is_full(message) and time.monotonic() - self._written < _WRITE_SECONDS:
                return
        self._written = time.monotonic()
        content = {
            "process": self._process,
            "lines": [asdict(line) for line in self._lines],
            "bars": [asdict(bar) for bar in self._moved.values()],
        }
        with suppress(OSError):  # what is shown is no reason to lose a run
            write_whole(self._file, json.dumps(content).encode(errors="backslashreplace"))
        self._moved = {text: bar for text, bar in self._moved.items() if not _is_full(bar)}

    def say(self, line: str) -> None:
        """Write a line."""
        self.show(Message(self._label, line))


def _is_full(bar: Message) -> bool:
    return bar.done is not None and 0 < bar.total <= bar.done


@dataclass
class MessageReader:
    """Reads what one run shows, and gives what is new.

    Attributes:
        file: The run's.
    """

    file: Path
    _changed: int = 0
    _process: str = ""
    _count: int = 0
    _bars: list[dict[str, Any]] = field(default_factory=list)

    def new(self) -> list[Message]:
        """Lines that have come since the last time, and bars that have moved."""
        try:
            changed = self.file.stat().st_mtime_ns
            if changed == self._changed:
                return []
            content = json.loads(self.file.read_text(encoding="utf-8"))
            lines, bars = content["lines"], content["bars"]
            if content["process"] != self._process:
                self._process, self._count = content["process"], 0
            moved = [bar for bar in bars if bar not in self._bars]
            messages = [Message(**values) for values in [*lines[self._count :], *moved]]
        except (OSError, ValueError, KeyError, TypeError):  # not there, or not whole
            return []
        self._changed, self._count, self._bars = changed, len(lines), bars
        return messages
