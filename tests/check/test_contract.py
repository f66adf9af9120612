"""Every built-in variant keeps the contract that `ganbench check` runs."""

from __future__ import annotations

import pytest

from ganbench.check import check
from ganbench.variant.registry import entries, resolve

BUILT_IN = [entry.name for entry in entries() if entry.kind == "built-in"]
QUICK = ("bigan", "dcgan", "mlp")


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in BUILT_IN],
)
def test_every_variant_keeps_the_contract(name):
    lines = check(resolve([name])[0])
    assert [f"{line.name}: {line.detail}" for line in lines if not line.ok] == []
    assert len(lines) == 13
