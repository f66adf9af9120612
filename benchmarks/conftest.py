"""What the benchmarks share: the device, and whether to measure or to run a smoke test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pytest_benchmark.fixture import BenchmarkFixture

    from ganbench.machine.device import Device


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the choice of the device."""
    parser.addoption(
        "--bench-device",
        default="auto",
        help="where the benchmarks run: auto, cuda, cuda:1, mps or cpu (default: auto)",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Run timed benchmarks in one process, so that they have the machine for themselves."""
    if config.getoption("benchmark_enable"):
        config.option.numprocesses = None
        config.option.dist = "no"


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_machine_info(
    config: pytest.Config, machine_info: dict[str, Any]
) -> None:
    """Store versions, device, threads and commit beside the numbers."""
    from ganbench.machine import environment
    from ganbench.machine.device import choose

    machine_info["ganbench"] = environment.describe(choose(config.getoption("--bench-device")))


@pytest.fixture(scope="session")
def device(pytestconfig: pytest.Config) -> Device:
    """The device that was asked for."""
    from ganbench.machine.device import choose

    return choose(pytestconfig.getoption("--bench-device"))


@pytest.fixture
def tiny(benchmark: BenchmarkFixture) -> bool:
    """Whether nothing is timed: sizes are then as small as they can be."""
    return bool(benchmark.disabled)
