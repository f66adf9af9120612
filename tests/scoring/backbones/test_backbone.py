"""Features: what is extracted, which backbone is chosen, and what is kept."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
from pathlib import Path
from typing import get_args
from urllib.error import URLError

import pytest
import torch
from file_stamps import file_stamps
from torch import nn
from torch_fidelity.feature_extractor_inceptionv3 import (
    URL_INCEPTION_V3,
    FeatureExtractorInceptionV3,
)

from ganbench.cli.list import _BACKBONES
from ganbench.data import describe
from ganbench.data.dataset import Dataset, Split, ignore_progress, resize
from ganbench.errors import DataError, UsageError
from ganbench.experiment.suite import Suite
from ganbench.scoring.backbones import inception
from ganbench.scoring.backbones.backbone import (
    BACKBONES,
    cached_file,
    foreseen_backbone,
    obtain_backbone,
    obtain_network,
    real_features,
)
from ganbench.scoring.backbones.classifier import obtain_classifier
from ganbench.scoring.backbones.classifier_network import weights_hash
from ganbench.scoring.backbones.efficientnet import EfficientNetLite
from ganbench.scoring.reference import Reference
from ganbench.variant.definition import DatasetSpec

CPU = torch.device("cpu")


@pytest.fixture(scope="session")
def colour_and_classifier(tmp_path_factory) -> tuple[Dataset, Path]:
    """Six coloured images, and the file of their classifier."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (6, 3, 16, 16), generator=generator, dtype=torch.uint8)
    split = Split(images, torch.arange(6) % 2)
    dataset = Dataset.of(DatasetSpec("made", 3, 16, ("a", "b"), 6, 6), split, split)
    root = tmp_path_factory.mktemp("colour")
    obtain_classifier(dataset, CPU, root)
    (file,) = (root / "classifiers").iterdir()
    return dataset, file


@pytest.fixture
def colour(colour_and_classifier, tmp_path) -> Dataset:
    """Six coloured images, whose classifier is in a cache at `tmp_path`."""
    dataset, file = colour_and_classifier
    (tmp_path / "classifiers").mkdir()
    shutil.copy(file, tmp_path / "classifiers")
    return dataset


class InceptionWithoutWeights(FeatureExtractorInceptionV3):
    """torch-fidelity's network with its initial weights, whatever the file holds."""

    def load_state_dict(self, *_weights):
        return


@pytest.fixture(scope="session")
def random_inception(tmp_path_factory) -> tuple[nn.Module, object]:
    """Inception with random weights, and a file that holds them."""
    file = tmp_path_factory.mktemp("inception") / "weights.pth"
    torch.save({}, file)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = InceptionWithoutWeights("random", ["2048", "logits_unbiased"], str(file))
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)  # activations neither grow nor vanish
            elif isinstance(module, nn.BatchNorm2d):  # statistics that do something
                nn.init.uniform_(module.running_var, 0.5, 1.5)
                nn.init.normal_(module.running_mean, 0, 0.1)
                nn.init.normal_(module.bias, 0, 0.1)
    torch.save(network.state_dict(), file)
    return network, file


@pytest.fixture
def no_network(monkeypatch, tmp_path):
    """Nothing answers, and torch's own cache is empty."""

    def fail(*_args, **_kwargs):
        raise URLError("Name or service not known")

    monkeypatch.setattr("ganbench.data.download.urlopen", fail)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))


# --- what is extracted


def test_the_classifier_gives_features_and_probabilities_in_one_pass(digits, digits_backbone):
    extracted = digits_backbone.extract(digits.test.images)
    assert extracted.vectors.shape == (359, 128)
    assert extracted.probabilities.shape == (359, 10)
    assert extracted.logits is None
    assert extracted.vectors.dtype == extracted.probabilities.dtype == torch.float32
    assert torch.allclose(extracted.probabilities.sum(1), torch.ones(359), atol=1e-5)
    head = digits_backbone.classifier.network.head
    expected = (extracted.vectors @ head.weight.T + head.bias).softmax(1)
    assert torch.allclose(extracted.probabilities, expected, atol=1e-5)


def test_probabilities_agree_with_the_stored_accuracy(digits, digits_backbone):
    named = digits_backbone.extract(digits.test.images).probabilities.argmax(1)
    right = float((named == digits.test.labels).double().mean())
    assert right == pytest.approx(digits_backbone.classifier.accuracy)


