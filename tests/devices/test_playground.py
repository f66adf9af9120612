"""The page's generators on a real device draw what they draw on the CPU."""

from __future__ import annotations

import pytest
import torch
from play_doubles import untrained_run

from ganbench.machine.device import Device
from ganbench.playground.choices import find_choices
from ganbench.playground.generator import Generator, Wanted
from ganbench.playground.neighbours import TrainingImages
from ganbench.playground.places import Place

pytestmark = pytest.mark.device

PLACES = [Place(seed=0, index=index) for index in range(6)]


@pytest.mark.parametrize("variant", ["lsgan", "acgan", "stylegan2"])
def test_images_directions_and_truncation_are_those_of_the_cpu(device, tmp_path, variant):
    untrained_run(tmp_path, variant)
    choice = find_choices([tmp_path])[0][0]
    here, there = Generator(choice, Device("cpu")), Generator(choice, device)
    for wanted in (Wanted(), Wanted(truncation=0.5)):
        difference = here.draw(PLACES, wanted).float() - there.draw(PLACES, wanted).float()
        assert difference.abs().max() <= 2  # grey values
    shares = [generator.directions[1] for generator in (here, there)]
    torch.testing.assert_close(*shares, atol=0.02, rtol=0)
    moved = there.draw([Place(seed=0, index=0, moves=(2.0,))], Wanted())
    assert moved.shape == (1, 1, 16, 16)


def test_the_nearest_training_images_are_found_with_features_of_the_device(
    device, tmp_path, cache_root
):
    run = untrained_run(tmp_path)
    images = TrainingImages(run, cache_root, cache_root, device.torch)
    near = images.nearest(torch.zeros(1, 16, 16, dtype=torch.uint8), "features", 3)
    assert len(near.images) == 3
