"""Titles and short names of groups: dataset, device and budget, and what else tells them apart."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

from ganbench.data.catalogue import short_dataset

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ganbench.report.groups import Group

__all__ = ["budget_words", "named"]

_DIGITS_THEN_UNIT = re.compile(r"^([\d.]+)([a-z]+)$")
_HASHES = ("hash", "fingerprint")
_MOST_PARTICULAR = 2
_LONGEST_SLUG = 50  # letters, of up to 4 bytes each, in names of files of up to 255 bytes


def budget_words(budget: str) -> str:
    """A budget as people write it: `25epochs` as `25 epochs`."""
    return _DIGITS_THEN_UNIT.sub(r"\1 \2", budget)


def named(groups: list[Group]) -> tuple[Group, ...]:
    """Give each group a title and a slug that differ from those of all other groups."""
    done: list[Group] = []
    for group in groups:
        same_dataset = [other for other in groups if other.dataset == group.dataset]
        same_kind = [other for other in same_dataset if other.device == group.device]
        same_device = [other for other in same_kind if other.device_name == group.device_name]
        slug = short_dataset(group.dataset)
        if len(same_dataset) > 1:
            slug = f"{slug}-{group.device}"
        if len(same_kind) > len(same_device):
            slug = f"{slug}-{group.device_name}"
        if len(same_device) > 1:
            slug = f"{slug}-{group.protocol or 'not scored'}"
        title = _title(group, same_device)
        taken = sum(other.title == title for other in done)
        title = f"{title} ({taken + 1})" if taken else title
        done.append(dataclasses.replace(group, title=title, slug=_unlike(slug, done)))
    return tuple(done)


def _title(group: Group, same_device: Sequence[Group]) -> str:
    """Dataset, device and budget, and where others have them too, what else is particular."""
    parts = [short_dataset(group.dataset), group.device_name or group.device, group.budget_text]
    if len(same_device) > 1:
        parts.append(_particular(group, same_device) if group.protocol else "not scored")
    return " · ".join(filter(None, parts))


def _particular(group: Group, others: Sequence[Group]) -> str:
    """The fields of a protocol that another group's has otherwise, in words and without hashes."""
    fields = group.protocol_fields
    differing = [
        name
        for name, value in fields.items()
        if any(o.protocol and o.protocol_fields.get(name) != value for o in others)
    ]
    told = [name for name in differing if not name.endswith(_HASHES)][:_MOST_PARTICULAR]
    return ", ".join(f"{name.replace('_', ' ')} {fields[name]}" for name in told)


def _unlike(text: str, done: list[Group]) -> str:
    letters = "".join(sign if sign.isalnum() else "-" for sign in text.lower())
    slug = "-".join(part for part in letters.split("-") if part)[:_LONGEST_SLUG]
    taken = sum(group.slug == slug or group.slug.startswith(f"{slug}--") for group in done)
    return f"{slug}--{taken + 1}" if taken else slug
