"""The real side of a comparison: which images stand for what."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree

from ganbench.data.dataset import ignore_progress
from ganbench.scoring.reference import Reference


@pytest.fixture(scope="module")
def reference(digits, digits_backbone, cache_root):
    return Reference.of(digits, digits_backbone, cache_root, ignore_progress)


def nearest(points, others):
    return np.median(cKDTree(others.double().numpy()).query(points.double().numpy())[0])


def test_memorisation_is_measured_against_images_that_no_generator_was_trained_on(
    digits, digits_backbone, reference
):
    train, test = (
        digits_backbone.extract(split.images).vectors for split in (digits.train, digits.test)
    )
    noisy = (digits.train.images.float() + 40 * torch.rand(digits.train.images.shape)).clamp(0, 255)
    fake = digits_backbone.extract(noisy.to(torch.uint8))
    expected = nearest(fake.vectors, train) / nearest(test, train)
    score = reference.score(fake, seed=0).scores["memorisation"]
    assert score == pytest.approx(expected, rel=1e-6)
    assert score > 0


def test_copies_are_memorised_and_held_out_images_are_new(digits, digits_backbone, reference):
    copies = reference.score(digits_backbone.extract(digits.train.images), 0).scores
    new = reference.score(digits_backbone.extract(digits.test.images), 0).scores
    assert copies["memorisation"] == pytest.approx(0, abs=1e-6)
    assert new["memorisation"] == pytest.approx(1, abs=1e-6)


def test_noise_is_said_to_be_outside_and_scores_at_the_floor(digits_backbone, reference):
    noise = torch.randint(256, (500, 1, 8, 8), generator=torch.Generator().manual_seed(0))
    scored = reference.score(digits_backbone.extract(noise.to(torch.uint8)), 0)
    assert scored.scores["modes_covered"] == 0
    assert scored.scores["mode_kl"] == pytest.approx(math.log(10), rel=0.01)
    assert sum(scored.class_histogram["fake"].values()) < 0.02
    assert [note for note in scored.notes if "outside the distribution" in note]
