"""All scores: floors, ceilings, small cases, seeds and bad input."""

import math
from dataclasses import replace

import pytest
import torch
from metrics_doubles import CLASSES, certain, clusters, digits

from ganbench.scoring.metrics.all_scores import score
from ganbench.scoring.metrics.catalogue import SCORES
from ganbench.scoring.metrics.fid import Statistics
from ganbench.scoring.metrics.real_side import RealSide


def all_scores(real, fake, **options):
    return score(real, fake, real_labels=real.labels, **{"backbone": "classifier", **options})


@pytest.fixture(scope="module", params=["clusters", "digits"])
def splits(request):
    """A training split and real held-out images: drawn at random, and handwritten digits."""
    return digits() if request.param == "digits" else (clusters(500, 0), clusters(500, 1))


def test_one_repeated_image_is_at_the_floor_of_every_score_of_diversity(splits):
    real, held_out = splits
    fake = held_out.repeat(5, len(held_out.labels))
    scores = all_scores(real, fake, held_out=held_out).scores
    assert scores["modes_covered"] == scores["modes_covered_strict"] == 1
    assert scores["modes_total"] == CLASSES
    assert scores["mode_kl"] == pytest.approx(math.log(CLASSES), rel=0.05)
    assert scores["mode_entropy"] == 0
    assert scores["diversity"] == pytest.approx(0, abs=1e-6)
    assert scores["recall"] <= 0.005
    assert scores["coverage"] <= 0.03
    assert scores["vendi"] == pytest.approx(1, abs=1e-6)
    assert scores["duplicates"] == 1
    ceiling = all_scores(real, held_out).scores
    for distance in ("fid", "fid_infinity", "kid"):
        assert scores[distance] > 20 * abs(ceiling[distance])


def test_real_held_out_images_are_near_the_ceiling_of_every_score(splits):
    real, held_out = splits
    scores = all_scores(real, held_out, held_out=held_out).scores
    assert scores["modes_covered"] == scores["modes_covered_strict"] == CLASSES
    assert scores["mode_kl"] < 0.01
    assert scores["mode_entropy"] > 0.99 * math.log(CLASSES)
    assert 0.95 < scores["diversity"] <= 1
    assert scores["precision"] > 0.75
    assert scores["recall"] > 0.75
    assert scores["coverage"] > 0.95
    assert scores["density"] == pytest.approx(1, abs=0.1)
    assert scores["duplicates"] < 0.03
    assert scores["memorisation"] == 1
    assert scores["vendi"] == pytest.approx(all_scores(real, real).scores["vendi"], rel=0.1)
    spread = float(Statistics.of(real.vectors).covariance.trace())
    assert scores["fid"] < 0.02 * spread
    assert abs(scores["fid_infinity"]) < 0.02 * spread
    assert abs(scores["kid"]) < 3 * scores["kid_standard_error"]


def test_only_memorisation_tells_the_training_set_from_new_images(splits):
    real, held_out = splits
    copied = all_scores(real, real, held_out=held_out).scores
    assert copied["memorisation"] == pytest.approx(0, abs=1e-3)
    for name in ("diversity", "precision", "recall", "coverage"):
        assert copied[name] >= 0.99


def test_every_column_is_there_and_none_stands_for_what_does_not_apply():
    real, fake = clusters(300, 0), clusters(200, 1)
    computed = all_scores(real, fake)
    assert tuple(computed.scores) == SCORES
    missing = {name for name, value in computed.scores.items() if value is None}
    assert missing == {
        "prompt_alignment", "intra_fid", "inception_score", "memorisation", "high_quality",
        "manifold_precision", "manifold_recall",
    }  # fmt: skip
    assert computed.neighbour_count == 200
    assert all(type(value) in (int, float, type(None)) for value in computed.scores.values())


def test_histograms_give_the_share_of_each_class():
    real, fake = clusters(300, 0), clusters(200, 1)
    histogram = all_scores(real, fake[fake.labels < 4]).class_histogram
    assert histogram["real"] == pytest.approx({str(index): 0.1 for index in range(10)})
    assert histogram["fake"] == pytest.approx({str(i): 0.25 if i < 4 else 0 for i in range(10)})


