"""The contract that every variant keeps: what `ganbench check` runs, and the tests on all variants.

The default recipe is built once for each kind of dataset; all else is tried on small networks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ganbench.check import networks as contract_networks
from ganbench.check import recipe as contract_recipe
from ganbench.check.trial import SPECS, Trial, accepted, on_each, small_trials
from ganbench.data.dataset import Progress, ignore_progress
from ganbench.errors import ContractError, GanbenchError
from ganbench.machine.torch_settings import preserved_settings, settings
from ganbench.variant import source

if TYPE_CHECKING:
    from ganbench.variant.definition import DatasetSpec
    from ganbench.variant.registry import Resolved

__all__ = ["CheckLine", "check"]

_NETWORK_CHECKS: tuple[tuple[str, Callable[[Trial], None]], ...] = (
    ("draws images in [-1, 1]", contract_networks.draws),
    ("has finite losses", contract_networks.has_finite_losses),
    ("reports D(x) and D(G(z))", contract_networks.reports),
    ("moves in a step what it trains", contract_networks.moves),
    ("repeats itself with the same seed", contract_networks.repeats),
    ("begins elsewhere with another seed", contract_networks.begins_elsewhere),
    ("goes on from a checkpoint", contract_networks.restores),
)


@dataclass(frozen=True)
class CheckLine:
    """The outcome of one check.

    Attributes:
        name: What every variant must do.
        ok: Whether this one does.
        detail: What was seen, or what is wrong.
    """

    name: str
    ok: bool
    detail: str = ""


def check(
    resolved: Resolved,
    specs: Sequence[DatasetSpec] = SPECS,
    report: Progress = ignore_progress,
    *,
    new_process: bool = True,
) -> list[CheckLine]:
    """Run the contract on one variant, on the CPU.

    Nothing that the variant's code raises comes through: it is a line that is not ok. A variant
    whose networks cannot be built is not checked further.

    Args:
        resolved: The variant.
        specs: The kinds of dataset to try.
        report: Called before each check with its name.
        new_process: Whether captions are encoded in a new process too, which takes seconds.
    """
    variant, before = resolved.variant, settings()
    lines: list[CheckLine] = []
    trials: list[Trial] = []
    total = len(_NETWORK_CHECKS) + 6

    def run(name: str, function: Callable[[], str]) -> bool:
        report(f"{resolved.name} {name}", len(lines), total)
        try:
            line = CheckLine(name, ok=True, detail=function())
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a variant may raise anything
            line = CheckLine(name, ok=False, detail=_reason(error, resolved.origin))
        lines.append(line)
        return line.ok

    def build() -> str:
        chosen = accepted(variant, specs)
        counts = contract_recipe.builds(variant, chosen)
        trials.extend(small_trials(variant, chosen))
        return counts

    encodes = partial(contract_recipe.encodes, new_process=new_process)
    with torch.random.fork_rng(devices=[]), preserved_settings():
        run("says what it is", lambda: contract_recipe.says_what_it_is(variant))
        if not run("builds its networks", build):
            return lines
        for name, network_check in _NETWORK_CHECKS:
            run(name, partial(on_each, trials, network_check))
        run("takes any recipe number", lambda: contract_recipe.takes_any_number(trials[-1]))
        run("takes recipe numbers as text", lambda: contract_recipe.takes_text(variant.recipe))
        run("encodes prompts the same for ever", partial(encodes, resolved, specs))
        run("leaves torch's settings alone", partial(_leaves_alone, resolved, before))
    return lines


def _reason(error: BaseException, origin: str) -> str:
    known = isinstance(error, GanbenchError)
    return str(error) if known else source.reason(error, Path(origin))


def _leaves_alone(resolved: Resolved, before: dict[str, Any]) -> str:
    now = settings()
    changed = [name for name, value in before.items() if now[name] != value]
    for when, names in (("", changed), (" when it is imported", resolved.changed_settings)):
        if names:
            raise ContractError(f"changes {', '.join(names)}{when}")
    return ""
