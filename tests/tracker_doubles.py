"""Trackers for the tests, as another package would bring them, and what they have written."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

GROUP = "ganbench.trackers"

MODULE = '''"""Trackers that write down what they are given, or fail."""
import json, os, threading
from ganbench.trackers import Tracker

class Lines(Tracker):
    """Adds each call to one file per run and class."""
    def __init__(self, run):
        super().__init__(run)
        self.file = run.folder / f"{type(self).__name__}-{run.id}.jsonl"
        self.write("open", run.step)
    def write(self, *call):
        with self.file.open("a") as file:
            file.write(json.dumps(call) + "\\n")
    def scalars(self, step, values):
        self.write("scalars", step, dict(values))
    def picture(self, step, name, file):
        self.write("picture", step, name, file.read_bytes()[:4].hex())
    def end(self, end):
        self.write("end", end.status, end.reason, end.step, dict(end.values))

class Keeps(Lines):
    """Has kept what an earlier process of the run was given."""
    def __init__(self, run):
        super().__init__(run)
        self.goes_on = run.step > 0

class AtOpen(Tracker):
    def __init__(self, run):
        raise ValueError("no")
class AtScalars(Tracker):
    def scalars(self, step, values):
        raise ValueError("no")
class AtPicture(Tracker):
    def picture(self, step, name, file):
        raise SystemExit("no")
class AtEnd(Tracker):
    def end(self, end):
        raise KeyboardInterrupt
class Exits(Tracker):
    def scalars(self, step, values):
        os.write(2, b"out of luck\\n")
        os._exit(0)
class Waits(Tracker):
    def scalars(self, step, values):
        threading.Event().wait()
NoTracker = 3
'''
FAILING = {
    "at-import": "plugin_that_is_not_there:Any",
    "no-tracker": "plugin_trackers:NoTracker",
    "at-open": "plugin_trackers:AtOpen",
    "at-scalars": "plugin_trackers:AtScalars",
    "at-picture": "plugin_trackers:AtPicture",
    "at-end": "plugin_trackers:AtEnd",
    "exits": "plugin_trackers:Exits",
}
OTHERS = {
    "lines": "plugin_trackers:Lines",
    "keeps": "plugin_trackers:Keeps",
    "waits": "plugin_trackers:Waits",
}


def install_doubles(install: Any, monkeypatch: Any) -> None:
    """Install the trackers for this process and for those that it starts."""
    folder = install({**FAILING, **OTHERS}, {"plugin_trackers.py": MODULE}, "doubles", GROUP)
    path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    monkeypatch.setenv("PYTHONPATH", path)


def calls(folder: Path, tracker: str = "Lines") -> list[list[Any]]:
    """What a tracker that writes lines was given, of the one run in a folder."""
    (file,) = folder.glob(f"{tracker}-*.jsonl")
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
