"""A dataset is read, classified, resized and trained on without being in memory as a whole."""

from __future__ import annotations

import mmap
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

SIDE = 256
TEST_IMAGES = 200
COUNTS = {"few": 1500, "many": 3500}  # training images; 295 MB and 688 MB when decoded

# What a run does with a dataset; prints the highest memory so far after each part.
PROGRAM = """
import sys
from pathlib import Path

import torch

from ganbench import data
from ganbench.variant.budget import Budget
from ganbench.data.resized import training_split
from ganbench.machine.device import choose
from ganbench.machine.memory import peak_host_memory_bytes
from ganbench.scoring.backbones.backbone import Backbone, real_features
from ganbench.scoring.backbones.classifier import obtain_classifier
from ganbench.variant.registry import resolve
from ganbench.training.loop import train
from ganbench.training.session import Session
from ganbench.training.state import TrainState

torch.set_num_threads(1)
cache, device = Path(sys.argv[1]), choose("cpu")
(entry,) = resolve(["mlp"])
small = {"image_size": 192, "batch_size": 32, "generator_width": 4, "discriminator_width": 4}
recipe = entry.variant.recipe.override(small)

def report(part):
    print(part, peak_host_memory_bytes(), flush=True)

for name in sys.argv[2:]:
    device.reset_peak_memory()
    dataset = data.load(name, data_root=cache, cache_root=cache, image_size=256)
    report("read")
    classifier = obtain_classifier(dataset, device.torch, cache, most_images=1000)
    size = dataset.spec.native_size
    backbone = Backbone("classifier", classifier.hash, classifier, "", size)
    report("classified")
    real_features(backbone, dataset, cache)
    report("features")
    split = training_split(dataset, 192, cache, mapped_from_bytes=1)
    report("resized")
    state = TrainState.create(entry.variant, recipe, dataset.spec, device.torch, 0)
    session = Session(state, split, dataset.spec, device, 0, streamed=True)
    for event in train(session, Budget(3, "steps"), Budget(1e9, "steps")):
        del event  # it holds the session
    report("trained")
    del dataset, classifier, backbone, split, state, session
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the highest memory since a reset")
@pytest.mark.skipif(not hasattr(mmap, "MADV_DONTNEED"), reason="the system cannot take it back")
def test_the_memory_of_a_run_grows_by_far_less_than_its_dataset(tmp_path):
    coarse = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    picture = tmp_path / "picture.jpeg"
    Image.fromarray(coarse).resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(picture)
    for name, count in COUNTS.items():
        for split, images in (("train", count), ("test", TEST_IMAGES)):
            folder = tmp_path / name / split / "one"
            folder.mkdir(parents=True)
            for number in range(images):
                os.link(picture, folder / f"{number}.jpeg")

    highest = {}
    for name in COUNTS:  # each in a process of its own, as runs are
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                PROGRAM,
                str(tmp_path / "cache"),
                f"imagefolder:{tmp_path / name}",
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert done.returncode == 0, done.stderr
        parts = dict(line.split() for line in done.stdout.splitlines())
        assert list(parts) == ["read", "classified", "features", "resized", "trained"]
        highest[name] = {part: int(size) for part, size in parts.items()}
    grown = (COUNTS["many"] - COUNTS["few"]) * SIDE * SIDE * 3
    for part in ("classified", "trained"):
        assert highest["many"][part] - highest["few"][part] < grown / 2, highest
