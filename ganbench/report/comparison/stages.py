"""Which seeds of two variants each look saw, where seeds were added as needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganbench.report.comparison.sequential import Stages

if TYPE_CHECKING:
    from ganbench.report.groups import Group

__all__ = ["stages_of"]


def stages_of(a: tuple[Group, str], b: tuple[Group, str]) -> Stages | None:
    """The looks at two rows, each a group and its label there; None where seeds were given.

    Rows of several folders had no common looks. Whatever made their seeds end, one test at the end
    is valid if it pays for a look at every number of seeds there could have been.
    """
    (group_a, label_a), (group_b, label_b) = a, b
    if not group_a.looks and not group_b.looks:
        return None
    entries = [group_a.of(label_a), group_b.of(label_b)]
    folders = {entry.run.path.parent.parent for own in entries for entry in own}
    looks = {**group_a.looks, **group_b.looks}
    planned = [looks[folder] for folder in sorted(folders) if folder in looks]
    if not planned:
        return None
    if len(folders) == 1:
        seen = planned[0].seen
    else:
        seen = (frozenset(entry.result.run_id for own in entries for entry in own),)
    seeds = []
    for runs in seen:
        first, second = (
            frozenset(entry.result.seed for entry in own if entry.result.run_id in runs)
            for own in entries
        )
        seeds.append((first, second))
    common = max((len(first & second) for first, second in seeds), default=0)
    return Stages(
        min(looks.first for looks in planned),
        max(common, *(looks.limit for looks in planned)),
        tuple(seeds),
    )