def test_the_inception_score_needs_logits_and_the_inception_backbone():
    real, fake = clusters(100, 0), clusters(2000, 1)
    sure = replace(fake, logits=50 * torch.nn.functional.one_hot(fake.labels, 20).float())
    assert all_scores(real, sure, backbone="classifier").scores["inception_score"] is None
    assert all_scores(real, fake, backbone="inception").scores["inception_score"] is None
    score = all_scores(real, sure, backbone="inception").scores["inception_score"]
    assert score == pytest.approx(10, rel=0.02)  # ten classes, each surely named, equally frequent


def test_the_same_seed_gives_the_same_panel_and_known_numbers_change_nothing():
    real, fake, held_out = clusters(400, 0), clusters(300, 1), clusters(200, 2)
    first = all_scores(real, fake, held_out=held_out, seed=4)
    assert all_scores(real, fake, held_out=held_out, seed=4) == first
    statistics = Statistics.of(real.vectors)
    assert all_scores(real, fake, held_out=held_out, seed=4, real_statistics=statistics) == first
    side = RealSide.of(real.vectors, 300, held_out.vectors, seed=4, has_kid=True)
    assert all_scores(real, fake, held_out=held_out, seed=4, real_side=side) == first
    other = all_scores(real, fake, held_out=held_out, seed=5).scores
    assert other["kid"] != first.scores["kid"]
    assert other["fid"] == first.scores["fid"]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 25])
@pytest.mark.parametrize("real_count", [1, 2, 6, 60])
def test_few_images_give_fewer_scores_and_no_error(count, real_count):
    scores = all_scores(clusters(real_count, 0), clusters(count, 1), held_out=clusters(3, 2)).scores
    assert (scores["fid"] is None) == (min(count, real_count) < 2)
    assert (scores["kid"] is None) == (min(count, real_count) < 4)
    assert (scores["recall"] is None) == (min(count, real_count) <= 3)
    assert (scores["coverage"] is None) == (min(count, real_count) <= 5)
    assert scores["fid_infinity"] is None
    assert all(math.isfinite(value) for value in scores.values() if value is not None)


def test_a_dataset_of_one_class_can_be_scored():
    real, fake = (clusters(100, seed, classes=1) for seed in (0, 1))
    scores = all_scores(real, fake).scores
    assert (scores["modes_covered"], scores["modes_total"]) == (1, 1)
    assert (scores["mode_kl"], scores["mode_entropy"]) == (0, 0)
    assert scores["diversity"] > 0.9


def test_a_class_that_is_missing_among_the_real_images_is_no_mode():
    real, fake = clusters(500, 0), clusters(500, 1)
    computed = all_scores(real[real.labels != 3], fake)
    assert (computed.scores["modes_covered"], computed.scores["modes_total"]) == (9, 9)
    assert math.isfinite(computed.scores["mode_kl"])
    assert computed.scores["diversity"] > 0.9
    assert computed.class_histogram["real"]["3"] == 0


def test_features_that_never_vary_can_be_scored():
    real, fake = clusters(50, 0), clusters(50, 1)
    flat = replace(real, vectors=torch.zeros(50, 16))
    scores = all_scores(flat, replace(fake, vectors=torch.zeros(50, 16)), held_out=flat).scores
    assert (scores["fid"], scores["diversity"], scores["memorisation"]) == (0, None, None)
    assert scores["vendi"] == 1


def test_bad_features_are_refused_in_one_line():
    real, fake = clusters(50, 0), clusters(40, 1)
    broken = fake.vectors.clone()
    broken[0] = math.nan
    for bad, message in (
        (replace(fake, vectors=broken), "generated features hold NaN or infinity in 1 of 40 rows"),
        (replace(fake, vectors=fake.vectors[:, :3]), "16 entries per image and generated ones 3"),
        (replace(fake, vectors=fake.vectors[:9]), "9 feature vectors and 40 rows of probabilities"),
        (replace(fake, vectors=fake.vectors[:0]), r"shape \(0, 16\)"),
        (replace(fake, probabilities=certain(fake.labels)[:, :5]), "classes 0 to 4"),
    ):
        with pytest.raises(ValueError, match=message):
            all_scores(real, bad)
    with pytest.raises(ValueError, match="one integer for each of 50 images"):
        score(real, fake, real_labels=real.labels[:9], backbone="classifier")
    with pytest.raises(ValueError, match="16 entries per image and generated ones 2"):
        all_scores(real, fake, held_out=replace(fake, vectors=fake.vectors[:, :2]))
