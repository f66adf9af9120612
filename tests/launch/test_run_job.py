"""One job from its record to its row: what fails in it, and whose fault that is."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from launch_doubles import planned, resources
from PIL import Image

from ganbench.errors import UsageError
from ganbench.launch import sample_grids
from ganbench.launch.run_job import run_job
from ganbench.machine.torch_settings import preserved_settings, settings

pytestmark = pytest.mark.usefixtures("digits_backbone")

PLUGIN = '''"""A variant for the tests."""
import argparse, sys, warnings
import ganbench
import torch
from ganbench.variants import mlp

def odd():
    {odd}

class Networks(torch.nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner
        if {place!r} == "build" and not torch.empty(0).is_meta:
            odd()

    def forward(self, values):
        if {place!r} == "forward" and not self.training:
            odd()
        return self.inner(values)

def generator(recipe, dataset):
    return Networks(mlp.generator(recipe, dataset))

def objectives(recipe, dataset):
    usual = ganbench.losses.bce(recipe, dataset)
    def d_loss(discriminator, real, fake):
        if {place!r} == "loss":
            odd()
        return usual.d_loss(discriminator, real, fake)
    return ganbench.Losses(d_loss, usual.g_loss)

VARIANT = ganbench.Variant(
    title="Mine", paper="", recipe=ganbench.Recipe(image_size=28),
    generator=generator, discriminator=mlp.discriminator, losses=objectives,
)
'''
ODD_LINE = 1 + PLUGIN.splitlines().index("    {odd}")
RAISES = [
    "raise ValueError('no')",
    "raise ganbench.UsageError('no')",
    "raise KeyboardInterrupt('no')",
    "raise BaseException('no')",
    "raise OSError('no')",
    "sys.exit('no')",
    "argparse.ArgumentParser('no').parse_args(['--no'])",
    "warnings.simplefilter('error'); warnings.warn('no')",
]


@pytest.fixture
def needed(tmp_path, cache_root):
    return resources(tmp_path, cache_root)


@pytest.fixture
def job_of(tmp_path):
    """A job of a variant whose file does something odd in one of its places."""

    def make(place: str, odd: str, **changes):
        file = tmp_path / "mine.py"
        file.write_text(PLUGIN.format(place=place, odd=odd), encoding="utf-8")
        (job,) = planned(variants=(str(file),), **changes).jobs
        return job

    return make


# --- The variant's failures ---


@pytest.mark.parametrize("odd", RAISES)
@pytest.mark.parametrize("place", ["build", "loss"])
def test_whatever_a_variant_raises_is_a_failed_row_that_names_it_and_the_line(
    place, odd, needed, job_of
):
    run = run_job(job_of(place, odd), needed)
    assert run.result.status == "failed"
    assert run.result.reason.startswith("mine: ")
    assert f"(line {ODD_LINE})" in run.result.reason
    assert (run.path / "error.txt").read_text(encoding="utf-8").startswith("Traceback")


@pytest.mark.parametrize("odd", ["raise OSError('no')", "raise ganbench.UsageError('no')"])
def test_what_a_generator_raises_when_samples_are_drawn_is_the_variants_too(odd, needed, job_of):
    run = run_job(job_of("forward", odd, budget="2steps"), needed)
    assert run.result.status == "failed"
    assert f"(line {ODD_LINE})" in run.result.reason


def test_an_error_of_torch_below_a_variant_is_its_failure(needed, job_of):
    run = run_job(job_of("loss", "torch.ones(2) @ torch.ones(3)"), needed)
    assert run.result.reason.startswith("mine: RuntimeError: ")


# --- What is stored of a run ---


def test_what_was_left_out_of_an_image_folder_is_stored_whatever_becomes_of_the_run(
    needed, job_of, tmp_path
):
    for name in ("one", "two"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for index in range(12):
            Image.new("L", (28, 28), index).save(tmp_path / "pictures" / name / f"{index}.png")
    (tmp_path / "pictures" / "one" / "notes\x1b.txt").touch()
    (tmp_path / "pictures" / ".hidden").mkdir()
    job = job_of("build", "raise ValueError('no')", dataset=f"imagefolder:{tmp_path}/pictures")
    run = run_job(job, needed)
    (note,) = json.loads((run.path / "result.json").read_text(encoding="utf-8"))["notes"]
    assert "1 hidden folder (.hidden)" in note
    assert r"1 file without the ending of an image (one/notes\x1b.txt)" in note


@pytest.mark.parametrize(("decay", "averaged"), [("0", False), ("0.9", True)])
def test_a_run_stores_its_source_and_whether_a_moving_average_was_scored(
    decay, averaged, needed, job_of, digits_backbone
):
    job = job_of("nowhere", "pass", budget="2steps", set=(f"ema_decay={decay}",))
    result = run_job(job, needed).result
    assert result.status == "ok", result.reason
    assert (result.source_hash, result.ema) == (job.source_hash, averaged)
    assert "ema" not in result.protocol_fields


# --- Settings that a variant changes ---

CHANGES = (
    ("loss", "torch.set_anomaly_enabled(True)"),
    ("build", "torch.set_num_threads(torch.get_num_threads() + 1)"),
    ("build", "torch.set_grad_enabled(False)"),
    ("loss", "warnings.simplefilter('error')"),
)


@pytest.fixture(scope="module")
def plain_scores(tmp_path_factory, cache_root, digits_backbone):
    """Scores of the same networks from a variant that changes nothing."""
    folder = tmp_path_factory.mktemp("plain")
    file = folder / "mine.py"
    file.write_text(PLUGIN.format(place="nowhere", odd="pass"), encoding="utf-8")
    (job,) = planned(variants=(str(file),)).jobs
    return run_job(job, resources(folder, cache_root)).result.scores


@pytest.mark.parametrize(("place", "change"), CHANGES)
def test_what_a_variant_changes_in_torch_does_not_reach_its_scores(
    place, change, needed, job_of, plain_scores
):
    before = settings()
    with preserved_settings():  # should the test fail
        run = run_job(job_of(place, change), needed)
        assert settings() == before
    assert run.result.status == "ok", run.result.reason
    assert run.result.scores == plain_scores


# --- Failures of the machine ---


def test_a_full_disk_ends_the_command_in_one_line_and_is_no_failed_row(needed, job_of, monkeypatch):
    def full(*_arguments):
        raise RuntimeError("PytorchStreamWriter failed writing file data/3: file write failed\n ..")

    job = job_of("nowhere", "pass")
    with monkeypatch.context() as patch:
        patch.setattr(torch, "save", full)
        with pytest.raises(UsageError, match="file write failed") as caught:
            run_job(job, needed)
    assert "\n" not in str(caught.value)
    assert needed.folder.runs() == []
    assert run_job(job, needed).result.status == "ok"


def test_a_results_folder_that_vanishes_ends_the_command_in_one_line(needed, job_of, monkeypatch):
    job = job_of("nowhere", "pass")
    draw = sample_grids.SampleGrids.draw

    def vanish(grids, session):
        shutil.rmtree(needed.folder.path)
        return draw(grids, session)

    monkeypatch.setattr(sample_grids.SampleGrids, "draw", vanish)
    with pytest.raises(UsageError, match="cannot be written: No such file or directory"):
        run_job(job, needed)


def test_a_checkpoint_that_cannot_be_read_ends_the_command_in_one_line(needed, job_of):
    job = job_of("nowhere", "pass")
    (needed.folder.open_run(job.id) / "checkpoint.pt").write_bytes(b"damaged")
    with pytest.raises(UsageError, match=r"checkpoint .* cannot be read .*--fresh"):
        run_job(job, needed)
