"""Stacked digits, described by the classifier of single ones."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from ganbench.data.catalogue import SPECS
from ganbench.data.stacked import stack
from ganbench.errors import DataError
from ganbench.scoring.backbones import backbone as backbones
from ganbench.scoring.backbones.backbone import obtain_backbone, obtain_network
from ganbench.scoring.backbones.channels import joint_probabilities
from ganbench.scoring.backbones.classifier import obtain_classifier, training_notice

SPEC = dataclasses.replace(SPECS["stacked-digits"], train_count=120, test_count=60)


@pytest.fixture(scope="module")
def stacked(digits, cache_root):
    return stack(SPEC, digits, cache_root)


@pytest.fixture(scope="module")
def stacked_backbone(stacked, cache_root):
    return obtain_backbone("classifier", stacked, torch.device("cpu"), cache_root)


def test_each_channel_is_described_alone(stacked, stacked_backbone, digits_backbone):
    images = stacked.test.images
    features = stacked_backbone.extract(images)
    alone = [digits_backbone.extract(images[:, channel : channel + 1]) for channel in range(3)]
    for name in ("vectors", "probabilities"):
        joined = torch.cat([getattr(one, name) for one in alone], dim=1)
        assert torch.allclose(getattr(features, name), joined, atol=1e-6)
    farthest = torch.stack([one.distances for one in alone]).amax(dim=0)
    assert torch.allclose(features.distances, farthest, rtol=1e-5)
    inside = torch.stack([one.inside for one in alone]).all(dim=0)
    assert torch.equal(features.inside, inside)


def test_a_class_is_as_likely_as_its_three_digits_together():
    given = torch.rand(4, 30, generator=torch.Generator().manual_seed(0))
    joint = joint_probabilities(given)
    assert joint.shape == (4, 1000)
    for label in (0, 7, 90, 123, 560, 999):
        red, green, blue = (int(digit) for digit in f"{label:03}")
        product = given[:, red] * given[:, 10 + green] * given[:, 20 + blue]
        assert torch.allclose(joint[:, label], product)


def test_the_classifier_is_that_of_single_digits_and_never_trained(
    stacked, digits_backbone, tmp_path
):
    def trainer(*_):
        raise AssertionError("no classifier of 1,000 classes is ever trained")

    classifier = obtain_classifier(stacked, torch.device("cpu"), tmp_path, trainer=trainer)
    assert classifier.hash == digits_backbone.classifier.hash
    assert training_notice(stacked, tmp_path) == ""


def test_a_package_without_that_classifier_is_refused_in_one_line(stacked, tmp_path):
    with pytest.raises(DataError, match="install ganbench again"):
        obtain_classifier(stacked, torch.device("cpu"), tmp_path, published=tmp_path)


def test_unless_asked_for_inception_is_not_looked_for(monkeypatch, stacked_backbone, tmp_path):
    def no_inception(*_):
        raise AssertionError("colour here is no colour")

    monkeypatch.setattr(backbones, "obtain_inception", no_inception)
    network, why = obtain_network("auto", SPEC, tmp_path)
    assert network is None
    assert "each channel is a digit" in why
    assert stacked_backbone.name == "classifier"
