"""Tables of scores during training: best and last moment, time to targets."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ganbench.report import columns
from ganbench.report.comparison.statistics import estimate
from ganbench.report.formatting import in_unit, interval, number, shown, spread
from ganbench.report.recorded import read_score_rows
from ganbench.report.tables import Cell, Table
from ganbench.scoring.collapse import POSITION, collapse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ganbench.report.groups import Group
    from ganbench.report.recorded import Row
    from ganbench.report.rows import Entry

__all__ = ["over_training_tables", "targets"]

_SCORE = "fid"
_MOST_TARGETS = 4
_ROUND = (1, 2, 5)


def _rows(group: Group, label: str) -> list[list[Row]]:
    """The scores during training of each of a variant's runs, none where it has none; read once."""
    return group.once(
        ("scores over training", label),
        lambda: [read_score_rows(entry.run.scores) for entry in group.of(label)],
    )


def _note(group: Group) -> str:
    """How the scores during training were computed."""
    summaries = [
        entry.result.over_training for entry in group.finished if entry.result.over_training
    ]
    count = (summaries[0].get("protocol_fields") or {}).get("fake_count")
    digest = str(summaries[0].get("protocol") or "unknown").replace("`", "'")
    drawn = f"{number(count)} generated {group.unit}" if count else f"generated {group.unit}"
    return (
        f"Each score during training is of {drawn}, drawn "
        f"from one half of the evaluation noise (protocol `{digest}`). The best moment is chosen "
        "by its FID on that half; it and the last moment are reported on the other half, so the "
        "choice does not flatter the gap. Times are of the training clock, at the first evaluation "
        "at or below the target."
    )


def over_training_tables(group: Group) -> list[Table]:
    """The best and the last moment by variant, and the time that each takes to targets."""
    if not any(entry.result.over_training for entry in group.finished):
        return []
    return [table for table in (_moments(group), _time_to_target(group)) if table is not None]


def _moments(group: Group) -> Table:
    names = columns.OVER_TRAINING_SHOWN
    shown_columns = [columns.column(name) for name in names]
    heads = [f"{column.heading(group.backbone)} {column.arrow}".strip() for column in shown_columns]
    rows = []
    for label in group.labels:
        cells = []
        for name, column in zip(names, shown_columns, strict=True):
            moment = group.estimate(label, name)
            cells.append(
                Cell(
                    shown(moment.mean, column),
                    spread(moment, column),
                    interval(moment, column),
                    value=moment.mean,
                )
                if moment
                else Cell()
            )
        rows.append((label, *group.completed(label), (*cells, _collapsed(group, label))))
    return Table(
        "Best and last moment",
        (*heads, "Modes collapsed"),
        tuple(rows),
        _note(group),
        names=(*names, ""),
    )


def _collapsed(group: Group, label: str) -> Cell:
    """When modes collapsed, over the seeds of a variant."""
    entries = group.of(label)
    pairs = zip(entries, _rows(group, label), strict=True)
    found = [where for entry, rows in pairs if (where := _collapse_of(entry, rows))]
    lost = [float(where["images_seen"]) for where in found if not where.get("from_start")]
    never_there = [where for where in found if where.get("from_start")]
    texts = []
    if lost:
        texts.append((f"by {number(min(lost))} {group.unit}", len(lost)))
    if never_there:
        most, total = max(w["most"] for w in never_there), never_there[0]["total"]
        text = f"from the start (at most {number(most)} of {number(total)} modes)"
        texts.append((text, len(never_there)))
    if not texts:
        return Cell("never")
    counted = [f"{count} of {len(entries)} seeds" for _, count in texts]
    if len(texts) == 1:
        return Cell(texts[0][0], counted[0])
    (first, _), (second, _) = texts
    return Cell(first, f"{counted[0]};", second, counted[1])


def _collapse_of(entry: Entry, rows: list[Row]) -> Mapping[str, Any] | None:
    """What a run stored, or, as older ones knew no collapse from the start, what its scores say."""
    stored: Mapping[str, Any] | None = entry.result.over_training.get("collapsed")
    if stored or not rows or not {*POSITION, "modes_covered"} <= set(rows[0]):
        return stored
    total = entry.result.scores.get("modes_total")
    return collapse([{**row, "modes_total": total} for row in rows])


def targets(first: list[float], lowest: list[float]) -> list[float]:
    """Round scores that are worth timing: reached by a run, and by some run not at once.

    Args:
        first: The first score of each run.
        lowest: The lowest score of each run.

    Returns:
        At most four numbers of the series 1, 2, 5, the easiest first.
    """
    if not first:
        return []
    powers = range(-4, math.ceil(math.log10(max(*first, 0.0) + 1)) + 1)
    series = [digit * 10.0**power for power in powers for digit in _ROUND]
    fitting = [value for value in series if min(lowest) <= value < max(first)]
    return fitting[:_MOST_TARGETS][::-1]


def _time_to_target(group: Group) -> Table | None:
    """Seconds until the score was first at or below each target."""
    runs = {label: [rows for rows in _rows(group, label) if rows] for label in group.labels}
    every = [
        [s for row in rows if (s := row[_SCORE]) is not None]
        for some in runs.values()
        for rows in some
    ]
    every = [scores for scores in every if scores]
    chosen = targets([scores[0] for scores in every], [min(scores) for scores in every])
    if not chosen:
        return None
    title = columns.column(_SCORE).heading(group.backbone)
    rows = []
    for label, by_seed in runs.items():
        cells = tuple(_reached(by_seed, target, group.unit) for target in chosen)
        rows.append((label, *group.completed(label), cells))
    heads = tuple(f"{title} ≤ {number(target)}" for target in chosen)
    return Table("Training time to a target", heads, tuple(rows))


def _reached(runs: list[list[Row]], target: float, unit: str) -> Cell:
    """Mean seconds over the seeds that reached it, and how many did."""
    firsts = [first for rows in runs if (first := _first(rows, target))]
    seconds = [math.nan if (one := row["seconds"]) is None else one for row in firsts]
    images = [math.nan if (one := row["images_seen"]) is None else one for row in firsts]
    if not seconds:
        return Cell("not reached")
    time = estimate(seconds, (0.0, math.inf))
    deviation = f"± {number(time.std, time.mean)}" if time and time.std is not None else ""
    counted = "" if len(seconds) == len(runs) else f"{len(seconds)} of {len(runs)} seeds"
    seen = f"{number(round(float(np.mean(images))))} {unit}"
    remark = ", ".join(filter(None, (seen, counted)))
    mean = float(np.mean(seconds))
    return Cell(in_unit(mean, "s"), deviation, remark=f"({remark})", value=mean)


def _first(rows: list[Row], target: float) -> Row | None:
    """The first evaluation at or below a target."""
    return next((row for row in rows if (s := row[_SCORE]) is not None and s <= target), None)
