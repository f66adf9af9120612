"""What several tests share: temporary roots, the digits, and their backbone."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is loaded: the tests share the processors
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in the background of a shell
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Each run tries the same examples, so that a test which passed passes again; the environment
# variable HYPOTHESIS_PROFILE set to "default" tries others
settings.register_profile("same", derandomize=True, database=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))

BEGUN = time.monotonic()

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ganbench.data.dataset import Dataset
    from ganbench.scoring.backbones.backbone import Backbone


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the device for tests/devices, and the time for tests that take more than there is."""
    parser.addoption("--device", default="auto", help="for -m device: auto, cuda, cuda:1, mps, cpu")
    parser.addoption("--minutes", type=float, help="skip the tests that would begin later")
    parser.addoption("--order", help="shuffle the files of tests, by any text")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Shuffle the files, so that other tests have their turn in the time that there is."""
    if (order := config.getoption("--order")) is not None:
        items.sort(key=lambda item: random.Random(f"{order} {item.location[0]}").random())


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what begins after the time that there is."""
    minutes = item.config.getoption("--minutes")
    if minutes is not None and time.monotonic() - BEGUN > 60 * minutes:
        pytest.skip(f"{minutes:g} minutes are over")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show, below the results, of how many injected faults nothing was lost."""
    reports = [one for kind in ("passed", "failed") for one in terminalreporter.getreports(kind)]
    lines = [
        f"{value}  ({report.nodeid})"
        for report in reports
        for name, value in report.user_properties
        if name == "figure"
    ]
    if lines:
        terminalreporter.section("figures")
        terminalreporter.write("".join(f"{line}\n" for line in sorted(set(lines))))


@pytest.fixture
def figure(record_property: Callable[[str, object], None]) -> Callable[[int, int, str], None]:
    """Note "N of M ..." for the summary; shown whether the test passes or fails."""

    def note(count: int, total: int, what: str) -> None:
        record_property("figure", f"{count} of {total} {what}")

    return note


@pytest.fixture(scope="session", autouse=True)
def cache_root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache that lasts as long as the tests; no test sees the user's own."""
    root = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GANBENCH_CACHE", str(root))
        patch.setenv("GANBENCH_DATA", str(tmp_path_factory.mktemp("data")))
        yield root


@pytest.fixture(scope="session")
def digits(cache_root: Path) -> Dataset:
    """scikit-learn's digits, read."""
    from ganbench import data

    return data.load("digits", data_root=cache_root, cache_root=cache_root, image_size=32)


@pytest.fixture(scope="session")
def digits_backbone(digits: Dataset, cache_root: Path) -> Backbone:
    """The digits' classifier, trained once and cached in `cache_root`."""
    import torch

    from ganbench.scoring.backbones.backbone import obtain_backbone

    return obtain_backbone("classifier", digits, torch.device("cpu"), cache_root)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Path]]:
    """Install a distribution with entry points; forget its modules afterwards."""
    before = set(sys.modules)

    def add(
        points: dict[str, str],
        files: dict[str, str] | None = None,
        distribution: str = "gan-plugins",
        group: str = "ganbench.variants",
    ) -> Path:
        folder = tmp_path / distribution
        info = folder / f"{distribution.replace('-', '_')}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1\n")
        lines = [f"{name} = {value}" for name, value in points.items()]
        (info / "entry_points.txt").write_text("\n".join([f"[{group}]", *lines]))
        for name, text in (files or {}).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        monkeypatch.syspath_prepend(folder)
        return folder

    yield add
    for name in set(sys.modules) - before:
        if name.startswith("plugin_"):
            del sys.modules[name]
