"""`ganbench throughput`: what it refuses, how it backs off, what it leaves."""

from __future__ import annotations

import csv
import dataclasses
import html as html_module
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from doubles import FakeVendor
from markdown_it import MarkdownIt
from PIL import Image
from rich.console import Console
from torch.utils._python_dispatch import _disable_current_modes

from ganbench.cli import app
from ganbench.data.noise import noise_dataset
from ganbench.errors import UsageError
from ganbench.experiment.suite import Suite
from ganbench.machine.device import Device, choose
from ganbench.throughput.chart import figure_of
from ganbench.throughput.command import measure
from ganbench.throughput.curve import COLUMNS, rows_csv, rows_of
from ganbench.throughput.folder import choose_folder, describe
from ganbench.throughput.peak import Machine
from ganbench.throughput.point import Point, measure_point
from ganbench.throughput.readme import readme
from ganbench.throughput.request import Request, make, parse_batch_sizes
from ganbench.throughput.sweep import sweep
from ganbench.throughput.table import prefixed, terminal_table
from ganbench.training.execution import Execution

MACHINE = Machine({"512×512": 2e9, "convolution": 1e9}, bytes_per_second=1e8)
TINY = ("generator_width=4", "discriminator_width=4", "dcgan.image_size=32")
BROKEN = "import a_package_that_is_not_there\nVARIANT = None\n"
FAILING = """
import torch

from ganbench import Recipe, Variant, losses, networks

class Limited(torch.nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, latents):
        if len(latents) >= 8:
            raise {error}
        return self.network(latents)

def generator(recipe, dataset):
    return Limited(networks.dcgan_generator(recipe, dataset))

RECIPE = Recipe(image_size=32)
VARIANT = Variant("t", "p", RECIPE, generator, networks.dcgan_discriminator, losses.bce)
"""
RAISING = """
from ganbench import Recipe, Variant, losses, networks

def generator(recipe, dataset):
    raise ValueError("no | generator today")

VARIANT = Variant("t", "p", Recipe(), generator, networks.dcgan_discriminator, losses.bce)
"""


def ganbench(*arguments: object) -> int:
    with pytest.raises(SystemExit) as caught:
        app.main(["throughput", *map(str, arguments)])
    return int(caught.value.code or 0)


def request_of(*names: str, sizes: tuple[int, ...] = (4, 8)) -> Request:
    asked = [item for item in TINY if item.partition(".")[0] in names or "." not in item]
    suite = Suite(variants=names, dataset="digits", set=tuple(asked))
    return make(suite, sizes, device="cpu", data_root=Path())


def swept(
    request: Request,
    device: Device | None = None,
    measure: Callable[..., Point] = measure_point,
) -> list[Point]:
    quiet = device or choose("cpu")
    return list(sweep(request, quiet, 0.01, lambda _name: None, measure))


def point(size: int, rate: float | None, name: str = "a", **changes: object) -> Point:
    values = {"flops_per_image": 1e6, "bytes_per_image": 1e5, **changes}
    status = "ok" if rate is not None else "out of memory"
    return Point(name, status, batch_size=size, images_per_second=rate, **values)  # type: ignore[arg-type]


HOSTILE = "[a](b) | <b> `x` *y* $z$ \x1b[2J \udcff"


def test_texts_of_others_are_shown_as_they_are_in_the_readme(tmp_path):
    environment = {"device_name": HOSTILE, "device": "cpu", "device_reason": HOSTILE,
                   "processors": 2, "versions": {"torch": HOSTILE}}  # fmt: skip
    conditions = {
        "command": HOSTILE, "environment": environment, "load_average": [0.0],
        "seconds_a_point": 1.0, "execution": "float32", "notes": [HOSTILE],
    }  # fmt: skip
    rows = rows_of([point(4, 10.0, HOSTILE), point(8, None, HOSTILE, reason=HOSTILE)], MACHINE)
    text = readme(rows, describe(rows, MACHINE, conditions), has_chart=False)
    (tmp_path / "README.md").write_text(text, encoding="utf-8")
    html = MarkdownIt("commonmark").enable("table").render(text)
    assert "\x1b" not in text
    assert 'href="b"' not in html
    assert "<b>" not in html
    shown = html_module.unescape(re.sub("<[^>]*>", "", html))
    assert shown.count(r"[a](b) | <b> `x` *y* $z$ \x1b[2J \udcff") == 9


