"""Drawing and scoring on a real device, beside the CPU."""

from __future__ import annotations

import pytest
import torch
from devices.small import BUILT_IN, session

from ganbench import data
from ganbench.data.dataset import ignore_progress
from ganbench.machine.device import choose
from ganbench.scoring import draw
from ganbench.scoring.backbones.backbone import obtain_backbone
from ganbench.scoring.reference import Reference

pytestmark = pytest.mark.device


@pytest.mark.parametrize("name", BUILT_IN)
def test_images_are_those_that_the_cpu_draws(name, device):
    there, here = session(name, device), session(name, choose("cpu"))
    latent = draw.latents(here.state, 24, 0, "evaluation latents")
    assert torch.equal(latent, draw.latents(there.state, 24, 0, "evaluation latents"))
    conditions = None
    if here.state.takes_condition and here.conditions is not None:
        conditions = draw.in_turn(here.conditions.cpu(), 24)
    found = draw.draw(there.state, device, latent, conditions).int()
    expected = draw.draw(here.state, choose("cpu"), latent, conditions).int()
    assert found.shape == expected.shape
    assert int((found - expected).abs().max()) <= 1
    assert float((found != expected).float().mean()) < 0.02


def test_scores_are_those_of_the_cpu(device, cache_root):
    digits = data.load("digits", data_root=cache_root, cache_root=cache_root, image_size=8)
    stream = torch.Generator().manual_seed(3)
    images = digits.train.images[torch.randperm(len(digits.train), generator=stream)[:600]]
    noise = torch.randint(0, 40, images.shape, generator=stream)
    images = (images.int() + noise).clamp(0, 255).to(torch.uint8)
    scores = []
    for where in (device, choose("cpu")):
        backbone = obtain_backbone("classifier", digits, where.torch, cache_root)
        reference = Reference.of(digits, backbone, cache_root, ignore_progress)
        scores.append(reference.score(reference.features_of(images), seed=0).scores)
    there, here = scores
    assert there.keys() == here.keys()
    for name, value in here.items():
        if value is None:
            assert there[name] is None, name
            continue
        assert there[name] == pytest.approx(value, rel=2e-3, abs=6e-3), name
