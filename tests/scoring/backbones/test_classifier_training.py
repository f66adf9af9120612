"""Training the classifier: its accuracy, that it is always the same, and its cache."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from file_stamps import file_stamps

from ganbench import data
from ganbench.data.dataset import Dataset, Split, ignore_progress
from ganbench.errors import DataError
from ganbench.scoring.backbones.classifier import obtain_classifier
from ganbench.scoring.backbones.classifier_network import write_classifier
from ganbench.scoring.backbones.classifier_plan import parts
from ganbench.scoring.backbones.classifier_training import augment, train
from ganbench.variant.definition import DatasetSpec

CPU = torch.device("cpu")


def train_here(plan, dataset, file, report):
    """As `train_apart`, in this process: quicker, and the same but for the last bits."""
    trained = train(plan, parts(dataset, plan, report))
    with file.open("wb") as opened:
        write_classifier(opened, trained.network, trained.accuracy, trained.kept)


def obtain(dataset, root, report=ignore_progress, **options):
    return obtain_classifier(dataset, CPU, root, report, trainer=train_here, **options)


def make_dataset(*, channels=1, size=8, classes=2, count=40, seed=0) -> Dataset:
    """Images whose brightness gives their class."""
    generator = torch.Generator().manual_seed(seed)
    splits = []
    for rows in (count, count // 2):
        labels = torch.arange(rows) % classes
        noise = torch.randint(40, (rows, channels, size, size), generator=generator)
        brightness = (labels * 200 // max(1, classes - 1)).view(-1, 1, 1, 1)
        splits.append(Split((noise + brightness).to(torch.uint8), labels))
    names = tuple(f"class {label}" for label in range(classes))
    spec = DatasetSpec("made", channels, size, names, count, count // 2)
    return Dataset.of(spec, *splits)


# --- quality


def test_the_classifier_of_the_digits_is_right_97_times_of_100(digits, digits_backbone):
    trained = digits_backbone.classifier
    with torch.no_grad():
        named = trained.network(digits.test.images).argmax(1)
    right = float((named == digits.test.labels).double().mean())
    assert trained.accuracy == pytest.approx(right)
    assert right >= 0.97


@pytest.mark.slow
@pytest.mark.parametrize(
    ("channels", "size", "classes"), [(1, 8, 2), (3, 8, 3), (1, 28, 2), (3, 32, 2), (3, 64, 2)]
)
def test_every_shape_of_image_is_learnt(tmp_path, channels, size, classes):
    dataset = make_dataset(channels=channels, size=size, classes=classes, count=20)
    trained = obtain(dataset, tmp_path)
    assert trained.accuracy == 1.0
    assert trained.network(dataset.test.images).shape == (10, classes)


def test_one_class_is_always_named_rightly(tmp_path):
    assert obtain(make_dataset(classes=1), tmp_path).accuracy == 1.0


@pytest.mark.slow
def test_images_larger_than_native_are_classified_at_native_size(tmp_path):
    dataset = make_dataset(channels=3, size=32)
    dataset = dataclasses.replace(dataset, spec=dataclasses.replace(dataset.spec, native_size=8))
    assert obtain(dataset, tmp_path).accuracy == 1.0


# --- augmentation


def test_augmented_images_are_shifts_and_mirrors_of_the_originals():
    ramp = torch.arange(64, dtype=torch.uint8).view(1, 1, 8, 8).repeat(300, 3, 1, 1)
    shown = augment(ramp, torch.Generator().manual_seed(0))
    assert shown.shape == ramp.shape
    centre = shown[:, 0, 2:6, 2:6]
    across = (centre[:, :, 1:] - centre[:, :, :-1]).flatten(1)
    assert set(across.unique().tolist()) == {-1.0, 1.0}  # mirrored or not
    assert (across == across[:, :1]).all()
    assert 100 < int((across[:, 0] > 0).sum()) < 200
    down = centre[:, 1:] - centre[:, :-1]
    assert (down == 8).all()  # never upside down
    assert set((centre[:, 0, 0] // 8).int().tolist()) == {0, 1, 2, 3, 4}


# --- always the same


@pytest.mark.slow
def test_training_is_the_same_whatever_the_global_random_state(tmp_path):
    dataset = make_dataset(channels=3)
    torch.manual_seed(1)
    first = obtain(dataset, tmp_path / "1")
    torch.manual_seed(2)
    second = obtain(dataset, tmp_path / "2")
    assert first.hash == second.hash


def test_training_leaves_the_global_random_state_alone(tmp_path):
    before = torch.get_rng_state()
    obtain(make_dataset(), tmp_path)
    assert torch.equal(torch.get_rng_state(), before)


def test_other_images_make_another_classifier(tmp_path):
    trained = [obtain(make_dataset(seed=seed), tmp_path) for seed in (1, 2)]
    assert trained[0].hash != trained[1].hash


# --- the cache


def test_a_classifier_is_trained_once(tmp_path):
    dataset = make_dataset()
    first, before = obtain(dataset, tmp_path), file_stamps(tmp_path)
    reports = []
    second = obtain(dataset, tmp_path, lambda *report: reports.append(report))
    assert reports == []
    assert file_stamps(tmp_path) == before
    assert (first.hash, first.accuracy) == (second.hash, second.accuracy)
    assert not second.network.training
    images = dataset.test.images
    assert torch.equal(first.network(images), second.network(images))


@pytest.mark.slow
def test_a_classifier_trained_on_fewer_images_is_another_one_and_kept_apart(tmp_path):
    dataset, steps = make_dataset(count=400), []

    def note(_text, _done, total):
        steps.append(total)

    full = obtain(dataset, tmp_path, note)
    assert set(steps) == {24 * 400 // 128}  # as many epochs, in batches of 128
    steps.clear()
    brief = obtain(dataset, tmp_path, note, most_images=8_000)
    assert set(steps) == {8_000 // 128}
    assert brief.hash != full.hash
    assert obtain(dataset, tmp_path).hash == full.hash


def test_the_file_holds_weights_and_accuracy_and_nothing_that_runs(tmp_path):
    trained = obtain(make_dataset(), tmp_path)
    (file,) = (tmp_path / "classifiers").iterdir()
    with np.load(file, allow_pickle=False) as stored:
        assert stored["accuracy"] == trained.accuracy
        assert stored["kept"] == trained.kept
        assert set(stored.files) == {"accuracy", "kept", *trained.network.state_dict()}


@pytest.mark.parametrize("damage", [b"", b"nonsense", None])
def test_a_damaged_file_is_made_again(tmp_path, damage):
    dataset = make_dataset()
    first = obtain(dataset, tmp_path)
    (file,) = (tmp_path / "classifiers").iterdir()
    file.write_bytes(file.read_bytes()[:2000] if damage is None else damage)
    assert obtain(dataset, tmp_path).hash == first.hash
    with np.load(file) as stored:
        assert stored["accuracy"] == first.accuracy


def test_a_file_without_the_accuracy_is_made_again(tmp_path):
    dataset = make_dataset()
    first = obtain(dataset, tmp_path)
    (file,) = (tmp_path / "classifiers").iterdir()
    with np.load(file) as stored:
        arrays = {name: stored[name] for name in stored.files if name != "accuracy"}
    with file.open("wb") as opened:
        np.savez(opened, **arrays)
    assert obtain(dataset, tmp_path).hash == first.hash


def test_a_cache_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"the cache .*file/classifiers cannot be written"):
        obtain(make_dataset(), tmp_path / "file")


def test_progress_ends_with_the_accuracy(tmp_path):
    reports = []
    obtain(make_dataset(), tmp_path, lambda *report: reports.append(report))
    assert reports[0] == ("training the classifier of made", 0, 60)
    assert reports[-1] == ("the classifier of made names 100.0% of the test images", 60, 60)


# --- real data


@pytest.mark.slow
@pytest.mark.parametrize(("name", "least"), [("mnist", 0.985), ("imagefolder:cifar10-jpeg", 0.75)])
def test_real_images_are_named_rightly(tmp_path, name, least):
    root = os.environ.get("GANBENCH_REAL_DATA")  # holds MNIST/raw and cifar10-jpeg
    if root is None:
        pytest.skip("GANBENCH_REAL_DATA names no folder of real data")
    dataset = data.load(name, data_root=Path(root), cache_root=tmp_path, image_size=32)
    assert obtain(dataset, tmp_path).accuracy >= least
