"""Classifiers are trained apart, with equal bits, and two ship with the package."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from file_stamps import file_stamps

from ganbench import data
from ganbench.data.dataset import Dataset, Split, ignore_progress
from ganbench.errors import DataError
from ganbench.scoring.backbones.classifier import (
    PUBLISHED,
    classifier_file,
    obtain_classifier,
    training_notice,
)
from ganbench.scoring.backbones.classifier_network import VERSION
from ganbench.scoring.backbones.classifier_plan import TrainingPlan
from ganbench.scoring.backbones.classifier_process import train_apart
from ganbench.variant.definition import DatasetSpec

CPU = torch.device("cpu")

# Trains the classifier of some digits in colour, and prints the hash of its weights.
PROGRAM = """
import sys
from pathlib import Path

import torch

from ganbench import data
from ganbench.data.dataset import Dataset, Split, resize
from ganbench.scoring.backbones.classifier import obtain_classifier
from ganbench.variant.definition import DatasetSpec

root = Path(sys.argv[1])
digits = data.load("digits", data_root=root, cache_root=root, image_size=32)

def some(split, count):
    images = resize(split.images[:count], 12).repeat(1, 3, 1, 1)
    images[:, 1] //= 2
    return Split(images, split.labels[:count])

spec = DatasetSpec("colour", 3, 12, digits.spec.class_names, 300, 100)
dataset = Dataset.of(spec, some(digits.train, 300), some(digits.test, 100))
trained = obtain_classifier(dataset, torch.device("cpu"), root, most_images=3000)
print(torch.get_num_threads(), trained.hash, trained.accuracy)
"""


def two_classes(count: int = 40) -> Dataset:
    """Dark and bright noise."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(count) % 2
    noise = torch.randint(90, (count, 1, 8, 8), generator=generator)
    split = Split((noise + 150 * labels.view(-1, 1, 1, 1)).to(torch.uint8), labels)
    return Dataset.of(DatasetSpec("made", 1, 8, ("dark", "bright"), count, count), split, split)


@pytest.mark.slow
def test_the_weights_are_the_same_to_the_last_bit_whatever_the_threads_of_the_command(tmp_path):
    printed = []
    for threads in ("1", "2"):
        environment = {**os.environ, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
        root = tmp_path / threads
        root.mkdir()
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, str(root)],
            env=environment, capture_output=True, text=True, check=False, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        printed.append(done.stdout.split())
    assert [line[0] for line in printed] == ["1", "2"]
    assert printed[0][1:] == printed[1][1:]
    assert float(printed[0][2]) > 0.5


@pytest.mark.slow
def test_a_process_of_its_own_trains_and_reports_how_far_it_is(tmp_path):
    reports = []
    trained = obtain_classifier(two_classes(), CPU, tmp_path, lambda *told: reports.append(told))
    assert trained.accuracy == 1.0
    assert [done for text, done, _ in reports if text.startswith("training")] == [
        0, 10, 20, 30, 40, 50,
    ]  # fmt: skip


@pytest.mark.slow
def test_a_process_that_fails_is_said_in_one_line_and_leaves_nothing(tmp_path):
    dataset = two_classes()
    wrong = Dataset.of(dataset.spec, Split(dataset.train.images, dataset.train.labels + 7),
                       dataset.test)  # fmt: skip
    with pytest.raises(
        DataError, match=r"classifier of made could not .* status 1 \(.*\)$"
    ) as info:
        obtain_classifier(wrong, CPU, tmp_path)
    assert "\n" not in str(info.value)
    assert not any((tmp_path / "classifiers").iterdir())


@pytest.mark.slow
def test_an_interrupt_ends_the_process(tmp_path):
    def interrupt(step):
        if step == 20:
            raise KeyboardInterrupt

    before = _children()
    dataset = two_classes()
    with pytest.raises(KeyboardInterrupt):
        train_apart(TrainingPlan.of(dataset), dataset, tmp_path / "file", interrupt)
    assert _children() <= before
    assert not (tmp_path / "file").exists()


def _children() -> set[int]:
    import psutil

    return {process.pid for process in psutil.Process().children(recursive=True)}


# --- those of the package


@pytest.mark.parametrize("entry", json.loads((PUBLISHED / "classifiers.json").read_text()),
                         ids=lambda entry: entry["dataset"])  # fmt: skip
def test_published_files_are_what_their_list_says(entry):
    path = PUBLISHED / entry["file"]
    assert entry["version"] == VERSION
    assert entry["file"].startswith(f"{entry['dataset']}-")
    assert path.stat().st_size < 500_000
    assert entry["accuracy"] > 0.98
    assert 0.97 < entry["kept"] < 1


def test_digits_need_no_training_and_leave_the_cache_alone(digits, tmp_path):
    reports, before = [], hashlib.sha256(classifier_file(digits, tmp_path).read_bytes()).digest()
    trained = obtain_classifier(digits, CPU, tmp_path, lambda *told: reports.append(told))
    (entry,) = (
        entry
        for entry in json.loads((PUBLISHED / "classifiers.json").read_text())
        if entry["dataset"] == "digits"
    )
    assert (trained.hash, trained.accuracy) == (entry["hash"], entry["accuracy"])
    assert reports == []
    assert file_stamps(tmp_path) == {}
    assert hashlib.sha256(classifier_file(digits, tmp_path).read_bytes()).digest() == before
    assert training_notice(digits, tmp_path) == ""


def test_digits_with_one_other_pixel_are_another_dataset(digits, tmp_path):
    images = digits.train.images.clone()
    images[0, 0, 0, 0] += 1
    changed = Dataset.of(digits.spec, Split(images, digits.train.labels), digits.test)
    assert classifier_file(changed, tmp_path).parent == tmp_path / "classifiers"
    notice = training_notice(changed, tmp_path)
    assert notice.startswith("digits: its classifier is trained first, once")
    assert "about" in notice


@pytest.mark.slow
def test_the_published_classifier_of_the_digits_can_be_made_again(digits, tmp_path):
    published = obtain_classifier(digits, CPU, tmp_path)
    again = obtain_classifier(digits, CPU, tmp_path, published=tmp_path)
    assert again.accuracy == pytest.approx(published.accuracy, abs=0.01)
    assert again.kept == pytest.approx(published.kept, abs=0.02)


@pytest.mark.slow
def test_the_published_classifier_of_mnist_is_taken_for_mnist(tmp_path):
    root = os.environ.get("GANBENCH_REAL_DATA")
    if root is None:
        pytest.skip("GANBENCH_REAL_DATA names no folder of real data")
    mnist = data.load("mnist", data_root=Path(root), cache_root=tmp_path, image_size=32,
                      report=ignore_progress)  # fmt: skip
    trained = obtain_classifier(mnist, CPU, tmp_path)
    named = torch.cat([trained.network(part).argmax(1) for part in mnist.test.images.split(500)])
    assert float((named == mnist.test.labels).double().mean()) == pytest.approx(trained.accuracy)
    assert not (tmp_path / "classifiers").exists()
