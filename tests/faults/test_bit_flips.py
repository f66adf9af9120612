"""Bits that flip in files at rest: each is noticed, and what can be computed again is."""

from __future__ import annotations

import gc
import hashlib
import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from fault_doubles import EVERY_PART
from launch_doubles import planned, resources
from PIL import Image

from ganbench import data
from ganbench.data.dataset import Dataset, Split, ignore_progress
from ganbench.data.resized import training_split
from ganbench.data.stacked import stack
from ganbench.errors import UsageError
from ganbench.experiment.checkpoint import read_checkpoint
from ganbench.launch.run_job import run_job
from ganbench.scoring.backbones import inception
from ganbench.scoring.backbones.classifier import classifier_file, obtain_classifier
from ganbench.scoring.backbones.classifier_process import train_apart
from ganbench.scoring.evaluate import Reference
from ganbench.scoring.reference_rows import reference_rows

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")


@pytest.fixture(autouse=True, scope="module")
def quick_collection():
    """Let memory be given back without a look at all that is loaded."""
    gc.freeze()
    yield
    gc.unfreeze()


def flipped(file: Path, choice: random.Random) -> None:
    """Flip one bit; half of the time in the last bytes, where checksums and directories are."""
    content = bytearray(file.read_bytes())
    first = max(0, len(content) - 64) if choice.random() < 0.5 else 0
    content[choice.randrange(first, len(content))] ^= 1 << choice.randrange(8)
    file.write_bytes(content)


def noticed(root: Path, use, flips: int, caplog) -> tuple[int, int]:
    """Flip bits in each file of a cache, one at a time; of how many that was said.

    What is computed must be as before, and the file must be whole again.
    """
    choice, seen, total = random.Random(0), 0, 0
    before = use()
    files = sorted(path for path in root.rglob("*") if path.is_file())
    whole = {file: file.read_bytes() for file in files}
    assert files
    for file in files:
        for _ in range(flips):
            flipped(file, choice)
            caplog.clear()
            assert use() == before
            lines = [line for line in caplog.messages if str(file) in line]
            seen += bool(lines)
            total += 1
            assert all("\n" not in line for line in lines)
            caplog.clear()
            assert use() == before
            assert caplog.messages == []
            file.write_bytes(whole[file])
    return seen, total


@pytest.fixture
def few(digits):
    """The digits, but only some of them, and known to no cache."""
    part = Split(digits.train.images[:200], digits.train.labels[:200])
    spec = replace(digits.spec, train_count=200, test_count=200)
    return Dataset.of(spec, part, part)


@pytest.fixture
def pictures(tmp_path, digits):
    """An image folder of two classes of twelve images."""
    for number, image in enumerate(digits.train.images[:24, 0].numpy()):
        folder = tmp_path / "pictures" / f"class {number % 2}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{number}.png")
    return tmp_path / "pictures"


def test_flipped_bits_of_decoded_images_and_of_their_hashes(tmp_path, pictures, caplog, figure):
    def use():
        name, places = (
            f"imagefolder:{pictures}",
            {"data_root": tmp_path, "cache_root": tmp_path / "cache"},
        )
        read = data.load(name, image_size=64, **places)
        return data.content_hash(name, **places), read.fingerprint, read.train.images.sum().item()

    seen, total = noticed(tmp_path / "cache", use, 60, caplog)
    figure(seen, total, "flipped bits of decoded images and their hashes were noticed")
    assert seen == total == 120


def test_flipped_bits_of_resized_images(tmp_path, few, caplog, figure):
    def use():
        split = training_split(few, 32, tmp_path, mapped_from_bytes=1)
        return split.images.numpy().tobytes()

    seen, total = noticed(tmp_path, use, 100, caplog)
    figure(seen, total, "flipped bits of resized images were noticed")
    assert seen == total == 100


def test_flipped_bits_of_stacked_digits(tmp_path, few, caplog, figure):
    spec = replace(data.describe("stacked-digits", tmp_path), train_count=300, test_count=100)

    def use():
        return stack(spec, few, tmp_path, ignore_progress, mapped_from_bytes=1).fingerprint

    seen, total = noticed(tmp_path, use, 50, caplog)
    figure(seen, total, "flipped bits of stacked digits were noticed")
    assert seen == total == 100


