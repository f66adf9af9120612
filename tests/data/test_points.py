"""Points of mixtures whose modes are known: where they lie, and that they never change."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.spatial.distance import mahalanobis
from scipy.stats import chi2

from ganbench import data
from ganbench.data.kinds import IMAGES, POINTS, form_of
from ganbench.data.points import Mixture, mixture_of
from ganbench.machine.device import choose
from ganbench.training.batches import Resident, Streamed


@pytest.fixture(scope="module")
def ring(tmp_path_factory):
    root = tmp_path_factory.mktemp("no data")
    return data.load("ring8", data_root=root, cache_root=root, image_size=64)


def test_the_ring_has_eight_modes_at_equal_angles_on_the_unit_circle():
    found = {tuple(np.round(centre, 4)) for centre in mixture_of("ring8").centres.numpy()}
    half = round(math.sqrt(0.5), 4)
    corners = {(x, y) for x in (half, -half) for y in (half, -half)}
    axes = {(1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)}
    as_float32 = {tuple(np.round(np.float32(pair), 4)) for pair in corners | axes}
    assert found == as_float32


def test_the_grid_has_a_mode_at_each_pair_of_even_numbers_up_to_four():
    found = {tuple(centre) for centre in mixture_of("grid25").centres.tolist()}
    assert found == {(x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)}


def test_points_scatter_around_the_modes_that_their_labels_name(ring):
    points, labels = ring.train.images, ring.train.labels
    assert points.shape == (100_000, 2)
    assert points.dtype == torch.float32
    for label in range(8):
        angle = label * math.pi / 4
        own = points[labels == label].double()
        assert len(own) == pytest.approx(100_000 / 8, rel=0.04)
        centre = torch.tensor([math.cos(angle), math.sin(angle)], dtype=torch.float64)
        torch.testing.assert_close(own.mean(0), centre, atol=5e-4, rtol=0)
        torch.testing.assert_close(own.std(0), torch.full_like(centre, 0.01), atol=0, rtol=0.05)


def test_the_same_points_are_drawn_each_time_and_held_out_ones_are_others(ring, tmp_path):
    again = data.load("ring8", data_root=tmp_path, cache_root=tmp_path, image_size=8)
    assert again.fingerprint == ring.fingerprint
    assert len(ring.test) == 10_000
    gaps = torch.cdist(ring.test.images[:200].double(), ring.train.images[:20_000].double())
    assert float(gaps.min()) > 0


def test_seven_hundred_of_twelve_hundred_dimensions_carry_the_modes():
    mixture = mixture_of("gauss1200")
    points, labels = mixture.draw(1000, torch.Generator().manual_seed(0))
    around = (points - mixture.centres[labels]).double()
    assert mixture.centres.shape == (10, 1200)
    assert bool((around[:, 700:] == 0).all())
    assert float(around[:, :700].std()) == pytest.approx(1, abs=0.01)
    nearest, modes = mixture.nearest(points)
    assert torch.equal(modes, labels)
    assert float((nearest < mixture.threshold).double().mean()) == pytest.approx(0.989, abs=0.015)


def test_as_large_a_share_of_points_is_of_high_quality_in_any_number_of_dimensions():
    share = chi2.cdf(3.0**2, df=2)
    assert mixture_of("ring8").threshold == 3
    expected = math.sqrt(chi2.ppf(share, df=700))
    assert mixture_of("gauss1200").threshold == pytest.approx(expected, abs=1e-3)


def test_the_distance_to_the_nearest_centre_is_scipys_mahalanobis():
    centres, deviations = torch.tensor([[0.0, 0.0], [3.0, 1.0]]), torch.tensor([0.5, 2.0])
    mixture = Mixture(centres, deviations)
    points = torch.randn(20, 2, generator=torch.Generator().manual_seed(0)) * 3
    inverse = np.diag(1 / np.array([0.5, 2.0]) ** 2)
    expected = [
        [mahalanobis(point, centre, inverse) for centre in centres.numpy()]
        for point in points.numpy()
    ]
    distances, modes = mixture.nearest(points)
    np.testing.assert_allclose(distances.numpy(), np.min(expected, axis=1), rtol=1e-5)
    np.testing.assert_array_equal(modes.numpy(), np.argmin(expected, axis=1))


def test_points_stay_as_they_are_on_their_way_to_the_networks_and_back(ring):
    form, points = form_of(ring.spec), ring.test.images[:5]
    for way in (form.to_floats, form.to_stored):
        assert torch.equal(way(points), points)
    for way in (form.at_size, form.from_size):
        assert torch.equal(way(points, 64), points)
    assert ring.spec.shape(64) == (2,)


def test_images_are_brought_from_whole_grey_values_to_between_minus_one_and_one():
    grey = torch.arange(256, dtype=torch.uint8).reshape(1, 1, 16, 16)
    floats = IMAGES.to_floats(grey)
    assert (float(floats.min()), float(floats.max())) == (-1, 1)
    assert torch.equal(IMAGES.to_stored(floats), grey)
    assert IMAGES.is_bounded
    assert not POINTS.is_bounded


def test_streamed_points_are_the_resident_ones(ring):
    resident = Resident(ring.train, 3, labelled=True)
    streamed = Streamed(ring.train, 3, choose("cpu"), labelled=True)
    for start in (0, 100):
        points, labels = resident.take(start, 100)
        others, others_labels = streamed.take(start, 100)
        assert torch.equal(points, others)
        assert torch.equal(labels, others_labels)
        assert points.shape == (100, 2)
    assert torch.equal(resident.first(7), streamed.first(7))


def test_runs_on_images_keep_the_names_that_they_had_before_there_were_points(tmp_path):
    fields = data.describe("mnist", tmp_path).fields
    assert set(fields) == {
        "name", "channels", "native_size", "class_names", "train_count", "test_count", "caption",
    }  # fmt: skip
    assert data.describe("ring8", tmp_path).fields["kind"] == "points"


@pytest.mark.parametrize("name", ["ring8", "grid25", "gauss1200"])
def test_no_point_in_the_middle_of_two_modes_is_of_high_quality(name):
    mixture = mixture_of(name)
    first, second = torch.triu_indices(*[len(mixture.centres)] * 2, offset=1)
    middles = (mixture.centres[first] + mixture.centres[second]) / 2
    distances, _ = mixture.nearest(middles)
    is_centre = (torch.cdist(middles, mixture.centres) < 1e-3).any(dim=1)  # on a grid, some are
    assert float(distances[~is_centre].min()) > mixture.threshold
