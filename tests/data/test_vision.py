"""MNIST, Fashion-MNIST and CIFAR-10: read, downloaded, missing and damaged."""

from __future__ import annotations

import dataclasses
import hashlib
import pickle
import sys
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch

from ganbench.data import catalogue, vision
from ganbench.data.dataset import ignore_progress
from ganbench.data.vision import load_vision
from ganbench.errors import DataError


def load(name, root, report=ignore_progress, **counts):
    """Read a dataset of the catalogue, which may be said to have fewer images."""
    spec = dataclasses.replace(catalogue.SPECS[name], **counts)
    return load_vision(spec, root, report)


def write_mnist(root: Path, *, train: int = 6, test: int = 4) -> None:
    """Write MNIST's four files with random images, in their own format."""
    raw = root / "MNIST" / "raw"
    raw.mkdir(parents=True)
    generator = np.random.default_rng(0)
    for prefix, count in (("train", train), ("t10k", test)):
        images = generator.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        labels = np.arange(count, dtype=np.uint8)
        header = np.array([2051, count, 28, 28], dtype=">i4").tobytes()
        (raw / f"{prefix}-images-idx3-ubyte").write_bytes(header + images.tobytes())
        header = np.array([2049, count], dtype=">i4").tobytes()
        (raw / f"{prefix}-labels-idx1-ubyte").write_bytes(header + labels.tobytes())


SMALL = {"train_count": 6, "test_count": 4}


@pytest.fixture
def no_network(monkeypatch):
    """Nothing answers, as without a network."""

    def fail(*_args, **_kwargs):
        raise URLError("Name or service not known")

    monkeypatch.setattr("ganbench.data.download.urlopen", fail)


def test_mnist_is_read_from_uncompressed_files_without_writing(tmp_path, no_network):
    write_mnist(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    mnist = load("mnist", tmp_path, **SMALL)
    assert mnist.train.images.shape == (6, 1, 28, 28)
    assert mnist.test.labels.tolist() == [0, 1, 2, 3]
    assert mnist.train.labels.dtype == torch.int64
    expected = np.random.default_rng(0).integers(0, 256, (6, 28, 28), dtype=np.uint8)
    assert np.array_equal(mnist.train.images[:, 0].numpy(), expected)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ["cifar10", "fashion-mnist", "mnist"])
def test_no_data_and_no_network_is_one_line_that_names_the_data_root(name, tmp_path, no_network):
    root = tmp_path / "data"
    with pytest.raises(DataError) as caught:
        load(name, root)
    message = str(caught.value)
    assert str(root) in message
    assert "--dataset digits" in message
    assert "Name or service not known" in message
    assert "\n" not in message


def test_a_data_root_that_cannot_be_made_is_named(tmp_path, no_network):
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"mnist is not in the data root .*file/data, which cannot"):
        load("mnist", tmp_path / "file" / "data")


def test_a_read_only_data_root_is_not_tried(tmp_path, monkeypatch, no_network):
    monkeypatch.setattr(vision.os, "access", lambda *_: False)
    with pytest.raises(DataError, match=r"cannot be written for a download.*--data-root"):
        load("mnist", tmp_path)


def test_a_damaged_file_is_named_as_such(tmp_path, no_network):
    write_mnist(tmp_path)
    file = tmp_path / "MNIST" / "raw" / "train-images-idx3-ubyte"
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(DataError, match=r"mnist in the data root .* is damaged") as caught:
        load("mnist", tmp_path, **SMALL)
    assert str(tmp_path) in str(caught.value)


def test_too_few_images_are_damage(tmp_path, no_network):
    write_mnist(tmp_path)
    with pytest.raises(DataError, match=r"is damaged \(it holds \[6, 4\] images\)"):
        load("mnist", tmp_path)


def test_a_download_is_reported_and_its_bars_are_hidden(tmp_path, monkeypatch, capfd):
    def download(_url, download_root, **_kwargs):
        sys.stderr.write("a bar")
        if not Path(download_root, "train-images-idx3-ubyte").exists():
            Path(download_root).rmdir()
            write_mnist(tmp_path)

    monkeypatch.setattr("torchvision.datasets.mnist.download_and_extract_archive", download)
    monkeypatch.setattr("ganbench.data.download.check_reachable", lambda _addresses: None)
    reports = []
    mnist = load("mnist", tmp_path, lambda *report: reports.append(report), **SMALL)
    assert len(mnist.train) == 6
    assert reports == [("downloading mnist", 0, 0), ("downloading mnist", 1, 1)]
    assert "a bar" not in capfd.readouterr().err


def write_cifar10(root: Path, monkeypatch) -> np.ndarray:
    """Write CIFAR-10's files with two images each; return the pixels of the first file."""
    folder = root / "cifar-10-batches-py"
    folder.mkdir()
    generator = np.random.default_rng(0)
    first = None

    def write(name, content):
        (folder / name).write_bytes(pickle.dumps(content))
        return [name, hashlib.md5((folder / name).read_bytes()).hexdigest()]

    def batch(name):
        nonlocal first
        pixels = generator.integers(0, 256, (2, 3072), dtype=np.uint8)
        first = pixels if first is None else first
        return write(name, {"data": pixels, "labels": [3, 9]})

    monkeypatch.setattr(vision.CIFAR10, "train_list", [batch(f"data_batch_{k}") for k in range(5)])
    monkeypatch.setattr(vision.CIFAR10, "test_list", [batch("test_batch")])
    name, checksum = write("batches.meta", {"label_names": ["a"]})
    meta = {"filename": name, "key": "label_names", "md5": checksum}
    monkeypatch.setattr(vision.CIFAR10, "meta", meta)
    return first


def test_cifar10_is_in_colour_and_channels_last(tmp_path, monkeypatch, no_network):
    first = write_cifar10(tmp_path, monkeypatch)
    cifar10 = load("cifar10", tmp_path, train_count=10, test_count=2)
    assert cifar10.train.images.shape == (10, 3, 32, 32)
    assert cifar10.train.images.is_contiguous(memory_format=torch.channels_last)
    assert np.array_equal(cifar10.train.images[:2].numpy(), first.reshape(2, 3, 32, 32))
    assert cifar10.test.labels.tolist() == [3, 9]
