"""What the jobs of a plan share, seen from outside."""

from __future__ import annotations

import io
from pathlib import Path

import launch_doubles
import pytest
from ganbench.variants import mlp
from launch_doubles import planned
from rich.console import Console

from ganbench import data
from ganbench.data import resized
from ganbench.experiment.plan import make
from ganbench.experiment.store import ResultsFolder
from ganbench.experiment.suite import Suite
from ganbench.launch import run_job
from ganbench.launch.progress import Display
from ganbench.launch.resources import Resources
from ganbench.machine.device import Device, choose

SMALL = {"generator_width": "4", "discriminator_width": "4"}


@pytest.fixture
def said():
    return io.StringIO()


@pytest.fixture
def resources(tmp_path, cache_root, said):
    return Resources(
        folder=ResultsFolder(tmp_path),
        device=choose("cpu"),
        data_root=tmp_path,
        cache_root=tmp_path / "cache",
        display=Display(Console(file=said, width=200), verbose=True),
    )


def jobs(*sizes: int):
    """A job a size, of `mlp` on the digits."""
    found = []
    for size in sizes:
        suite = Suite(variants=["mlp"], dataset="digits", set={**SMALL, "image_size": str(size)})
        found += make(suite, device="cpu", data_root=Path()).jobs
    return found


def test_a_dataset_is_read_once_for_all_sizes(resources, monkeypatch):
    small, large = jobs(16, 32)
    loaded = resources.dataset(small)
    monkeypatch.delattr(data, "load")
    assert resources.dataset(large) is loaded


@pytest.mark.slow
@pytest.mark.usefixtures("digits_backbone")
def test_a_variant_that_was_edited_meanwhile_is_not_trained_under_the_old_name(tmp_path, resources):
    text = Path(mlp.__file__).read_text(encoding="utf-8")
    file = tmp_path / "mine.py"
    file.write_text(text, encoding="utf-8")
    suite = Suite(
        variants=[str(file)], dataset="digits", seeds="2", budget="2steps",
        set={**SMALL, "batch_size": "32"},
    )  # fmt: skip
    first, second = make(suite, device="cpu", data_root=Path()).jobs
    assert run_job.run_job(first, resources).result.status == "ok"
    file.write_text(text + "\n# edited\n", encoding="utf-8")
    result = run_job.run_job(second, resources).result
    assert result.status == "failed"
    assert "mine.py has changed since the command began" in result.reason


def test_images_are_resized_once_a_size(resources, monkeypatch):
    small, large = jobs(16, 32)
    splits = [resources.training_split(job) for job in (small, large)]
    assert [split.images.shape[-1] for split in splits] == [16, 32]
    monkeypatch.setattr("ganbench.launch.resources.training_split", None)
    assert resources.session(large).train.images is splits[1].images
    assert resources.training_split(small) is splits[0]


def test_where_images_are_kept_is_said_once_with_its_reason(resources, said, monkeypatch):
    monkeypatch.setattr(Device, "free_memory_bytes", lambda _: 10**9)
    (job,) = jobs(32)
    for _ in range(2):
        assert not resources.session(job).streamed
    line = "digits: images of 32×32 resident on cpu: 0.00 GB, with 1.0 GB free\n"
    assert said.getvalue() == line
    monkeypatch.setattr(Device, "free_memory_bytes", lambda _: 0)
    assert resources.session(job).streamed
    assert said.getvalue() == line + (
        "digits: images of 32×32 streamed to cpu: 0.00 GB, with 0.0 GB free\n"
    )


@pytest.mark.slow
@pytest.mark.usefixtures("digits_backbone")
def test_a_run_whose_images_do_not_fit_has_the_same_scores(tmp_path, cache_root, monkeypatch):
    results = {}
    (job,) = planned(budget="8steps", set=("batch_size=32", "image_size=16")).jobs
    for kept in ("resident", "streamed"):
        if kept == "streamed":
            monkeypatch.setattr(Device, "free_memory_bytes", lambda _: 0)
            monkeypatch.setattr(resized, "_LARGE_BYTES", 1)
        needed = launch_doubles.resources(tmp_path / kept, cache_root)
        results[kept] = run_job.run_job(job, needed).result
        assert results[kept].environment["images"] == kept
    assert results["streamed"].scores == results["resident"].scores