# --- What is asked for ---


def test_batch_sizes_are_read_in_rising_order():
    assert parse_batch_sizes("64, 2,256") == (2, 64, 256)


@pytest.mark.parametrize("text", ["", "32,,64", "1,2", "32;64", "1e2", "-4", "32,32"])
def test_batch_sizes_that_make_no_sense_are_refused(text):
    with pytest.raises(UsageError, match="--batch-sizes"):
        parse_batch_sizes(text)


@pytest.mark.parametrize("setting", ["batch_size=8", "mlp.batch_size=8", "mlp. batch_size =8"])
def test_a_batch_size_among_the_settings_contradicts_the_sweep(setting):
    suite = Suite(variants=("mlp",), set=(setting,))
    with pytest.raises(UsageError, match="contradicts --batch-sizes"):
        make(suite, (4,), device="cpu", data_root=Path())


def test_the_batch_sizes_are_taken_as_given_on_a_small_dataset():
    request = request_of("mlp", sizes=(512,))
    assert request.jobs[0].recipe["batch_size"] == 512
    assert not [note for note in request.notes if "batch_size" in note]


def test_all_means_every_variant_that_is_installed():
    suite = Suite(variants=("all",), dataset="digits")
    names = [job.variant for job in make(suite, (4,), device="cpu", data_root=Path()).jobs]
    assert {"mlp", "dcgan", "texthash"} <= set(names)


def test_an_unknown_variant_is_a_mistake_and_a_broken_one_is_not(tmp_path):
    with pytest.raises(UsageError, match="unknown variant 'mpl': did you mean mlp"):
        request_of("mpl")
    with pytest.raises(UsageError, match="cannot be read"):
        request_of(str(tmp_path / "nowhere.py"))
    (tmp_path / "bad.py").write_text(BROKEN, encoding="utf-8")
    request = request_of("mlp", str(tmp_path / "bad.py"))
    assert [job.variant for job in request.jobs] == ["mlp"]
    assert "a_package_that_is_not_there" in request.broken["bad"]


# --- Measuring ---


def test_a_point_counts_its_steps_on_the_training_clock():
    (job,) = request_of("texthash").jobs
    measured = measure_point(job, noise_dataset(job.spec, job.image_size), choose("cpu"), 0.01)
    assert measured.status == "ok"
    assert measured.batch_size == 4
    assert measured.timed_steps is not None
    assert measured.timed_steps >= 3
    assert measured.step_seconds_median is not None
    assert measured.step_seconds_p95 is not None
    assert 0 < measured.step_seconds_median <= measured.step_seconds_p95
    assert measured.flops_per_image is not None
    assert measured.bytes_per_image is not None
    assert min(measured.flops_per_image, measured.bytes_per_image) > 0
    assert measured.peak_memory_bytes is not None
    assert measured.peak_memory_bytes > 2**20


def test_a_point_in_bf16_says_so_and_its_products_are_too(tmp_path):
    formats = []

    def measure_peak(_device: Device, *, dtype: torch.dtype, **_how: object) -> Machine:
        formats.append(dtype)
        return MACHINE

    out = tmp_path / "out"
    suite = Suite(
        variants=("mlp",), dataset="digits", device="cpu", set=TINY[:1], precision="bf16", out=out
    )
    console = Console(file=io.StringIO())
    code = measure(
        suite, "4", seconds=0.01, fresh=False, command="", console=console,
        measure_peak=measure_peak,
    )  # fmt: skip
    assert code == 0
    assert formats == [torch.bfloat16] * 2
    (row,) = csv.DictReader((out / "throughput.csv").read_text().splitlines())
    assert (row["training_precision"], row["compiled"], row["captured"]) == ("bf16", "0", "0")
    assert row["compile_seconds"] == ""
    assert "- Steps: bf16\n" in (out / "README.md").read_text(encoding="utf-8")


