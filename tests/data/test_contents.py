"""The hash of an image folder's files: what changes it, and that unchanged files are not read."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganbench import data
from ganbench.data import cache
from ganbench.errors import DataError, UsageError
from ganbench.experiment import plan
from ganbench.experiment.suite import Suite


@pytest.fixture
def pictures(tmp_path) -> Path:
    """Two classes of twelve random images."""
    random = np.random.default_rng(0)
    for name in ("bird", "cat"):
        (tmp_path / "x" / name).mkdir(parents=True)
        for index in range(12):
            pixels = random.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "x" / name / f"{index}.bmp")
    return tmp_path / "x"


def hash_of(folder: Path, cache: Path, report=None) -> str:
    return data.content_hash(
        f"imagefolder:{folder}", data_root=Path("nowhere"), cache_root=cache, report=report
    )


def id_of(folder: Path, cache: Path) -> str:
    suite = Suite.model_validate({"variants": "mlp", "dataset": f"imagefolder:{folder}"})
    (job,) = plan.make(suite, device="cpu", data_root=Path("nowhere"), cache_root=cache).jobs
    return job.id


def invert(file: Path) -> None:
    """Write another picture of the same size in bytes, with a new time of change."""
    before = file.stat()
    with Image.open(file) as opened:
        pixels = 255 - np.asarray(opened)
    Image.fromarray(pixels).save(file)
    assert file.stat().st_size == before.st_size
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns + 1))


def test_a_picture_that_was_overwritten_makes_another_run(pictures, tmp_path):
    before = id_of(pictures, tmp_path)
    invert(pictures / "cat" / "3.bmp")
    changed = id_of(pictures, tmp_path)
    assert changed != before
    invert(pictures / "cat" / "3.bmp")
    assert id_of(pictures, tmp_path) == before


def test_touching_copying_and_moving_pictures_change_nothing(pictures, tmp_path):
    before = hash_of(pictures, tmp_path)
    os.utime(pictures / "cat" / "3.bmp", ns=(1, 1))
    assert hash_of(pictures, tmp_path) == before
    assert hash_of(pictures.rename(tmp_path / "elsewhere"), tmp_path) == before


def test_pictures_that_exchange_names_or_classes_are_another_dataset(pictures, tmp_path):
    hashes = {hash_of(pictures, tmp_path)}
    for other in (pictures / "cat" / "4.bmp", pictures / "bird" / "3.bmp"):
        for path, spare in ((pictures / "cat" / "3.bmp", tmp_path / "spare"),):
            path.rename(spare)
            other.rename(path)
            spare.rename(other)
        hashes.add(hash_of(pictures, tmp_path))
    assert len(hashes) == 3


def test_unchanged_files_are_not_read_again(pictures, tmp_path):
    reports = []
    hash_of(pictures, tmp_path, lambda *told: reports.append(told))
    assert reports == [(f"hashing the files of imagefolder:{pictures}", 24, 24)]
    reports.clear()
    known = hash_of(pictures, tmp_path, lambda *told: reports.append(told))
    assert reports == []
    (index,) = (tmp_path / "contents").iterdir()
    rows = json.loads(cache.read_text(index))
    assert len(rows) == 24
    rows[str(pictures / "cat" / "0.bmp")][2] = "another"
    cache.write_text(index, json.dumps(rows))
    assert hash_of(pictures, tmp_path) != known  # it is the index that was asked


@pytest.mark.parametrize("damage", ["", "[1, 2]", '{"a": 3}', "{"])
def test_a_damaged_index_is_made_again(pictures, tmp_path, damage):
    before = hash_of(pictures, tmp_path)
    (index,) = (tmp_path / "contents").iterdir()
    index.write_text(damage)
    assert hash_of(pictures, tmp_path) == before
    assert len(json.loads(cache.read_text(index))) == 24


def test_a_cache_that_cannot_be_written_only_costs_time(pictures, tmp_path):
    (tmp_path / "file").touch()
    assert hash_of(pictures, tmp_path / "file") == hash_of(pictures, tmp_path)


def test_datasets_whose_content_never_changes_have_no_hash_and_keep_their_ids(tmp_path):
    assert data.content_hash("digits", data_root=tmp_path, cache_root=tmp_path) == ""
    suite = Suite.model_validate({"variants": "mlp", "dataset": "digits"})
    with_cache, without = (
        plan.make(suite, device="cpu", data_root=tmp_path, cache_root=root).jobs[0].id
        for root in (tmp_path, None)
    )
    assert with_cache == without
    with pytest.raises(UsageError, match="did you mean digits"):
        data.content_hash("digit", data_root=tmp_path, cache_root=tmp_path)


def test_a_file_that_cannot_be_read_is_named(pictures, tmp_path):
    file = pictures / "cat" / "3.bmp"
    file.unlink()
    file.symlink_to(tmp_path / "nowhere")
    with pytest.raises(DataError, match=r"3\.bmp cannot be read as an image"):
        hash_of(pictures, tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode there")
def test_names_that_are_not_utf_8_have_a_hash_too(pictures, tmp_path):
    folder = tmp_path / os.fsdecode(b"caf\xe9\x1b[2J\n")
    pictures.rename(folder)
    (folder / "cat").rename(folder / os.fsdecode(b"\xe9"))
    first = hash_of(folder, tmp_path / "cache")
    assert hash_of(folder, tmp_path / "cache") == first
    assert id_of(folder, tmp_path / "cache").startswith("mlp-s0-")
