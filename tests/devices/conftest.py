"""Tests that run on a real device: `pytest -m device tests/devices --device cuda`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ganbench.machine.device import Device


@pytest.fixture(scope="session")
def device(pytestconfig: pytest.Config) -> Device:
    """The device that `--device` names."""
    from ganbench.machine.device import choose

    chosen = choose(pytestconfig.getoption("--device"))
    chosen.activate()
    return chosen


@pytest.fixture
def card(device: Device) -> Device:
    """The device, where it is a CUDA card."""
    if device.kind != "cuda":
        pytest.skip("needs a CUDA device")
    return device
