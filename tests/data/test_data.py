"""Datasets by name: what they are, how they are read, and how reading fails."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.datasets import load_digits

from ganbench import data
from ganbench.data import catalogue, vision
from ganbench.data.dataset import Split, fingerprint, resize
from ganbench.errors import UsageError


def load(name, root):
    return data.load(name, data_root=root, cache_root=root, image_size=32)


# --- names and descriptions


def test_names_are_sorted_and_each_has_a_summary():
    images = ("cifar10", "digits", "fashion-mnist", "mnist", "triangles")
    points = ("gauss1200", "grid25", "ring8")
    stacked = ("stacked-digits", "stacked-mnist")
    assert data.names() == tuple(sorted((*images, *points, *stacked)))
    assert set(data.names()) | {"imagefolder:DIR"} == set(catalogue.SUMMARIES)


@pytest.mark.parametrize("name", data.names())
def test_describing_a_fixed_dataset_needs_no_data(name, tmp_path):
    spec = data.describe(name, tmp_path / "missing")
    assert spec.name == name
    classes = {"stacked-digits": 1000, "stacked-mnist": 1000, "triangles": 4}
    classes |= {"grid25": 25, "ring8": 8}
    assert len(spec.class_names) == classes.get(name, 10)
    assert not (tmp_path / "missing").exists()


def test_describing_loads_neither_torch_nor_torchvision(tmp_path):
    code = (
        "import sys; from pathlib import Path; from ganbench import data; "
        "data.describe('mnist', Path('x')); "
        "print([name for name in ('torch', 'torchvision', 'sklearn') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_class_names_are_those_of_torchvision():
    assert list(catalogue.SPECS["fashion-mnist"].class_names) == vision.FashionMNIST.classes
    assert [name.split()[0] for name in vision.MNIST.classes] == list("0123456789")


def test_captions_name_the_class(tmp_path):
    assert data.describe("mnist", tmp_path).captions[7] == "a handwritten digit 7"
    assert data.describe("cifar10", tmp_path).captions[0] == "a photo of a airplane"


@pytest.mark.parametrize("act", [load, data.describe])
def test_an_unknown_name_is_refused_with_a_near_one(act, tmp_path):
    with pytest.raises(UsageError, match=r"unknown dataset 'mnits': did you mean mnist"):
        act("mnits", tmp_path)


def test_the_environment_names_the_folders_of_data_and_cache(monkeypatch):
    monkeypatch.setenv("GANBENCH_CACHE", "/one")
    monkeypatch.setenv("GANBENCH_DATA", "/two")
    assert (data.default_cache_root(), data.default_data_root()) == (Path("/one"), Path("/two"))
    monkeypatch.delenv("GANBENCH_DATA")
    assert data.default_data_root() == Path("/one/data")


@pytest.mark.skipif(sys.platform != "linux", reason="each system has its own folder for caches")
def test_without_a_folder_in_the_environment_the_cache_is_the_users(monkeypatch):
    monkeypatch.delenv("GANBENCH_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/three")
    assert data.default_cache_root() == Path("/three/ganbench")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert data.default_cache_root() == Path.home() / ".cache" / "ganbench"


def test_sizes_that_read_alike_have_one_reading_size(tmp_path):
    assert {data.reading_size("mnist", size) for size in (28, 32, 64)} == {28}
    sizes = [data.reading_size("imagefolder:x", size) for size in (32, 64, 128)]
    assert sizes == [64, 64, 128]
    with pytest.raises(UsageError, match="unknown dataset 'mnits'"):
        data.reading_size("mnits", 64)


# --- digits


def test_digits_are_split_evenly_and_hold_scikit_learns_images(digits):
    assert (len(digits.train), len(digits.test)) == (1438, 359)
    assert digits.train.images.shape == (1438, 1, 8, 8)
    shares = digits.train.labels.bincount() / (
        digits.train.labels.bincount() + digits.test.labels.bincount()
    )
    assert torch.allclose(shares, torch.tensor(0.8), atol=0.01)
    ours = sorted(
        (int(label), image.numpy().tobytes())
        for split in (digits.train, digits.test)
        for image, label in zip(split.images, split.labels, strict=True)
    )
    source = load_digits()
    scaled = np.rint(source.images / 16 * 255).astype(np.uint8)
    theirs = sorted(
        (int(label), image.tobytes()) for image, label in zip(scaled, source.target, strict=True)
    )
    assert ours == theirs


def test_digits_are_the_same_each_time(digits, tmp_path):
    assert load("digits", tmp_path).fingerprint == digits.fingerprint


# --- fingerprint and resize


def test_the_fingerprint_sees_a_pixel_and_a_label_but_not_the_memory_format():
    generator = torch.Generator().manual_seed(1)
    images = torch.randint(256, (5, 3, 4, 4), generator=generator, dtype=torch.uint8)
    labels = torch.arange(5)
    original = fingerprint(Split(images, labels))
    assert fingerprint(Split(images.to(memory_format=torch.channels_last), labels)) == original
    assert fingerprint(Split(images, labels.flip(0))) != original
    changed = images.clone()
    changed[3, 1, 2, 2] ^= 1
    assert fingerprint(Split(changed, labels)) != original


def test_the_fingerprint_sees_which_split_an_image_is_in():
    whole = Split(torch.zeros(4, 1, 2, 2, dtype=torch.uint8), torch.zeros(4, dtype=torch.int64))
    parts = [Split(whole.images[:k], whole.labels[:k]) for k in (1, 3)]
    assert fingerprint(*parts) != fingerprint(*reversed(parts))


@pytest.mark.parametrize("images", [1, 7, 5000])
def test_the_fingerprint_does_not_depend_on_the_blocks_it_is_read_in(digits, images):
    block_bytes = images * 8 * 8
    assert fingerprint(digits.train, digits.test, block_bytes=block_bytes) == digits.fingerprint


def test_the_fingerprint_is_the_hash_of_shapes_pixels_and_labels(digits):
    digest = hashlib.sha256()
    for split in (digits.train, digits.test):
        digest.update(f"({len(split)}, 8, 8, 1)".encode())
        digest.update(split.images.numpy().tobytes() + split.labels.numpy().tobytes())
    assert digits.fingerprint == digest.hexdigest()[:16]


def test_resizing_to_the_same_size_returns_the_images_themselves(digits):
    assert resize(digits.train.images, 8) is digits.train.images


@pytest.mark.parametrize("size", [4, 16, 20])
@pytest.mark.parametrize("channels", [1, 3])
def test_resizing_is_pillows_antialiased_bilinear_within_a_grey_value(channels, size):
    pixels = np.random.default_rng(0).integers(0, 256, (2, 12, 12, channels), dtype=np.uint8)
    ours = resize(torch.from_numpy(pixels).permute(0, 3, 1, 2), size)
    assert ours.dtype == torch.uint8
    assert ours.shape == (2, channels, size, size)
    for image, mine in zip(pixels, ours, strict=True):
        source = Image.fromarray(image if channels == 3 else image[:, :, 0])
        theirs = np.asarray(source.resize((size, size), Image.Resampling.BILINEAR)).astype(int)
        theirs = theirs.reshape(size, size, channels).transpose(2, 0, 1)
        assert np.abs(theirs - mine.numpy().astype(int)).max() <= 1


def test_resizing_does_not_depend_on_the_batch(digits):
    whole = resize(digits.test.images, 32)
    in_batches = resize(digits.test.images, 32, work_bytes=7 * 4 * 32 * 32)
    assert torch.equal(in_batches, whole)


def test_resizing_keeps_a_flat_image_flat():
    images = torch.full((1, 3, 9, 9), 255, dtype=torch.uint8)
    assert (resize(images, 32) == 255).all()
