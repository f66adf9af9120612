"""The rows beside which generators are read: real images, an untrained generator, and noise."""

from __future__ import annotations

import json

import pytest
import torch

from ganbench.data import cache
from ganbench.data.dataset import ignore_progress
from ganbench.data.sizes import bring_to
from ganbench.scoring.reference import Reference
from ganbench.scoring.reference_rows import (
    HELD_OUT,
    NOISE,
    UNTRAINED,
    reference_rows,
    untrained_images,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def reference(digits, digits_backbone, cache_root):
    return Reference.of(digits, digits_backbone, cache_root, ignore_progress)


def test_a_size_that_loses_nothing_scores_as_the_held_out_images_do(reference, tmp_path):
    native = reference_rows(reference, 8, tmp_path)
    through = reference_rows(reference, 32, tmp_path)
    assert list(native) == [HELD_OUT, UNTRAINED, NOISE]
    assert list(through) == [f"{HELD_OUT} through 32×32", UNTRAINED, NOISE]
    scores, same = native[HELD_OUT]["scores"], through[f"{HELD_OUT} through 32×32"]["scores"]
    assert same["fid"] == pytest.approx(scores["fid"], rel=0.01)
    for name in ("recall", "coverage", "precision"):
        assert same[name] == pytest.approx(scores[name], abs=0.01)


def test_held_out_images_are_the_best_that_there_is_and_noise_is_far_off(reference, tmp_path):
    rows = reference_rows(reference, 28, tmp_path)
    real, noise = rows[f"{HELD_OUT} through 28×28"], rows[NOISE]
    assert real["images"] == len(reference.dataset.test) == 359
    assert noise["images"] == len(reference.dataset.train) == 1438
    assert real["scores"]["modes_covered"] == 10
    assert real["scores"]["coverage"] > 10 * noise["scores"]["coverage"]
    assert noise["scores"]["fid"] > 100 * real["scores"]["fid"]
    untrained = rows[UNTRAINED]
    assert untrained["images"] == 1438
    assert untrained["scores"]["fid"] > 100 * real["scores"]["fid"]
    assert untrained["scores"]["modes_covered"] == untrained["scores"]["recall"] == 0
    named = reference.backbone.extract(reference.dataset.test.images).probabilities.argmax(1)
    right = float((named == reference.dataset.test.labels).double().mean())
    assert real["scores"]["prompt_alignment"] == pytest.approx(right, abs=0.006)


def test_a_size_that_cannot_hold_the_images_shows_what_it_loses(digits, digits_backbone, tmp_path):
    small = Reference.of(digits, digits_backbone, tmp_path, ignore_progress)
    rows = reference_rows(small, 4, tmp_path)
    assert (
        rows[f"{HELD_OUT} through 4×4"]["scores"]["fid"]
        > 3 * (reference_rows(small, 8, tmp_path)[HELD_OUT]["scores"]["fid"])
    )


def test_rows_are_computed_once_and_again_where_the_file_is_damaged(reference, tmp_path):
    first = reference_rows(reference, 8, tmp_path)
    files = sorted((tmp_path / "references").glob("*.json"))
    assert len(files) == 3
    stored = json.loads(cache.read_text(files[0]))
    stored["images"] = 7
    cache.write_text(files[0], json.dumps(stored))
    assert 7 in [row["images"] for row in reference_rows(reference, 8, tmp_path).values()]
    files[0].write_text("{", encoding="utf-8")
    assert reference_rows(reference, 8, tmp_path) == first


def test_rows_that_lack_a_score_of_this_version_are_computed_again(reference, tmp_path):
    first = reference_rows(reference, 8, tmp_path)
    for file in (tmp_path / "references").glob("*.json"):
        stored = json.loads(cache.read_text(file))
        del stored["scores"]["mind"]
        cache.write_text(file, json.dumps(stored))
    assert reference_rows(reference, 8, tmp_path) == first


def test_an_untrained_generator_draws_all_but_one_grey_image(reference):
    images = untrained_images(reference)
    assert images.dtype == torch.uint8
    assert images.shape == reference.dataset.train.images.shape == (1438, 1, 8, 8)
    assert images.double().mean() == pytest.approx(127.5, abs=8)
    assert images.double().std(0).max() < 24  # of real ones: 104


def test_the_untrained_generator_draws_the_same_whatever_threads_and_random_numbers(reference):
    first, threads = untrained_images(reference), torch.get_num_threads()
    torch.set_num_threads(2 if threads == 1 else 1)
    torch.manual_seed(5)
    state = torch.random.get_rng_state()
    try:
        again = untrained_images(reference)
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(again, first)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_generated_images_are_scored_at_the_stored_size(reference):
    """What a perfect generator of 32 pixels draws scores as the real images themselves."""
    images = reference.dataset.test.images[:40]
    large = reference.features_of(bring_to(images, 32))
    assert torch.equal(large.vectors, reference.backbone.extract(images).vectors)
