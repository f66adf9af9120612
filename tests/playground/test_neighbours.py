"""The nearest training images: in pixels, in features, and of points."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import results_doubles
import torch

from ganbench.errors import UsageError
from ganbench.experiment.store import StoredRun
from ganbench.playground import neighbours
from ganbench.playground.neighbours import TrainingImages, nearest_rows


def training_images(tmp_path, cache_root, dataset="digits", **changes):
    record = results_doubles.result("mlp", dataset=dataset, recipe={"image_size": 16}, **changes)
    return TrainingImages(StoredRun(record, tmp_path), cache_root, cache_root, torch.device("cpu"))


def test_nearest_rows_are_those_of_the_least_distance():
    others = np.random.default_rng(0).integers(0, 256, (5000, 1, 4, 4), dtype=np.uint8)
    one = others[17] // 2
    far = np.sqrt(((others.astype(float) - one) ** 2).sum(axis=(1, 2, 3)))
    rows, distances = nearest_rows(torch.from_numpy(one), torch.from_numpy(others), 3)
    assert rows.tolist() == np.argsort(far)[:3].tolist()
    np.testing.assert_allclose(distances, np.sort(far)[:3], rtol=1e-5)


def test_there_are_no_more_neighbours_than_images():
    assert len(nearest_rows(torch.zeros(2), torch.ones(3, 2), 9)[0]) == 3


@pytest.mark.parametrize("by", ["pixels", "features", "auto"])
def test_a_training_image_at_the_runs_size_is_its_own_nearest(tmp_path, cache_root, digits, by):
    enlarged = neighbours.form_of(digits.spec).at_size(digits.train.images[5:6], 16)[0]
    near = training_images(tmp_path, cache_root).nearest(enlarged, by, 4)
    assert int(near.rows[0]) == 5
    assert float(near.distances[0]) < 0.05 < float(near.distances[1])
    assert near.classes[0] == digits.spec.class_names[int(digits.train.labels[5])]
    assert torch.equal(near.images[0], digits.train.images[5])
    assert ("pixels" in near.said) == (by == "pixels")
    assert "1,438 training images" in near.said


def test_a_white_image_differs_from_a_black_one_by_1_in_pixels(tmp_path, cache_root, digits):
    own = training_images(tmp_path, cache_root)
    train = dataclasses.replace(digits.train, images=torch.zeros(3, 1, 8, 8, dtype=torch.uint8))
    own.dataset = dataclasses.replace(digits, train=train)
    near = own.nearest(torch.full((1, 8, 8), 255, dtype=torch.uint8), "pixels", 1)
    assert float(near.distances[0]) == pytest.approx(1)


def test_features_are_refused_where_a_classifier_would_have_to_be_trained(
    tmp_path, cache_root, monkeypatch
):
    monkeypatch.setattr(neighbours, "classifier_file", lambda *_: tmp_path / "missing")
    own = training_images(tmp_path, cache_root)
    image = torch.zeros(1, 16, 16, dtype=torch.uint8)
    with pytest.raises(UsageError, match="compare in pixels"):
        own.nearest(image, "features", 2)
    assert "in pixels" in own.nearest(image, "auto", 2).said


def test_points_are_compared_as_they_are(tmp_path, cache_root):
    near = training_images(tmp_path, cache_root, "ring8").nearest(torch.zeros(2), "auto", 3)
    assert near.distances.tolist() == pytest.approx(near.images.norm(dim=1).tolist())
    assert "training points" in near.said


def test_images_that_are_not_the_runs_are_said_to_be_others(tmp_path, cache_root, digits):
    image = torch.zeros(1, 16, 16, dtype=torch.uint8)
    said = {}
    for print_ in ("0123", digits.fingerprint):
        fields = {"dataset_fingerprint": print_}
        own = training_images(tmp_path, cache_root, protocol_fields=fields)
        said[print_] = own.nearest(image, "pixels", 1).said
    assert "not those that the run was trained on" in said["0123"]
    assert "not those" not in said[digits.fingerprint]
