"""Families of tests: the primary score, all other scores, and cost, each corrected together."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, get_args

from ganbench.errors import unknown
from ganbench.report import columns
from ganbench.report.comparison.contrasts import Family, is_ranked
from ganbench.report.comparison.statistics import holm

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ganbench.experiment.result import RunResult
    from ganbench.report.comparison.contrasts import Contrast

__all__ = [
    "FAMILIES",
    "PRIMARY",
    "check_primary",
    "check_primary_name",
    "corrected",
    "families_text",
    "family_of",
]

PRIMARY = "fid"
FAMILIES: tuple[Family, ...] = get_args(Family)


def family_of(score: str, primary: str) -> Family:
    """Which tests a score's are corrected with."""
    if score == primary:
        return "primary"
    return "cost" if score in columns.SPEED else "secondary"


def check_primary(primary: str, records: Sequence[RunResult]) -> None:
    """Refuse a primary score that no run has.

    Raises:
        UsageError: It is no score with a better and a worse, or is empty in every run. FID, which
            nobody has asked for, may be empty: no score is the primary one then.
    """
    names = [name for name in columns.measured(list(records)) if is_ranked(name)]
    there = [name for name in names if any(columns.value(r, name) is not None for r in records)]
    if primary not in there and primary != PRIMARY:
        raise unknown("primary score", primary, there, "give a score that the runs have")


def check_primary_name(primary: str) -> None:
    """Refuse a primary score that no run can have, before anything is trained.

    Raises:
        UsageError: It is no column with a better and a worse.
    """
    names = (*columns.score_names([]), *columns.SPEED, *columns.OVER_TRAINING_SHOWN)
    allowed = [name for name in names if is_ranked(name)]
    if primary not in allowed:
        raise unknown("primary score", primary, allowed, "see `ganbench list metrics`")


def corrected(
    contrasts: Sequence[Contrast], primary: str = PRIMARY, untested: Mapping[str, int] | None = None
) -> list[Contrast]:
    """Correct contrasts by Holm's method, each family for itself (Holm 1979).

    Args:
        contrasts: All that are tested in one comparison, shown or not, of all pairs.
        primary: The score that was chosen before the numbers were seen.
        untested: Further pairs by score that could have been tested and were not; they count in
            their family.

    Returns:
        The same contrasts in the same order. Those of one seed are not tested and count nowhere.
    """
    done = [dataclasses.replace(item, family=family_of(item.score, primary)) for item in contrasts]
    for family in FAMILIES:
        tested = [
            (place, p)
            for place, item in enumerate(done)
            if item.family == family and (p := item.paired.p_value) is not None
        ]
        more = sum(
            n for score, n in (untested or {}).items() if family_of(score, primary) == family
        )
        corrections = holm([p for _, p in tested], more)
        for (place, _), correction in zip(tested, corrections, strict=True):
            done[place] = dataclasses.replace(
                done[place],
                family_size=len(tested) + more,
                p_holm=correction.p_value,
                ci_level=correction.level,
            )
        _correct_equivalences(done, family, more)
    return done


def _correct_equivalences(done: list[Contrast], family: Family, untested: int) -> None:
    """Correct the claims of equivalence of a family among themselves, in place.

    Of a pair's two null hypotheses, that it does not differ and that it differs by the margin or
    more, one at most is true. Each kind of claim is held to 5% by itself.
    """
    claims = [
        (place, item.equivalence)
        for place, item in enumerate(done)
        if item.family == family and item.equivalence is not None
    ]
    corrections = holm([claim.p_value for _, claim in claims], untested)
    for (place, claim), correction in zip(claims, corrections, strict=True):
        corrected_claim = dataclasses.replace(claim, p_holm=correction.p_value)
        done[place] = dataclasses.replace(done[place], equivalence=corrected_claim)


def families_text(contrasts: Sequence[Contrast]) -> str:
    """The families that were tested, with their sizes, in a sentence; empty for one seed."""
    parts = []
    for family in FAMILIES:
        own = [item for item in contrasts if item.family == family and item.p_holm is not None]
        if not own:
            continue
        count = len({item.score for item in own})
        names = {
            "primary": own[0].heading,
            "secondary": _counted(count, "other score"),
            "cost": f"{_counted(count, 'number')} of speed and memory",
        }
        parts.append(f"{family}, {names[family]}: {_counted(own[0].family_size, 'test')}")
    return "; ".join(parts)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
