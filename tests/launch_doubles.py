"""Jobs and what they need, done in the tests' own process where a test reaches inside."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from ganbench.errors import UsageError
from ganbench.experiment import plan
from ganbench.experiment.store import ResultsFolder
from ganbench.experiment.suite import Suite
from ganbench.launch.context import CommandContext
from ganbench.launch.progress import Display
from ganbench.launch.resources import Resources
from ganbench.machine.interrupt import Stopped


@dataclass(frozen=True)
class FakeTask:
    """Evaluates an expression in its process."""

    expression: str
    label: str = ""

    def carry_out(self, display):
        names = {"display": display, "UsageError": UsageError, "Stopped": Stopped, "os": os}
        return eval(self.expression, names)


SMALL = ("batch_size=32", "generator_width=8", "discriminator_width=8")


def context(root: Path, cache_root: Path) -> CommandContext:
    """Results in `root / "results"`, and datasets nowhere."""
    folder = ResultsFolder(root / "results")
    folder.prepare()
    return CommandContext(folder, "cpu", root / "data", cache_root)


def display() -> Display:
    """A display whose lines can be read by `said`."""
    return Display(Console(file=io.StringIO(), width=200))


def said(shown: Display) -> str:
    """What a display has printed."""
    text = shown.console.file
    assert isinstance(text, io.StringIO)
    return text.getvalue()


def resources(root: Path, cache_root: Path, *, is_shared: bool = False) -> Resources:
    """What jobs need, in the tests' own process."""
    return Resources.of(context(root, cache_root), display(), is_shared=is_shared)


def planned(**changes: Any) -> plan.Plan:
    """Small runs of two steps on the digits."""
    values = {"variants": ("mlp",), "dataset": "digits", "budget": "2steps", "set": SMALL}
    return plan.make(Suite(**{**values, **changes}), device="cpu", data_root=Path())