@pytest.mark.parametrize("batch", [1, 7, 359])
def test_features_do_not_depend_on_the_batch(digits, digits_backbone, batch):
    whole = digits_backbone.extract(digits.test.images)
    parts = digits_backbone.extract(digits.test.images, batch_size=batch)
    assert torch.allclose(whole.vectors, parts.vectors, rtol=1e-4, atol=1e-5)
    assert torch.allclose(whole.probabilities, parts.probabilities, rtol=1e-4, atol=1e-5)


def test_features_do_not_depend_on_the_memory_format(digits, digits_backbone):
    images = digits.test.images[:20]
    other = images.repeat(1, 2, 1, 1)[:, :1]  # the same pixels, far apart
    first, second = digits_backbone.extract(images), digits_backbone.extract(other)
    assert torch.allclose(first.vectors, second.vectors, atol=1e-5)


def test_images_of_another_size_are_resized_first(digits, digits_backbone):
    large = resize(digits.test.images[:30], 32)
    small = resize(large, 8)
    expected = digits_backbone.extract(small).vectors
    assert torch.equal(digits_backbone.extract(large).vectors, expected)


def test_features_can_be_used_in_training(digits, digits_backbone):
    vectors = digits_backbone.extract(digits.test.images[:4]).vectors
    assert not vectors.is_inference()
    weight = torch.ones(128, requires_grad=True)
    (vectors @ weight).sum().backward()
    assert torch.allclose(weight.grad, vectors.sum(0))


def test_extraction_reports_its_progress(digits, digits_backbone):
    reports = []

    def note(*report):
        reports.append(report)

    digits_backbone.extract(digits.test.images, note, batch_size=200)
    assert reports == [("classifier features", 200, 359), ("classifier features", 359, 359)]


# --- which backbone


def test_auto_takes_the_classifier_for_grey_images(digits, cache_root, digits_backbone):
    backbone = obtain_backbone("auto", digits, CPU, cache_root)
    assert (backbone.name, backbone.hash) == ("classifier", digits_backbone.hash)
    assert "grey" in backbone.reason
    assert backbone.resolution == 8


def test_auto_falls_back_to_the_classifier_and_says_why(colour, tmp_path, no_network):
    backbone = obtain_backbone("auto", colour, CPU, tmp_path)
    assert backbone.name == "classifier"
    assert "Name or service not known" in backbone.reason


@pytest.mark.parametrize("requested", ["auto", "classifier"])
@pytest.mark.parametrize("name", ["made", "stacked-mnist", "grey"])
def test_without_a_network_the_backbone_is_foreseen_as_it_is_chosen(
    colour, tmp_path, no_network, requested, name
):
    channels = 1 if name == "grey" else 3
    spec = dataclasses.replace(colour.spec, name=name, channels=channels)
    before = file_stamps(tmp_path)
    foreseen, told = foreseen_backbone(requested, spec, tmp_path)
    assert file_stamps(tmp_path) == before
    network, why = obtain_network(requested, spec, tmp_path)
    assert network is None
    assert foreseen == "classifier"
    assert ("Name or service not known" in told) == ("Name or service not known" in why)
    assert bool(told) == (requested == "auto" and name == "made")


def test_inception_is_foreseen_where_its_weights_are_given_or_can_be_downloaded(
    colour, tmp_path, random_inception, monkeypatch, no_network
):
    given = foreseen_backbone("auto", colour.spec, tmp_path, random_inception[1])
    assert given == ("inception", "")
    monkeypatch.setattr(inception, "check_reachable", lambda _addresses: None)
    name, told = foreseen_backbone("auto", colour.spec, tmp_path)
    assert name == "inception"
    assert told.endswith("they will be downloaded")


def test_what_describes_points_is_foreseen_without_weights(tmp_path, no_network):
    spec = describe("ring8", tmp_path)
    assert foreseen_backbone("auto", spec, tmp_path) == ("points", "")


def test_inception_that_cannot_be_had_is_an_error_where_it_was_asked_for(
    colour, tmp_path, no_network
):
    with pytest.raises(DataError, match=r"cannot be downloaded .*--inception-weights") as caught:
        obtain_backbone("inception", colour, CPU, tmp_path)
    assert "\n" not in str(caught.value)


def test_an_unknown_backbone_is_refused(colour, tmp_path):
    with pytest.raises(UsageError, match="unknown backbone 'inceptoin': did you mean inception"):
        obtain_backbone("inceptoin", colour, CPU, tmp_path)


