"""A disk that is full, or a folder that vanishes, at any moment: one line, and nothing is lost."""

from __future__ import annotations

import gc
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest
import results_doubles as doubles
from command_line import ganbench, one_line
from fault_doubles import EVERY_PART, at_write, command, fill_disk, results, same, weights
from launch_doubles import planned, resources

from ganbench.data.dataset import Dataset, Split
from ganbench.errors import DataError, UsageError
from ganbench.launch.run_job import run_job
from ganbench.report import readme
from ganbench.report.charts.all_charts import draw_all
from ganbench.report.comparison.families import PRIMARY
from ganbench.report.gather import gather
from ganbench.scoring.backbones.classifier import obtain_classifier

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full"),
]


@pytest.fixture(scope="module")
def calm(tmp_path_factory, digits_backbone):
    """A job, the folder of a run of it that nothing disturbed, and the cache that this filled."""
    gc.freeze()  # so that memory is given back quickly
    root = tmp_path_factory.mktemp("calm")
    (job,) = planned(**EVERY_PART).jobs
    run_job(job, resources(root, root / "cache"))
    yield job, root / "results", root / "cache"
    gc.unfreeze()


def parts(*roots):
    return [path for root in roots for path in root.rglob(".part-*")]


def is_equal(out, other):
    (one,), (two,) = results(out), results(other)
    return one["scores"] == two["scores"] and same(weights(out), weights(other))


# --- A run ---


@pytest.mark.parametrize(("where", "least"), [("results", 14), ("cache", 6)])
def test_a_disk_that_is_full_at_the_nth_write_loses_nothing(calm, tmp_path, figure, where, least):
    job, undisturbed, filled = calm
    survived = number = 0
    while True:
        root = tmp_path / f"{number}"
        needed = resources(root, filled if where == "results" else root / "cache")
        with at_write(number, root / where, fill_disk):
            try:
                run_job(job, needed)
                break  # all has been written
            except UsageError as error:
                said = str(error)
        assert "No space left" in said
        assert "\n" not in said
        assert parts(root) == []
        run_job(job, resources(root, needed.cache_root))
        survived += is_equal(needed.folder.path, undisturbed)
        number += 1
    figure(survived, number, f"full disks at the n-th write to the {where} lost nothing")
    assert survived == number >= least


def test_results_that_vanish_at_the_nth_write_end_the_command_in_one_line(calm, tmp_path, figure):
    job, _, filled = calm
    said, number = 0, 0
    while True:
        root = tmp_path / f"{number}"
        needed = resources(root, filled)
        with at_write(number, root / "results", lambda _: shutil.rmtree(needed.folder.path)):  # noqa: B023 - used here
            try:
                run_job(job, needed)
                break
            except UsageError as error:
                assert "\n" not in str(error)  # noqa: PT017 - at the end there is none
                said += str(needed.folder.path) in str(error)
        number += 1
    figure(said, number, "vanished results folders were named in one line")
    assert said == number >= 14


def test_a_full_disk_at_the_end_of_a_classifiers_training_is_said(tmp_path, digits):
    few = Split(digits.train.images[:64], digits.train.labels[:64])
    small = Dataset(digits.spec, few, few, "0" * 16)
    with (
        at_write(0, tmp_path, fill_disk),
        pytest.raises(DataError, match="No space left") as caught,
    ):
        obtain_classifier(small, "cpu", tmp_path, most_images=64, published=tmp_path / "none")
    assert "\n" not in str(caught.value)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


# --- A report ---


def files_of(folder):
    return {
        path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_a_report_is_never_seen_in_part(tmp_path, figure, capsys, monkeypatch):
    old, new = tmp_path / "old" / "results", tmp_path / "new" / "results"
    doubles.write(old, [doubles.result("dcgan"), doubles.result("mlp")])
    assert ganbench("report", old) == 0
    shutil.copytree(old, new)
    doubles.write(tmp_path / "more", [doubles.result("dcgan-smooth")])
    shutil.copytree(tmp_path / "more" / "runs", new / "runs", dirs_exist_ok=True)
    charts = draw_all(gather([new]), PRIMARY)
    monkeypatch.setattr(readme, "draw_all", lambda *_arguments: charts)
    seen = []
    for number in range(10**6):
        out = tmp_path / f"{number}" / "results"
        shutil.copytree(new, out)
        capsys.readouterr()
        with at_write(number, out, fill_disk):
            code = ganbench("report", out)
        seen.append(files_of(out))
        if code == 0:
            break  # all has been written
        assert code == 2
        assert "No space left" in one_line(capsys)
    before, after = files_of(new), seen.pop()
    survived = sum(
        all(content in (before.get(name), after.get(name)) for name, content in some.items())
        for some in seen
    )
    figure(survived, len(seen), "full disks left every file of a report as it was, or whole")
    assert survived == len(seen) > 8
    assert before != after


# --- A disk of the system ---


@contextmanager
def small_disk(folder, kilobytes):
    """Mount a disk of a few kilobytes, whose size a function that is given can change."""
    folder.mkdir()

    def mount(*options):
        line = ["mount", "-t", "tmpfs", "-o", *options, "none", str(folder)]
        return subprocess.run(line, capture_output=True, text=True, check=False)

    done = mount(f"size={kilobytes}k") if shutil.which("mount") else None
    if done is None or done.returncode:
        pytest.skip(f"no disk can be mounted here: {done.stderr.strip() if done else 'no mount'}")
    try:
        yield lambda more: mount(f"remount,size={more}k")
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture(scope="module")
def calm_command(tmp_path_factory, digits_backbone):
    """What a command left that nothing disturbed, and its flags."""
    flags = ("--budget", "60steps", "--sample-every", "20steps")
    out = tmp_path_factory.mktemp("command") / "out"
    subprocess.run(command(out, *flags), check=True, capture_output=True)
    return out, flags


@pytest.mark.parametrize(("where", "sizes"), [("results", (80, 600)), ("cache", (600,))])
def test_a_command_goes_on_when_a_full_disk_has_room_again(
    tmp_path, calm_command, figure, monkeypatch, where, sizes
):
    undisturbed, flags = calm_command
    refused = 0
    with small_disk(tmp_path / "disk", sizes[0]) as resize:
        out = tmp_path / ("disk/out" if where == "results" else "out")
        if where == "cache":
            monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "disk"))
        for size in (*sizes, 8_000):
            resize(size)
            done = subprocess.run(command(out, *flags), capture_output=True, text=True, check=False)
            if size != 8_000:
                assert done.returncode == 2, done.stdout + done.stderr
                assert "No space left" in done.stderr
                refused += done.stderr.count("\n") == 1
        assert done.returncode == 0, done.stderr
        assert is_equal(out, undisturbed)
        assert parts(out, tmp_path / "disk") == []
    figure(refused, len(sizes), f"full disks below the {where} were said in one line")
    assert refused == len(sizes)