def test_compiling_is_timed_apart_and_operations_are_counted_without_it(monkeypatch):
    (job,) = request_of("mlp", sizes=(4,)).jobs
    noise = noise_dataset(job.spec, job.image_size)
    plain = measure_point(job, noise, choose("cpu"), 0.01)
    calls = []

    def translated(function: Callable[..., object], **_how: object) -> Callable[..., object]:
        def call(*given: object) -> object:
            calls.append(function)
            with _disable_current_modes():  # compiled parts hide their operators
                return function(*given)

        return call

    monkeypatch.setattr(torch, "compile", translated)
    compiled = dataclasses.replace(job, execution=Execution(compile=True))
    measured = measure_point(compiled, noise, choose("cpu"), 0.01)
    assert (plain.compiled, plain.compile_seconds) == (False, None)
    assert measured.compiled
    assert measured.compile_seconds is not None
    assert measured.compile_seconds > 0
    assert measured.timed_steps is not None
    assert len(calls) >= 3 * measured.timed_steps  # three parts per step
    assert measured.flops_per_image == plain.flops_per_image > 0


def test_a_format_that_the_device_cannot_train_in_is_refused(tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ("--variants", "mlp", "--device", "cpu", "--precision", "fp16", "--out", out)
    assert ganbench(*arguments) == 2
    assert "--precision fp16 needs a CUDA device" in capsys.readouterr().err
    assert not out.exists()


def test_measuring_leaves_the_random_state_as_it_was():
    before = torch.get_rng_state()
    swept(request_of("mlp", sizes=(4,)))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.slow
@pytest.mark.parametrize(
    "error",
    [
        "torch.OutOfMemoryError('CUDA out of memory. Tried to allocate 2.00 GiB.')",
        "RuntimeError('MPS backend out of memory (MPS allocated: 17.95 GB)')",
        "MemoryError()",
    ],
)
def test_after_the_batch_that_does_not_fit_larger_ones_are_skipped(error, tmp_path):
    file = tmp_path / "limited.py"
    file.write_text(FAILING.format(error=error), encoding="utf-8")
    points = swept(request_of(str(file), "mlp", sizes=(4, 8, 16)))
    limited, mlp = points[:3], points[3:]
    assert [one.status for one in limited] == ["ok", "out of memory", "skipped"]
    assert error.partition("(")[0].removeprefix("torch.") in limited[1].reason
    assert limited[2].reason == f"batch 8: {limited[1].reason}"
    assert limited[1].images_per_second is None
    assert limited[1].batch_size == 8
    assert [one.status for one in mlp] == ["ok"] * 3


def test_a_cards_cache_is_emptied_when_its_memory_runs_out():
    vendor = FakeVendor()

    def full(*_arguments: object) -> Point:
        raise torch.OutOfMemoryError("CUDA out of memory")

    points = swept(request_of("mlp"), Device("cuda", vendor=vendor), full)
    assert [one.status for one in points] == ["out of memory", "skipped"]
    assert vendor.calls == ["empty cache"]


class SmallHost(Device):
    """The CPU of a machine with 40 GiB of free memory."""

    def free_memory_bytes(self) -> int:
        return 40 * 2**30


def test_a_batch_that_would_end_the_process_is_not_tried_on_the_cpu():
    """Linux grants memory that it does not have; nothing would be raised."""
    gigabyte = 2**30
    tried = []

    def measured(job: object, *_rest: object) -> Point:
        size = job.recipe["batch_size"]  # type: ignore[attr-defined]
        tried.append(size)
        return point(size, 1.0, peak_memory_bytes=(2 + size) * gigabyte)

    points = swept(request_of("mlp", sizes=(4, 8, 16, 64, 128)), SmallHost("cpu"), measured)
    assert tried == [4, 8, 16]
    assert [one.status for one in points] == ["ok"] * 3 + ["out of memory", "skipped"]
    assert "would need about 66 GiB" in points[3].reason


def test_a_variant_that_raises_becomes_a_row_and_the_others_go_on(tmp_path):
    (tmp_path / "bad.py").write_text(BROKEN, encoding="utf-8")
    (tmp_path / "raising.py").write_text(RAISING, encoding="utf-8")
    names = [str(tmp_path / "bad.py"), str(tmp_path / "raising.py"), "mlp"]
    points = swept(request_of(*names))
    assert [(one.variant, one.status) for one in points] == [
        ("bad", "failed"),
        ("raising", "failed"),
        ("raising", "skipped"),
        ("mlp", "ok"),
        ("mlp", "ok"),
    ]
    assert points[1].reason == "ValueError: no | generator today"


# --- The curve ---


def test_the_knee_is_the_smallest_batch_near_the_best():
    points = [point(8, 50.0), point(16, 94.0), point(32, 96.0), point(64, 100.0)]
    assert [row.is_knee for row in rows_of(points, MACHINE)] == [False, False, True, False]


def test_each_variant_has_its_own_knee_and_one_without_points_has_none():
    points = [point(8, 5.0, "a"), point(8, None, "b"), point(4, 7.0, "c"), point(8, 7.0, "c")]
    assert [row.is_knee for row in rows_of(points, MACHINE)] == [True, False, True, False]


def test_shares_follow_from_the_counted_operations():
    (row,) = rows_of([point(8, 500.0)], MACHINE)
    assert row.achieved_flops == 5e8
    assert row.share_of_peak == 0.25
    assert row.limit_images_per_second == 2000.0
    assert row.arithmetic_intensity == 10.0
    assert row.roofline_images_per_second == 1000.0  # memory allows 1e8 × 10 of the 2e9


def test_what_was_not_measured_is_empty_in_the_csv():
    text = rows_csv(rows_of([point(8, None, flops_per_image=None, reason="full")], MACHINE))
    (row,) = csv.DictReader(text.splitlines())
    assert tuple(row) == COLUMNS
    assert row["status"] == "out of memory"
    assert row["reason"] == "full"
    assert row["images_per_second"] == row["share_of_peak"] == row["flops_per_image"] == ""
    assert row["knee"] == "0"


def test_the_chart_shows_the_curve_its_knee_and_the_limit():
    from ganbench.report.charts.style import LIGHT, ChartStyle

    points = [point(8, 900.0), point(16, 1000.0), point(32, None), point(8, None, "b")]
    figure = figure_of(rows_of(points, MACHINE), "a machine", ChartStyle(LIGHT, ("a", "b")))
    assert figure is not None
    (panel,) = figure.axes
    curve, limit, ring = panel.lines
    assert list(curve.get_xdata()) == [8, 16]
    assert list(curve.get_ydata()) == [900.0, 1000.0]
    assert list(limit.get_ydata()) == [2000.0, 2000.0]
    assert limit.get_linestyle() == "--"
    assert (list(ring.get_xdata()), list(ring.get_ydata())) == ([16], [1000.0])
    texts = [text.get_text() for text in panel.texts]
    assert "1,000 images/s at 16\n50% of the limit" in texts
    assert "32: out of memory" in texts


def test_a_knee_at_the_largest_batch_is_named_as_such_beside_what_the_images_are():
    from ganbench.report.charts.style import LIGHT, ChartStyle

    shape = {"dataset": "mnist", "image_size": 28}
    points = [point(8, 900.0, **shape), point(16, 1000.0, **shape)]
    figure = figure_of(rows_of(points, MACHINE), "a machine", ChartStyle(LIGHT, ("a",)))
    assert figure is not None
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert "1,000 images/s at 16, the largest\n50% of the limit" in texts
    assert "mnist 28×28" in texts


def test_without_a_single_point_there_is_no_chart():
    from ganbench.report.charts.style import LIGHT, ChartStyle

    assert figure_of(rows_of([point(8, None)], MACHINE), "m", ChartStyle(LIGHT, ("a",))) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [(2.27e9, "2.27 GFLOP"), (999.0, "999 FLOP"), (1e3, "1 kFLOP"), (0.5, "0.500 FLOP")],
)
def test_large_numbers_take_a_prefix(value, text):
    assert prefixed(value, "FLOP") == text