@pytest.mark.parametrize("requested", ["auto", "inception"])
def test_a_weights_file_that_is_none_is_named(colour, tmp_path, requested):
    file = tmp_path / "weights.pth"
    for content in (b"", b"nonsense"):
        file.write_bytes(content)
        with pytest.raises(DataError, match=r"weights\.pth does not hold inception weights"):
            obtain_backbone(requested, colour, CPU, tmp_path, file)
    torch.save({"a": torch.zeros(1)}, file)
    with pytest.raises(DataError, match="does not hold inception weights") as caught:
        obtain_backbone(requested, colour, CPU, tmp_path, file)
    assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match="does not hold inception weights"):
        obtain_backbone(requested, colour, CPU, tmp_path, tmp_path / "missing.pth")


def test_a_weights_file_with_code_in_it_is_not_run(colour, tmp_path):
    class Harmful:
        def __reduce__(self):
            return exec, ("raise SystemExit('code was run')",)

    torch.save({"a": Harmful()}, tmp_path / "weights.pth")
    with pytest.raises(DataError, match="does not hold inception weights"):
        obtain_backbone("inception", colour, CPU, tmp_path, tmp_path / "weights.pth")


def test_inception_gives_torch_fidelitys_own_numbers(colour, tmp_path, random_inception):
    network, file = random_inception
    backbone = obtain_backbone("auto", colour, CPU, tmp_path, file)
    assert (backbone.name, backbone.reason) == (
        "inception",
        "features of inception: the images are in colour",
    )
    images = colour.train.images[:3]
    extracted = backbone.extract(images)
    vectors, logits = network(images)
    assert extracted.vectors.shape == (3, 2048)
    assert vectors.std() > 0.1
    assert torch.allclose(extracted.vectors, vectors, rtol=1e-5, atol=1e-5 * float(vectors.max()))
    assert torch.allclose(extracted.logits, logits, rtol=1e-5, atol=1e-5 * float(logits.max()))
    expected = backbone.classifier.network(images).softmax(1)
    assert torch.allclose(extracted.probabilities, expected, atol=1e-5)


def test_inception_sees_grey_images_as_colour_images(digits, cache_root, random_inception):
    network, file = random_inception
    backbone = obtain_backbone("inception", digits, CPU, cache_root, file)
    images = digits.test.images[:2]
    vectors, _ = network(torch.cat([images] * 3, dim=1))
    extracted = backbone.extract(images).vectors
    assert torch.allclose(extracted, vectors, rtol=1e-5, atol=1e-5 * float(vectors.max()))


def test_downloaded_weights_are_kept_and_checked(
    colour, tmp_path, random_inception, monkeypatch, no_network
):
    _, file = random_inception
    calls = []

    def download(url, target, hash_prefix, *, progress):
        calls.append((url, hash_prefix))
        Path(target).write_bytes(file.read_bytes())

    monkeypatch.setattr("ganbench.data.download.check_reachable", lambda _addresses: None)
    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    assert inception._WEIGHTS_HASH_PREFIX == "6726825d"
    prefix = hashlib.sha256(file.read_bytes()).hexdigest()[:8]
    monkeypatch.setattr(inception, "_WEIGHTS_HASH_PREFIX", prefix)
    first = obtain_backbone("auto", colour, CPU, tmp_path)
    second = obtain_backbone("auto", colour, CPU, tmp_path)
    assert first.name == second.name == "inception"
    assert first.hash == second.hash
    assert calls == [(URL_INCEPTION_V3, prefix)]


def test_efficientnet_is_taken_where_it_is_asked_for(colour, tmp_path, efficientnet_package):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = EfficientNetLite().eval()
    torch.save(network.network.state_dict(), efficientnet_package)
    backbone = obtain_backbone("efficientnet", colour, CPU, tmp_path)
    assert (backbone.name, backbone.hash) == ("efficientnet", weights_hash(network))
    extracted = backbone.extract(colour.train.images)
    (expected,) = network.requires_grad_(requires_grad=False)(colour.train.images)
    assert extracted.vectors.shape == (6, 1280)
    assert expected.std() > 0
    assert torch.allclose(extracted.vectors, expected, rtol=1e-3, atol=1e-4 * float(expected.max()))
    assert extracted.probabilities.shape == (6, 2)
    assert extracted.logits is None


