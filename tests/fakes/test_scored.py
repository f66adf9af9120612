"""Scores of images of anyone: those that a run with these images would have."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from command_line import ganbench, one_line
from scipy import linalg

from ganbench.data.dataset import ignore_progress
from ganbench.errors import DataError, UsageError
from ganbench.fakes.real import dataset_of_array, real_dataset
from ganbench.fakes.scored import score_source
from ganbench.fakes.source import open_source
from ganbench.scoring.reference import Reference


@pytest.fixture(scope="module")
def reference(digits, digits_backbone, cache_root):
    return Reference.of(digits, digits_backbone, cache_root, ignore_progress)


def frechet(real, fake):
    """The distance, by a matrix square root in float64."""
    means = real.mean(0), fake.mean(0)
    covariances = np.cov(real, rowvar=False), np.cov(fake, rowvar=False)
    root = linalg.sqrtm(covariances[0] @ covariances[1])
    trace = np.trace(covariances[0] + covariances[1] - 2 * root.real)
    return float(((means[0] - means[1]) ** 2).sum() + trace)


@pytest.fixture(scope="module")
def scored(reference, cache_root, digits):
    images = digits.test.images[:60].numpy()
    return score_source(open_source(images), reference, cache_root=cache_root)


def test_fewer_images_than_a_run_draws_are_another_protocol(scored, reference):
    assert scored.images == scored.protocol.fake_count == 60
    assert scored.protocol.hash != reference.protocol().hash
    assert replace(reference, limit=10**9).protocol().hash == reference.protocol().hash
    assert any("60 images are scored, where a run draws 1,438" in note for note in scored.notes)


def test_the_reference_rows_are_of_as_many_images(scored):
    assert [row["images"] for row in scored.references.values()] == [60, 60, 60]
    assert list(scored.references) == ["held-out real images", "untrained generator", "noise"]


def test_the_fid_is_the_frechet_distance_of_features(scored, digits, digits_backbone):
    real = digits_backbone.extract(digits.train.images).vectors.double().numpy()
    fake = digits_backbone.extract(digits.test.images[:60]).vectors.double().numpy()
    assert scored.scores["fid"] == pytest.approx(frechet(real, fake), rel=1e-3, abs=1e-3)


def test_scores_are_json_for_scripts(scored):
    values = json.loads(scored.to_json())
    assert values["scores"]["fid"] == scored.scores["fid"]
    assert values["protocol"]["hash"] == scored.protocol.hash
    assert values["protocol"]["dataset"] == "digits"


def test_too_few_images_are_refused(reference, cache_root):
    source = open_source(np.zeros((9, 8, 8), np.uint8))
    with pytest.raises(UsageError, match="holds 9 images: give 10 or more, and 1,438"):
        score_source(source, reference, cache_root=cache_root)


# --- What they are compared with


def test_a_tenth_of_an_array_is_held_out():
    array = np.random.default_rng(0).integers(0, 256, (50, 9, 9, 3), np.uint8)
    dataset = dataset_of_array(array, "faces.npy")
    assert (len(dataset.train), len(dataset.test)) == (45, 5)
    together = torch.cat([dataset.train.images, dataset.test.images]).permute(0, 2, 3, 1)
    assert {each.numpy().tobytes() for each in together} == {each.tobytes() for each in array}
    assert dataset.spec.class_names == ("image",)
    assert dataset.fingerprint == dataset_of_array(array, "others.npy").fingerprint


def test_large_images_of_an_array_are_read_as_those_of_a_folder_are():
    assert dataset_of_array(np.zeros((30, 96, 96), np.uint8), "a").spec.native_size == 64


def test_an_array_of_few_images_is_no_reference():
    with pytest.raises(DataError, match="at least 20"):
        dataset_of_array(np.zeros((19, 8, 8), np.uint8), "a")


@pytest.mark.parametrize("against", ["digit", "missing/folder"])
def test_a_reference_that_is_not_there_is_refused(against, tmp_path):
    with pytest.raises(UsageError, match="unknown reference"):
        real_dataset(against, data_root=tmp_path, cache_root=tmp_path, report=ignore_progress)


# --- The command


def test_the_command_refuses_in_one_line(tmp_path, capsys):
    np.save(tmp_path / "wide.npy", np.full((20, 8, 8), 7.0))
    for arguments in (("missing", "digits"), (tmp_path / "wide.npy", "digit")):
        assert ganbench("score", arguments[0], "--against", arguments[1]) == 2
        one_line(capsys)


@pytest.mark.slow
def test_the_command_scores_an_array_against_digits(tmp_path, capsys, digits):
    np.save(tmp_path / "fakes.npy", digits.train.images.numpy() / np.float32(127.5) - 1)
    assert ganbench("score", tmp_path / "fakes.npy", "--against", "digits", "--json") == 0
    values = json.loads(capsys.readouterr().out)
    assert values["images"] == 1438
    assert values["scores"]["fid"] == pytest.approx(0, abs=1e-3)
    assert values["scores"]["memorisation"] == pytest.approx(0, abs=1e-3)
    assert ganbench("score", tmp_path / "fakes.npy", "--against", "digits") == 0
    shown = capsys.readouterr().out
    assert "noise" in shown
    assert values["protocol"]["hash"] in shown
