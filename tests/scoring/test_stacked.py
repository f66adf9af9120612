"""Scores of stacked digits, by the protocol of published tables."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from ganbench import data
from ganbench.data.catalogue import SPECS
from ganbench.data.dataset import Split, ignore_progress
from ganbench.data.sizes import bring_to
from ganbench.data.stacked import stack
from ganbench.experiment.plan import make
from ganbench.experiment.suite import Suite
from ganbench.launch.resources import build_session
from ganbench.machine.device import choose
from ganbench.scoring.backbones.backbone import obtain_backbone
from ganbench.scoring.evaluate import evaluate
from ganbench.scoring.reference import STACKED_COUNT, Reference
from ganbench.scoring.reference_rows import HELD_OUT, NOISE, reference_rows

SPEC = dataclasses.replace(SPECS["stacked-digits"], train_count=300, test_count=200)


def reference_of(dataset, cache_root):
    backbone = obtain_backbone("classifier", dataset, torch.device("cpu"), cache_root)
    return Reference.of(dataset, backbone, cache_root, ignore_progress)


@pytest.fixture(scope="module")
def reference(digits, cache_root):
    return reference_of(stack(SPEC, digits, cache_root), cache_root)


def triples_named(images, digits_backbone) -> list[tuple[int, ...]]:
    """What each image shows, as the classifier of single digits names its channels one by one."""
    named = [
        digits_backbone.extract(images[:, channel : channel + 1]).probabilities.argmax(dim=1)
        for channel in range(3)
    ]
    return list(zip(*(some.tolist() for some in named), strict=True))


def test_modes_and_their_divergence_are_those_of_an_independent_count(reference, digits_backbone):
    images = reference.dataset.test.images
    scores = reference.score(reference.features_of(images), 0).scores
    shown, counts = np.unique(triples_named(images, digits_backbone), axis=0, return_counts=True)
    shares = counts / len(images)
    assert scores["modes_covered"] == len(shown)
    assert scores["modes_total"] == 1000
    assert scores["mode_kl"] == pytest.approx((shares * np.log(shares * 1000)).sum())
    assert scores["mode_entropy"] == pytest.approx(-(shares * np.log(shares)).sum())


def test_one_image_repeated_is_one_mode(reference):
    one = reference.dataset.test.images[:1].expand(20, -1, -1, -1)
    scores = reference.score(reference.features_of(one), 0).scores
    assert scores["modes_covered"] == 1
    assert scores["mode_kl"] == pytest.approx(np.log(1000))


def test_noise_finds_modes_by_argmax_and_none_by_the_strict_rule(reference, tmp_path):
    rows = reference_rows(reference, 8, tmp_path)
    real, noise = rows[HELD_OUT]["scores"], rows[NOISE]["scores"]
    assert noise["modes_covered"] > 20
    assert noise["modes_covered_strict"] == 0
    assert real["modes_covered_strict"] > 20
    assert real["fid"] < noise["fid"]
    assert real["prompt_alignment"] > 0.9
    assert real["manifold_precision"] is real["manifold_recall"] is None


def test_the_protocol_says_how_modes_were_counted(reference, digits, digits_backbone, cache_root):
    protocol = reference.protocol()
    assert protocol.modes_rule == "argmax of each channel, one image or more"
    assert protocol.classifier_accuracy == digits_backbone.classifier.accuracy
    assert protocol.fake_count == reference.fake_count == 300
    other = Reference.of(digits, digits_backbone, cache_root, ignore_progress).protocol()
    assert other.modes_rule == "share"


def test_a_generator_draws_26_images_a_mode(reference):
    large = dataclasses.replace(reference.dataset.train, labels=torch.zeros(128_000))
    dataset = dataclasses.replace(reference.dataset, train=large)
    assert dataclasses.replace(reference, dataset=dataset).fake_count == STACKED_COUNT == 26_000


@pytest.mark.slow
def test_held_out_triples_show_every_mode(digits_backbone, cache_root):
    dataset = data.load(
        "stacked-digits", data_root=cache_root, cache_root=cache_root, image_size=16
    )
    row = reference_rows(reference_of(dataset, cache_root), 16, cache_root)
    scores = row[f"{HELD_OUT} through 16×16"]["scores"]
    shown = set(triples_named(dataset.test.images, digits_backbone))
    assert scores["modes_covered"] == len(shown)
    assert len(shown) >= 999
    assert scores["mode_kl"] < 0.05


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cgan", "acgan", "texthash"])
def test_variants_that_know_the_class_are_scored_on_each_of_a_thousand(name, reference, tmp_path):
    size = "16" if name != "cgan" else "32"
    small = {"image_size": size, "batch_size": "8", "generator_width": "4",
             "discriminator_width": "4"}  # fmt: skip
    suite = Suite(
        variants=(name,),
        dataset="stacked-digits",
        budget="1steps",
        set=tuple(f"{key}={value}" for key, value in small.items()),
    )
    (job,) = make(suite, device="cpu", data_root=tmp_path).jobs
    train = Split(
        bring_to(reference.dataset.train.images, job.image_size), reference.dataset.train.labels
    )
    device = choose("cpu")
    session = build_session(job, train, device)
    done = evaluate(session, reference, device, ignore_progress)
    assert 0 <= done.scores["prompt_alignment"] <= 0.1  # untrained: a thousandth by chance
    assert done.scores["intra_fid"] is None
    assert len(done.class_scores) == 1000
    assert done.scores["modes_covered"] >= 1
