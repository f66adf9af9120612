"""Scoring points: the real side, the rows of held-out points and noise, and pictures."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from ganbench import data
from ganbench.data.dataset import ignore_progress
from ganbench.data.points import mixture_of
from ganbench.errors import UsageError
from ganbench.scoring.backbones.backbone import obtain_backbone
from ganbench.scoring.draw_points import PANEL, PANEL_LEFT, PANEL_TOP, Canvas, picture
from ganbench.scoring.reference import Reference
from ganbench.scoring.reference_rows import reference_rows

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def ring(cache):
    return data.load("ring8", data_root=cache, cache_root=cache, image_size=64)


@pytest.fixture(scope="module")
def reference(ring, cache):
    backbone = obtain_backbone("auto", ring, CPU, cache)
    return Reference.of(ring, backbone, cache, ignore_progress)


def test_points_are_described_by_themselves_without_a_file_in_the_cache(reference, cache):
    assert torch.equal(reference.real.vectors, reference.dataset.train.images)
    assert not (cache / "features").exists()
    protocol = reference.protocol()
    assert (protocol.backbone, protocol.resolution, protocol.resize) == ("points", 0, "none")
    assert (protocol.real_count, protocol.fake_count) == (100_000, 2500)
    assert protocol.classifier_accuracy == 1  # the modes of the ring lie 77 deviations apart


def test_a_backbone_for_images_is_refused(ring, tmp_path):
    with pytest.raises(UsageError, match="inception describes images, and ring8 holds points"):
        obtain_backbone("inception", ring, CPU, tmp_path)


def test_a_generator_that_lost_modes_and_scatters_scores_as_counted_by_hand(reference):
    stream = torch.Generator().manual_seed(0)
    points = reference.dataset.test.images[:500].clone()
    labels = reference.dataset.test.labels[:500]
    points = points[labels < 5]
    points[::4] += torch.randn(points[::4].shape, generator=stream)
    scores = reference.score(reference.features_of(points), seed=0).scores

    angles = np.arange(8) * np.pi / 4
    centres = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    distances = cdist(points.numpy().astype(float), centres) / 0.01
    is_high = distances.min(axis=1) < 3
    counts = np.bincount(distances.argmin(axis=1)[is_high], minlength=8)
    shares = counts[counts > 0] / counts.sum()
    assert scores["high_quality"] == pytest.approx(is_high.mean())
    assert scores["modes_covered"] == 5 == (counts > 0).sum()
    assert scores["mode_kl"] == pytest.approx((shares * np.log(shares * 8)).sum())


def test_held_out_points_are_good_and_noise_is_not(reference, tmp_path):
    rows = reference_rows(reference, 64, tmp_path)
    assert set(rows) == {"held-out real points", "untrained generator", "noise"}
    real, noise = rows["held-out real points"]["scores"], rows["noise"]["scores"]
    assert rows["noise"]["images"] == 2500
    assert real["high_quality"] == pytest.approx(1 - math.exp(-4.5), abs=0.01)
    assert real["modes_covered"] == real["modes_total"] == 8
    assert noise["high_quality"] < 0.02
    assert real["fid"] < 0.01 < noise["fid"]
    assert real["coverage"] > 0.9 > noise["coverage"]
    assert real["prompt_alignment"] is None


# --- Pictures ---


def test_good_points_are_blue_at_their_place_and_others_orange():
    canvas = Canvas(mixture_of("grid25"))
    panel = canvas.panel(torch.tensor([[4.0, 2.0]] * 20 + [[1.0, -3.0]] * 20), "some")

    def at(x, y):
        scale = PANEL / 2 / canvas.reach
        middle = PANEL_LEFT + PANEL / 2, PANEL_TOP + PANEL / 2
        return panel.getpixel((round(middle[0] + x * scale), round(middle[1] - y * scale)))

    good, bad, nothing = at(4, 2), at(1, -3), at(-3, 3)
    assert good[2] > good[0] + 60
    assert bad[0] > bad[2] + 60
    assert nothing == (255, 255, 255)


def test_the_axes_are_those_of_the_modes_whatever_is_drawn():
    canvas = Canvas(mixture_of("ring8"))
    real = mixture_of("ring8").centres
    near, far = (picture(canvas, real, real * factor, "generated") for factor in (1, 50))
    half = near.width // 2
    assert near.size == far.size
    left = (0, 0, half, near.height)
    assert near.crop(left).tobytes() == far.crop(left).tobytes()
    assert canvas.reach == pytest.approx(1.35)


def test_many_dimensions_are_projected_where_the_centres_lie_farthest_apart():
    mixture = mixture_of("gauss1200")
    flat = Canvas(mixture).on_plane(mixture.centres)
    centred = mixture.centres.double().numpy()
    centred = centred - centred.mean(axis=0)
    largest = np.linalg.eigvalsh(centred @ centred.T)[::-1]
    np.testing.assert_allclose((flat**2).sum(axis=0), largest[:2], rtol=1e-6)