def test_the_table_fits_a_narrow_terminal():
    names = ("texthash-naive", "dcgan")
    points = [
        point(
            size, 12_345.0 + size, name, step_seconds_median=0.1239, step_seconds_p95=0.2234,
            peak_memory_bytes=10**9,
        )
        for name in names
        for size in (1024, 2048)
    ]  # fmt: skip
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(terminal_table(rows_of(points, MACHINE)))
    text = console.export_text()
    assert "…" not in text
    assert "texthash-naive" in text
    assert "12,345" not in text
    assert "14,393" in text


# --- The folder ---


def test_a_folder_with_other_things_is_refused_and_an_earlier_sweep_needs_fresh(tmp_path):
    (tmp_path / "notes.md").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="holds no throughput"):
        choose_folder(tmp_path, "cpu", fresh=True)
    (tmp_path / "throughput.json").write_text("{}", encoding="utf-8")
    with pytest.raises(UsageError, match="--fresh"):
        choose_folder(tmp_path, "cpu", fresh=False)
    assert choose_folder(tmp_path, "cpu", fresh=True) == tmp_path


def test_the_folder_of_today_is_a_new_one_each_time(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = choose_folder(None, "cpu", fresh=False)
    second = choose_folder(None, "cpu", fresh=False)
    assert first.name.endswith("_cpu_throughput")
    assert second.name == f"{first.name}-2"


def test_a_sweep_leaves_its_files(tmp_path, capsys):
    (tmp_path / "raising.py").write_text(RAISING, encoding="utf-8")
    out = tmp_path / "out"
    code = ganbench(
        "--variants", f"mlp,{tmp_path / 'raising.py'}", "--batch-sizes", "8,4", "--seconds", "0.01",
        "--dataset", "digits", "--device", "cpu", "--set", TINY[0], "--out", out,
    )  # fmt: skip
    assert code == 1
    assert str(out) in capsys.readouterr().out.replace("\n", "")
    rows = list(csv.DictReader((out / "throughput.csv").read_text().splitlines()))
    assert [(row["variant"], row["batch_size"], row["status"]) for row in rows] == [
        ("mlp", "4", "ok"),
        ("mlp", "8", "ok"),
        ("raising", "4", "failed"),
        ("raising", "8", "skipped"),
    ]
    assert sum(int(row["knee"]) for row in rows) == 1
    document = json.loads((out / "throughput.json").read_text())
    assert document["environment"]["threads"] == torch.get_num_threads()
    machine = document["machine"]
    assert machine["flops_per_second"] == max(machine["products"].values()) > 0
    assert [one["batch_size"] for one in document["points"]] == [4, 8, 4, 8]
    text = (out / "README.md").read_text(encoding="utf-8")
    assert "charts/throughput.png" in text
    assert "no | generator today" in text  # in a list, where it parts no cells
    heads = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.replace("\\|", "").count("|") for line in heads}) == 1
    with Image.open(out / "charts" / "throughput.png") as chart:
        assert chart.width > 500


@pytest.mark.slow
def test_an_interrupted_sweep_keeps_what_it_measured(tmp_path):
    file = tmp_path / "interrupted.py"
    file.write_text(FAILING.format(error="KeyboardInterrupt"), encoding="utf-8")
    out = tmp_path / "out"
    code = ganbench(
        "--variants", file, "--batch-sizes", "4,8", "--seconds", "0.01", "--dataset", "digits",
        "--device", "cpu", "--set", TINY[0], "--set", TINY[1], "--out", out,
    )  # fmt: skip
    assert code == 130
    (row,) = csv.DictReader((out / "throughput.csv").read_text().splitlines())
    assert (row["batch_size"], row["status"]) == ("4", "ok")
    assert float(row["images_per_second"]) > 0


def test_a_mistake_ends_in_one_line_and_leaves_nothing(tmp_path, capsys):
    out = tmp_path / "out"
    assert ganbench("--variants", "mlp", "--batch-sizes", "many", "--out", out) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not out.exists()
