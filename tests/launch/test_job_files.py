"""What travels with a job, and what another machine makes of it."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest
from cluster_doubles import plugin
from launch_doubles import context, planned
from PIL import Image

from ganbench.errors import UsageError
from ganbench.experiment import plan
from ganbench.experiment.suite import Suite
from ganbench.launch.job_files import JobFiles, needed, unpacked
from ganbench.variant.registry import resolve


def sent(job, where):
    """A job with its parcels, and what gives these."""
    parts = needed(job, where)
    return JobFiles(job, {part.kind: part.key for part in parts}), {
        part.key: part.packed() for part in parts
    }


def elsewhere(tmp_path):
    """A machine without the files of this one."""
    return context(tmp_path / "there", tmp_path / "there/cache")


def test_a_built_in_variant_on_digits_needs_nothing(tmp_path, cache_root):
    (job,) = planned().jobs
    assert needed(job, context(tmp_path, cache_root)) == ()
    there = elsewhere(tmp_path)
    assert unpacked(JobFiles(job, {}), there, pytest.fail) == (job, there)


def test_a_plug_in_is_loaded_with_its_neighbour_where_neither_was(tmp_path, cache_root):
    folder = tmp_path / "here"
    folder.mkdir()
    (job,) = planned(variants=(str(plugin(folder)),), set=()).jobs
    files, parcels = sent(job, context(tmp_path, cache_root))
    shutil.rmtree(folder)
    there, _ = unpacked(files, elsewhere(tmp_path), parcels.__getitem__)
    assert sorted(path.name for path in Path(there.request).parent.glob("*.py")) == [
        "small.py", "width.py",
    ]  # fmt: skip
    assert there.id == job.id
    (loaded,) = resolve([there.request])
    assert loaded.variant.recipe.generator_width == 8  # which the neighbour says


def test_a_parcel_is_fetched_once_for_a_machine(tmp_path, cache_root):
    (job,) = planned(variants=(str(plugin(tmp_path)),), set=()).jobs
    files, parcels = sent(job, context(tmp_path, cache_root))
    there = elsewhere(tmp_path)
    first = unpacked(files, there, parcels.__getitem__)
    assert unpacked(files, there, pytest.fail) == first


def test_a_plug_in_that_was_changed_after_the_plan_is_refused(tmp_path, cache_root):
    (job,) = planned(variants=(str(plugin(tmp_path)),), set=()).jobs
    (tmp_path / "width.py").write_text("WIDTH = 16\n")
    files, parcels = sent(job, context(tmp_path, cache_root))
    with pytest.raises(UsageError, match=r"refuses the run small-s0-\w+: its small has the source"):
        unpacked(files, elsewhere(tmp_path), parcels.__getitem__)


@pytest.fixture
def photos(tmp_path):
    """An image folder of two classes."""
    for label, shade in (("dark", 40), ("light", 200)):
        (tmp_path / "photos" / label).mkdir(parents=True)
        for number in range(12):
            file = tmp_path / "photos" / label / f"{number}.png"
            Image.new("L", (16, 16), shade + number).save(file)
    return tmp_path / "photos"


def job_on(photos, cache_root):
    suite = Suite(variants=("mlp",), dataset=f"imagefolder:{photos}", budget="2steps",
                  set=("image_size=16", "batch_size=4"))  # fmt: skip
    return plan.make(suite, device="cpu", data_root=Path(), cache_root=cache_root).jobs[0]


def test_an_image_folder_is_read_where_it_never_was(photos, tmp_path, cache_root):
    from ganbench import data

    job = job_on(photos, cache_root)
    here = context(tmp_path, cache_root)
    before = data.load(
        job.spec.name, data_root=here.data_root, cache_root=cache_root, image_size=16
    )
    files, parcels = sent(job, here)
    shutil.rmtree(photos)
    same, there = unpacked(files, elsewhere(tmp_path), parcels.__getitem__)
    assert same.id == job.id
    after = data.load(
        job.spec.name, data_root=there.data_root, cache_root=there.cache_root, image_size=16
    )
    assert after.fingerprint == before.fingerprint
    assert after.spec == before.spec


def test_an_image_folder_of_other_images_is_refused(photos, tmp_path, cache_root):
    job = job_on(photos, cache_root)
    Image.new("L", (16, 16), 7).save(photos / "dark/3.png")
    files, parcels = sent(job, context(tmp_path, cache_root))
    with pytest.raises(UsageError, match="holds other images there"):
        unpacked(files, elsewhere(tmp_path), parcels.__getitem__)


def test_files_of_torchvision_travel_without_their_archives(tmp_path, cache_root):
    raw = tmp_path / "data/MNIST/raw"
    raw.mkdir(parents=True)
    for name in ("train-images-idx3-ubyte", "train-images-idx3-ubyte.gz"):
        (raw / name).write_bytes(b"0")
    (job,) = planned(dataset="mnist").jobs
    (part,) = needed(job, context(tmp_path, cache_root))
    assert list(part.files) == ["MNIST/raw/train-images-idx3-ubyte"]


def test_what_is_too_large_is_refused_before_it_is_read(tmp_path, cache_root, monkeypatch):
    (job,) = planned(variants=(str(plugin(tmp_path)),), set=()).jobs
    (part,) = needed(job, context(tmp_path, cache_root))
    monkeypatch.setattr("ganbench.launch.job_files._MOST_BYTES", 10)
    with pytest.raises(UsageError, match="lay it at the same path"):
        part.packed()


def test_weights_travel_where_a_run_may_use_them(tmp_path, cache_root):
    weights = tmp_path / "inception.pth"
    weights.write_bytes(b"0")
    where = dataclasses.replace(context(tmp_path, cache_root), inception_weights=weights)
    (grey,), (asked,) = planned().jobs, planned(backbone="inception").jobs
    assert needed(grey, where) == ()
    files, parcels = sent(asked, where)
    _, there = unpacked(files, elsewhere(tmp_path), parcels.__getitem__)
    assert there.inception_weights is not None
    assert there.inception_weights != weights
    assert there.inception_weights.read_bytes() == b"0"