def test_flipped_bits_of_features_and_reference_rows(
    tmp_path, few, digits_backbone, caplog, figure
):
    def use():
        reference = Reference.of(few, digits_backbone, tmp_path, ignore_progress)
        vectors = (
            reference.real.vectors.numpy().tobytes(),
            reference.held_out.vectors.numpy().tobytes(),
        )
        scores = reference.score(reference.held_out, seed=0).scores
        return vectors, scores, reference_rows(reference, 8, tmp_path, ignore_progress)

    seen, total = noticed(tmp_path, use, 10, caplog)
    figure(seen, total, "flipped bits of features, statistics and reference rows were noticed")
    assert seen == total == 70


def test_flipped_bits_of_a_classifier(tmp_path, few, caplog, figure):
    cache, kept = tmp_path / "cache", tmp_path / "trained.npz"

    def trainer(plan, dataset, file, report):
        """Trains once, and gives the same classifier whenever it is asked again."""
        if not kept.exists():
            train_apart(plan, dataset, kept, report)
        shutil.copy(kept, file)

    def use():
        found = obtain_classifier(
            few, CPU, cache, most_images=200, published=tmp_path / "none", trainer=trainer
        )
        assert classifier_file(few, cache, 200).exists()
        return found.hash, found.accuracy

    seen, total = noticed(cache, use, 60, caplog)
    figure(seen, total, "flipped bits of a classifier were noticed")
    assert seen == total == 60


def test_flipped_bits_of_downloaded_weights(tmp_path, caplog, figure, monkeypatch):
    content = random.Random(1).randbytes(5_000)

    def download(_address, file, prefix, progress):
        assert hashlib.sha256(content).hexdigest().startswith(prefix)
        Path(file).write_bytes(content)

    digest = hashlib.sha256(content).hexdigest()[:8]
    monkeypatch.setattr(inception, "_WEIGHTS_HASH_PREFIX", digest)
    monkeypatch.setattr("ganbench.data.download.check_reachable", lambda _addresses: None)
    monkeypatch.setattr(torch.hub, "download_url_to_file", download)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))

    def use():
        return inception._weights(tmp_path / "cache", ignore_progress).read_bytes()

    seen, total = noticed(tmp_path / "cache", use, 100, caplog)
    figure(seen, total, "flipped bits of downloaded weights were noticed")
    assert seen == total == 100


def test_flipped_bits_of_a_checkpoint(tmp_path, cache_root, digits_backbone, figure):
    (job,) = planned(**{**EVERY_PART, "evaluate_every": None}).jobs
    file = run_job(job, resources(tmp_path, cache_root)).checkpoint
    whole, choice, seen, total = file.read_bytes(), random.Random(0), 0, 300
    read_checkpoint(file, job.id, CPU, "advice")
    for _ in range(total):
        flipped(file, choice)
        try:
            read_checkpoint(file, job.id, CPU, "advice")
        except UsageError as error:
            seen += str(error).startswith(f"checkpoint {file} ")
            assert "\n" not in str(error)  # noqa: PT017 - as it must be raised each time
        file.write_bytes(whole)
    figure(seen, total, "flipped bits of a checkpoint were noticed")
    assert seen == total


def test_flipped_bits_of_a_runs_tables_and_record(tmp_path, figure):
    """What has no checksum, as people may edit it, is at least never a traceback."""
    import results_doubles as doubles

    from ganbench.report.damaged import with_damaged_tables
    from ganbench.report.gather import gather

    out = doubles.write(tmp_path / "results", [doubles.result("dcgan"), doubles.result("mlp")])
    (run,) = out.glob("runs/dcgan-*")
    choice, total, read = random.Random(0), 0, 0
    for file in (run / "result.json", run / "history.csv", out / "plan.json"):
        whole = file.read_bytes()
        for _ in range(40):
            flipped(file, choice)
            results = with_damaged_tables(gather([out]))
            read += any(record.variant == "mlp" for record in results.records)
            assert all("\n" not in note for note in results.notes)
            total += 1
        file.write_bytes(whole)
    figure(
        read, total, "folders with a flipped bit in a record or table were read, or it was named"
    )
    assert read == total
