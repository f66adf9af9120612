"""The real side of a score, as `score` prepares it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ganbench.fakes.real import reference_for


@pytest.mark.parametrize("weights", [None, Path("weights.pth")])
def test_weights_that_the_backbone_does_not_use_are_said(weights, digits, cache_root):
    said = []
    reference_for(
        digits,
        backbone="classifier",
        device=torch.device("cpu"),
        cache_root=cache_root,
        report=lambda *_progress: None,
        say=said.append,
        inception_weights=weights,
    )
    lines = [line for line in said if "has no effect: the backbone is classifier" in line]
    assert len(lines) == (weights is not None)
