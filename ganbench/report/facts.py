"""The head of a report: runs, machine, software, budget and command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ganbench.report.comparison.looks import decided_first, look_text, looks_text
from ganbench.report.notes import grouped
from ganbench.report.scale import MOST_LISTED, listed
from ganbench.training.execution import EAGER, Execution
from ganbench.visible import visible

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ganbench.experiment.looks import Looks
    from ganbench.experiment.result import RunResult
    from ganbench.report.gather import Results, Source

__all__ = ["Fact", "facts_of", "notes_of", "software_line"]


@dataclass(frozen=True)
class Fact:
    """One line of the head: a name and a text."""

    name: str
    text: str
    is_code: bool = False


def facts_of(results: Results, source: Source) -> list[Fact]:
    """The head's lines on one folder; facts that are not known are left out."""
    plan = source.plan
    own = [entry.result for entry in results.of_source(source)]
    several = len(results.sources) > 1
    budgets = dict.fromkeys(record.budget for record in own if record.budget)
    machine = dict.fromkeys(
        f"{record.device_name or 'unnamed'} ({record.device})" for record in own
    )
    facts = [
        Fact("Folder", visible(source.path.name) if several else "", is_code=True),
        Fact("Runs", _runs(own, len(plan.get("jobs") or ()))),
        Fact("Machine", "; ".join(machine)),
        Fact("Device", _device(plan)),
        Fact("Software", software_line([record.environment for record in own])),
        Fact("Budget", ", ".join(budgets)),
        Fact("Steps", _execution(own)),
        *_looks(source.looks),
        Fact("Command", str(plan.get("command") or (own[0].command if own else "")), is_code=True),
        Fact("Date", str(plan.get("created") or "")),
        *notes_of("Note", grouped(map(str, plan.get("notes") or ()), [r.variant for r in own])),
    ]
    return [fact for fact in facts if fact.text]


def _device(plan: Mapping[str, Any]) -> str:
    """The device and why it was taken, such as `cpu (asked for)`; empty where that is not known."""
    reason = str(plan.get("device_reason") or "")
    return f"{plan.get('device') or 'unnamed'} ({reason})" if reason else ""


def _looks(looks: Looks | None) -> list[Fact]:
    """How seeds were added, and what each look saw and asked for; nothing where they were given."""
    if looks is None:
        return []
    seen = enumerate(zip(looks.looks, decided_first(looks), strict=True), start=1)
    return [
        Fact("Seeds", looks_text(looks)),
        *(Fact(f"Look {number}", look_text(look, new)) for number, (look, new) in seen),
    ]


def notes_of(name: str, notes: Sequence[object]) -> list[Fact]:
    """One line per note; of very many, the first ones and how many more there are."""
    facts = [Fact(name, str(note)) for note in notes[:MOST_LISTED]]
    if len(notes) > MOST_LISTED:
        facts.append(Fact(name, f"and {len(notes) - MOST_LISTED:,} more"))
    return facts


def _runs(records: Sequence[Any], planned: int) -> str:
    good = sum(record.status == "ok" for record in records)
    variants = len({record.variant for record in records})
    seeds = sorted({record.seed for record in records})
    plural = "s" if variants != 1 else ""
    of_planned = f" of {planned} planned" if planned > len(records) else ""
    return (
        f"{len(records)}{of_planned} ({good} completed): {variants} variant{plural}, "
        f"seed{'s' if len(seeds) != 1 else ''} {listed(seeds)}"
    )


def _execution(records: Sequence[RunResult]) -> str:
    """How steps were carried out; empty where all of them were plain float32, eagerly."""
    texts = dict.fromkeys(
        Execution(record.training_precision, record.compiled, record.captured).text
        for record in records
    )
    return "" if list(texts) == [EAGER.text] else "; ".join(texts)


_SOFTWARE = ("python", "torch", "ganbench", "platform", "driver", "processes_per_run", "threads",
             "commit")  # fmt: skip


def software_line(environments: Sequence[dict[str, Any]]) -> str:
    """Versions, platform, driver, threads and commit in one line.

    Args:
        environments: As `ganbench.machine.environment.describe` gives them; where they differ, the
            line holds all of their values.
    """
    values: dict[str, list[str]] = {}
    for environment in environments:
        flat = {**environment, **(environment.get("versions") or {})}
        if flat.get("commit"):
            flat["commit"] = str(flat["commit"])[:10] + (
                " (changed since)" if flat.get("dirty") else ""
            )
        if flat.get("processes_per_run") == 1:
            del flat["processes_per_run"]
        for name in _SOFTWARE:
            if flat.get(name) is not None:
                values.setdefault(name, []).append(str(flat[name]))
    return ", ".join(f"{name} {' / '.join(dict.fromkeys(texts))}" for name, texts in values.items())