def test_the_hash_of_efficientnet_depends_on_how_images_are_prepared():
    network = EfficientNetLite()
    before = weights_hash(network)
    network.size += 96
    assert weights_hash(network) != before


def test_suites_and_lists_know_the_same_backbones():
    assert set(get_args(Suite.model_fields["backbone"].annotation)) == set(BACKBONES)
    assert {name for name, _ in _BACKBONES} == {*BACKBONES, "points"}  # which is never asked for


# --- what is kept


def test_real_features_are_computed_once(digits, digits_backbone, tmp_path):
    first, before = real_features(digits_backbone, digits, tmp_path), file_stamps(tmp_path)
    assert torch.equal(first.vectors, digits_backbone.extract(digits.train.images).vectors)
    reports = []
    second = real_features(
        digits_backbone, digits, tmp_path, lambda *report: reports.append(report)
    )
    assert reports == []
    assert file_stamps(tmp_path) == before
    assert torch.equal(first.vectors, second.vectors)
    assert torch.equal(first.probabilities, second.probabilities)


def test_features_of_both_splits_and_statistics_are_computed_once(
    digits, digits_backbone, tmp_path
):
    first = Reference.of(digits, digits_backbone, tmp_path, ignore_progress)
    held_out = digits_backbone.extract(digits.test.images)
    assert torch.equal(first.held_out.vectors, held_out.vectors)
    assert len(first.real.vectors) == len(digits.train)
    before, reports = file_stamps(tmp_path), []
    second = Reference.of(digits, digits_backbone, tmp_path, lambda *report: reports.append(report))
    assert reports == []
    assert file_stamps(tmp_path) == before
    assert len(before) == 3
    assert torch.equal(first.held_out.vectors, second.held_out.vectors)
    for name in ("mean", "covariance", "root"):
        assert torch.equal(getattr(first.statistics, name), getattr(second.statistics, name))
    assert second.statistics.count == len(digits.train)


def test_damaged_statistics_are_computed_again(digits, digits_backbone, tmp_path):
    first = Reference.of(digits, digits_backbone, tmp_path, ignore_progress)
    (file,) = (tmp_path / "features").glob("*-statistics.pt")
    file.write_bytes(file.read_bytes()[:1000])
    second = Reference.of(digits, digits_backbone, tmp_path, ignore_progress)
    assert torch.equal(first.statistics.root, second.statistics.root)


def test_what_is_the_same_for_all_generators_of_a_seed_is_computed_once(
    digits, digits_backbone, tmp_path
):
    def scores(cache_root, seed=0):
        reference = Reference.of(digits, digits_backbone, tmp_path, ignore_progress)
        return dataclasses.replace(reference, cache_root=cache_root).score(held_out, seed)

    held_out = Reference.of(digits, digits_backbone, tmp_path, ignore_progress).held_out
    first = scores(tmp_path)
    assert first == scores(None)
    (file,) = (tmp_path / "features").glob("*-beside-*-seed-0.pt")
    before = file_stamps(tmp_path)
    assert scores(tmp_path) == first
    assert file_stamps(tmp_path) == before
    file.write_bytes(file.read_bytes()[:1000])
    assert scores(tmp_path) == first
    other = scores(tmp_path, seed=1)
    assert other == scores(None, seed=1)
    assert other != first


def test_real_features_of_another_backbone_are_kept_apart(digits, digits_backbone, tmp_path):
    first = real_features(digits_backbone, digits, tmp_path)
    other = dataclasses.replace(digits_backbone, resolution=4)
    assert not torch.equal(real_features(other, digits, tmp_path).vectors, first.vectors)
    assert len(list((tmp_path / "features").iterdir())) == 2


def test_features_of_another_device_are_kept_apart(digits, digits_backbone, tmp_path):
    paths = {
        cached_file(dataclasses.replace(digits_backbone, device=device), digits, tmp_path, "train")
        for device in map(torch.device, ("cpu", "cuda", "cuda:1", "mps"))
    }
    assert len(paths) == 3  # a second card of the same kind computes the same


def test_damaged_features_are_computed_again(digits, digits_backbone, tmp_path):
    first = real_features(digits_backbone, digits, tmp_path)
    (file,) = (tmp_path / "features").iterdir()
    file.write_bytes(file.read_bytes()[:1000])
    assert torch.equal(real_features(digits_backbone, digits, tmp_path).vectors, first.vectors)
