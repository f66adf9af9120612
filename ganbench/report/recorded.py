"""What runs recorded over their steps: histories of losses and scores during training."""

from __future__ import annotations

import csv
import math
from functools import lru_cache, wraps
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ganbench.scoring.collapse import POSITION

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Row = dict[str, float | None]

__all__ = ["read_history", "read_score_rows", "read_scores"]

_LOSSES = frozenset({"step", "d_loss", "g_loss", "d_real", "d_fake_before"})
_MOMENT = frozenset({"step", "images_seen", "seconds"})
_SCORED = frozenset({*_MOMENT, "fid"})
_IN_ROWS = tuple(dict.fromkeys([*POSITION, *sorted(_SCORED), "modes_covered"]))
_LARGEST_LOSS = 3.5e38  # of float32, in which losses are computed
_LARGEST_SCORE = 1e30  # of scores, images and seconds
_FILES_KEPT = 512  # more than a chart reads, which is drawn twice, for wide and narrow pages


def _once(
    read: Callable[[Path], pd.DataFrame | None],
) -> Callable[[Path], pd.DataFrame | None]:
    """Keep what a function read from the last few files, as long as those are not written again."""

    @lru_cache(maxsize=_FILES_KEPT)
    def kept(file: Path, _stamp: tuple[int, int]) -> pd.DataFrame | None:
        return read(file)

    @wraps(read)
    def reading(file: Path) -> pd.DataFrame | None:
        try:
            status = file.stat()
        except OSError:
            return None
        return kept(file, (status.st_mtime_ns, status.st_size))

    return reading


@_once
def read_history(file: Path) -> pd.DataFrame | None:
    """A run's history, one row per recorded step; None where it is missing or unreadable."""
    numbers = _read_numbers(file, _LARGEST_LOSS)
    if numbers is None or not _LOSSES.issubset(numbers.columns):
        return None
    numbers = numbers[numbers["step"] >= 0]  # false where there is none
    return None if numbers.empty else numbers


@_once
def read_scores(file: Path) -> pd.DataFrame | None:
    """A run's scores during training, one row per evaluation; None where there are none."""
    numbers = _read_numbers(file, _LARGEST_SCORE)
    if numbers is None or not _SCORED.issubset(numbers.columns):
        return None
    numbers = numbers[(numbers[sorted(_MOMENT)] >= 0).all(axis="columns")]
    return None if numbers.empty else numbers


def read_score_rows(file: Path) -> list[Row]:
    """What `read_scores` reads, in the columns that tables need; empty where there is nothing.

    The tables are of all runs, of which there may be thousands, and a data frame for each would
    take many times as long.
    """
    if not file.is_file():  # a pipe would be waited for without an end
        return []
    try:
        with file.open(encoding="utf-8", newline="") as opened:
            reader = csv.DictReader(opened)
            names = list(reader.fieldnames or ())
            if not _SCORED.issubset(names):
                return []
            names = [name for name in _IN_ROWS if name in names]
            return [{name: _number(row[name]) for name in names} for row in reader]
    except (OSError, ValueError, csv.Error):
        return []


def _read_numbers(file: Path, largest: float) -> pd.DataFrame | None:
    """A table of numbers, empty where a cell holds none or a larger one; None if unreadable."""
    if not file.is_file():  # a pipe would be waited for without an end
        return None
    try:
        frame: pd.DataFrame = pd.read_csv(file)
        for name in frame.columns[[kind.kind not in "fiu" for kind in frame.dtypes]]:
            frame[name] = pd.to_numeric(frame[name], errors="coerce")
        numbers = frame.to_numpy(dtype=float, copy=True)
    except Exception:  # noqa: BLE001 - whatever a damaged file makes the parser raise
        return None
    numbers[~(np.abs(numbers) <= largest)] = np.nan
    return pd.DataFrame(numbers, columns=frame.columns)


@lru_cache(maxsize=4096)  # most runs are scored at the same steps
def _number(text: str | None) -> float | None:
    try:
        value = float(text or "nan")
    except ValueError:
        return None
    return None if math.isnan(value) else value
