"""Conditions beside the plan on which the last digits of a run depend: threads, device, versions.

Sums of floating-point numbers depend on their order, and that on how many threads add them, on the
processor's or the card's instructions, and on the libraries. Training amplifies the difference. So
equal numbers are promised where all of these are equal, and nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ganbench.experiment.result import RunResult

__all__ = ["MATTERING", "changes", "condition_of", "conditions", "conditions_of", "in_words"]

MATTERING = ("processes_per_run", "threads", "instructions", "torch")
"""The conditions, besides the device, that are known to change last digits."""

_ENVIRONMENT = {"threads": "threads", "instructions": "cpu_capability", "driver": "driver"}
_VERSIONS = ("torch", "torchvision", "torch-fidelity", "numpy", "scipy", "scikit-learn", "cuda",
             "cudnn", "python", "ganbench")  # fmt: skip
_LONGEST = 100  # characters of a value that somebody else may have written


def conditions(environment: Mapping[str, Any], device: str, device_name: str) -> dict[str, str]:
    """The conditions that are known, by name; what an older version has not stored is left out.

    Args:
        environment: As `ganbench.machine.environment.describe` gives it.
        device: Kind of the device.
        device_name: Its model.
    """
    names = ("processes_per_run", *_ENVIRONMENT, *_VERSIONS)
    values = {name: _value(environment, name) for name in names}
    known = {name: value for name, value in values.items() if value is not None}
    return {"device": f"{device_name or 'unnamed'} ({device})"[:_LONGEST], **known}


def _value(environment: Mapping[str, Any], name: str) -> str | None:
    """One condition besides the device; None where it is not known."""
    if name == "processes_per_run":  # 1 in all older results
        value = environment.get(name, 1)
    elif name in _ENVIRONMENT:
        value = environment.get(_ENVIRONMENT[name])
    else:  # older results have versions not apart
        value = (environment.get("versions") or environment).get(name)
    return None if value is None else str(value)[:_LONGEST]


def conditions_of(result: RunResult) -> dict[str, str]:
    """The conditions of a stored run."""
    return conditions(result.environment, result.device, result.device_name)


def condition_of(result: RunResult, name: str) -> str | None:
    """One condition of a stored run, besides its device; None where it is not known."""
    return _value(result.environment, name)


def changes(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What differs between two records of conditions: `threads 2 is now 1`.

    What only one of them knows is no difference.
    """
    return [
        f"{name} {value} is now {now[name]}"
        for name, value in before.items()
        if name in now and now[name] != value
    ]


def in_words(values: Mapping[str, str]) -> str:
    """The conditions that matter most, in one line: `2 threads, AVX2, torch 2.14.1, Xeon (cpu)`.

    The number of processes is named where there are several, each of which has those threads.
    """
    count = values.get("processes_per_run", "1")
    values = {name: value for name, value in values.items() if name != "processes_per_run"}
    if count != "1":
        values["processes_per_run"] = f"{count} processes per run"
    texts = {
        **values,
        "threads": f"{values.get('threads')} thread{'' if values.get('threads') == '1' else 's'}",
        "torch": f"torch {values.get('torch')}",
    }
    return ", ".join(texts[name] for name in (*MATTERING, "device") if name in values)
