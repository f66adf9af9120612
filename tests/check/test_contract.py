"""Every built-in variant keeps the contract that `ganbench check` runs."""

from __future__ import annotations

import pytest

from ganbench.check import check
from ganbench.variant.registry import entries, resolve


@pytest.mark.parametrize("name", [entry.name for entry in entries() if entry.kind == "built-in"])
def test_every_variant_keeps_the_contract(name):
    lines = check(resolve([name])[0])
    assert [f"{line.name}: {line.detail}" for line in lines if not line.ok] == []
    assert len(lines) == 13
