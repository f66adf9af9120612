"""The command line as its users meet it: exit codes, one-line errors, help that is quick."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from command_line import ganbench, one_line
from fault_doubles import signal_at
from PIL import Image

from ganbench.errors import GanbenchError
from ganbench.machine.interrupt import Stopped
from ganbench.variant import registry

pytestmark = pytest.mark.usefixtures("digits_backbone")

SMALL = ["--dataset", "digits", "--device", "cpu", "--set", "batch_size=32"]
CONTRACT_COLUMNS = [
    "run_id",
    "status",
    "reason",
    "variant",
    "dataset",
    "seed",
    "device",
    "device_name",
    "steps",
    "images_seen",
    "train_seconds",
    "images_per_second",
    "sample_images_per_second",
    "peak_memory_bytes",
    "fid",
    "modes_covered",
    "modes_total",
    "mode_kl",
    "mode_entropy",
    "diversity",
    "recall",
    "coverage",
    "prompt_alignment",
    "backbone",
    "protocol",
    "parameters_generator",
    "parameters_discriminator",
]


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory, digits_backbone: object) -> Path:
    """A results folder of two variants, trained for a few steps."""
    out = tmp_path_factory.mktemp("results") / "digits"
    code = ganbench(
        "run", "--variants", "mlp,texthash,texthash-naive", *SMALL, "--budget", "6steps",
        "--set", "texthash.generator_width=4", "--set", "texthash-naive.generator_width=4",
        "--out", out,
    )  # fmt: skip
    assert code == 0
    return out


def test_a_comparison_leaves_the_files_that_were_promised(compared):
    for name in ("README.md", "runs.csv", "summary.csv", "report.html", "plan.json"):
        assert (compared / name).stat().st_size > 0
    assert list((compared / "charts").glob("*.png"))
    for run in (compared / "runs").iterdir():
        names = {file.name for file in run.rglob("*") if file.is_file()}
        assert {"result.json", "history.csv", "checkpoint.pt", "real-and-fake.png"} <= names


def test_the_table_of_runs_has_the_promised_columns_and_leaves_empty_what_does_not_apply(compared):
    table = pd.read_csv(compared / "runs.csv")
    assert list(table.columns[: len(CONTRACT_COLUMNS)]) == CONTRACT_COLUMNS
    rows = table.set_index("variant")
    assert set(rows["status"]) == {"ok"}
    assert set(rows["steps"]) == {6}
    assert set(rows["images_seen"]) == {6 * 32}
    assert pd.isna(rows.loc["mlp", "prompt_alignment"])
    assert 0 <= rows.loc["texthash", "prompt_alignment"] <= 1
    assert rows["fid"].gt(0).all()
    assert set(rows["modes_total"]) == {10}
    assert set(rows["backbone"]) == {"classifier"}
    assert len(set(rows["protocol"])) == 1
    assert rows.loc["mlp", "parameters_generator"] == 100 * 256 + 256 + 256 * 14**2 + 14**2


def test_the_same_command_keeps_finished_runs(compared, capsys):
    before = {file: file.stat().st_mtime_ns for file in (compared / "runs").rglob("result.json")}
    plan = json.loads((compared / "plan.json").read_text(encoding="utf-8"))
    assert len(plan["jobs"]) == 3
    code = ganbench(
        "run", "--variants", "mlp,texthash,texthash-naive", *SMALL, "--budget", "6steps",
        "--set", "texthash.generator_width=4", "--set", "texthash-naive.generator_width=4",
        "--out", compared,
    )  # fmt: skip
    assert code == 0
    assert capsys.readouterr().out.count("kept, it was finished before") == 3
    assert before == {
        file: file.stat().st_mtime_ns for file in (compared / "runs").rglob("result.json")
    }


def test_a_folder_of_another_plan_is_refused_and_left_as_it_is(compared, capsys):
    before = sorted(compared.rglob("*"))
    code = ganbench("run", "--variants", "mlp", *SMALL, "--budget", "1steps", "--out", compared)
    assert code == 2
    line = one_line(capsys)
    assert "holds runs of another plan" in line
    assert "mlp: budget was 6steps and is 1steps now" in line
    assert sorted(compared.rglob("*")) == before


def test_a_folder_that_holds_something_else_is_refused(tmp_path, capsys):
    (tmp_path / "thesis.tex").write_text("precious", encoding="utf-8")
    command = ["run", "--variants", "mlp", *SMALL, "--budget", "1steps", "--out", tmp_path]
    assert ganbench(*command) == 2
    assert "holds no results of ganbench" in one_line(capsys)
    assert ganbench(*command, "--fresh") == 2
    assert (tmp_path / "thesis.tex").read_text(encoding="utf-8") == "precious"


def test_a_path_that_cannot_be_written_is_refused(tmp_path, capsys):
    (tmp_path / "file").write_text("", encoding="utf-8")
    for out in (tmp_path / "file", tmp_path / "file" / "results"):
        assert ganbench("run", "--variants", "mlp", *SMALL, "--out", out) == 2
        assert "cannot be written" in one_line(capsys)


def test_a_dry_run_prints_the_plan_and_writes_nothing(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(
        "ganbench.workflow.expected_time.costs_of", lambda *_, **__: {}
    )  # tested by itself
    out = tmp_path / "results"
    code = ganbench("run", "--variants", "mlp,dcgan", *SMALL, "--dry-run", "--out", out)
    assert code == 0
    assert "dcgan" in capsys.readouterr().out
    assert not out.exists()


def test_a_sample_is_drawn_from_a_run(compared, tmp_path):
    (run,) = (compared / "runs").glob("mlp-*")
    picture = tmp_path / "mlp.png"
    assert ganbench("sample", run, "-n", 10, "--out", picture) == 0
    with Image.open(picture) as image:
        assert image.width >= 8 * 16
        assert image.height > 2 * 16


def test_a_prompt_is_drawn_and_unknown_words_are_named(compared, capsys):
    (run,) = (compared / "runs").glob("texthash-s*")
    assert ganbench("sample", run, "-n", 4, "--prompt", "a handwritten purple 7") == 0
    out = capsys.readouterr().out
    assert "not in the captions of digits: purple" in out
    assert (run / "sample-a-handwritten-purple-7.png").exists()
    (run / "sample-a-handwritten-purple-7.png").unlink()


def test_a_prompt_for_a_variant_without_text_is_refused(compared, capsys):
    (run,) = (compared / "runs").glob("mlp-*")
    assert ganbench("sample", run, "--prompt", "a 7") == 2
    assert "takes no prompt" in one_line(capsys)


def test_sampling_without_a_run_or_checkpoint_is_refused(compared, tmp_path, capsys):
    assert ganbench("sample", tmp_path) == 2
    assert "holds no run" in one_line(capsys)
    (run,) = (compared / "runs").glob("mlp-*")
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "result.json").write_bytes((run / "result.json").read_bytes())
    assert ganbench("sample", bare) == 2
    assert "has no checkpoint" in one_line(capsys)
    (bare / "checkpoint.pt").write_bytes(b"damaged")
    assert ganbench("sample", bare) == 2
    assert "checkpoint.pt cannot be read" in one_line(capsys)


def test_a_report_is_written_again_from_the_files_to_the_letter(compared):
    names = ("README.md", "runs.csv", "summary.csv")
    before = {name: (compared / name).read_bytes() for name in names}
    for name in names:
        (compared / name).unlink()
    assert ganbench("report", compared) == 0
    assert {name: (compared / name).read_bytes() for name in names} == before


def test_comparing_says_a_verdict_a_score_and_is_no_failure_where_nothing_is_resolved(
    compared, capsys
):
    pair = (f"{compared}:texthash", f"{compared}:texthash-naive")
    assert ganbench("compare", *pair, "--metric", "fid", "--json") == 0
    (verdict,) = json.loads(capsys.readouterr().out)["verdicts"]
    assert (verdict["score"], verdict["n"], verdict["verdict"]) == ("fid", 1, "not resolved")
    table = pd.read_csv(compared / "runs.csv").set_index("variant")["fid"]
    expected = table["texthash-naive"] - table["texthash"]
    assert verdict["difference"] == pytest.approx(expected, rel=1e-6)
    assert ganbench("compare", *pair) == 0
    assert "texthash-naive" in capsys.readouterr().out


def test_the_primary_score_can_be_chosen_and_must_be_there(compared, tmp_path, capsys):
    pair = (f"{compared}:texthash", f"{compared}:texthash-naive")
    assert ganbench("compare", *pair, "--primary", "recall", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["primary"], document["verdicts"][0]["score"]) == ("recall", "recall")
    assert ganbench("compare", *pair, "--primary", "reacll") == 2
    assert "did you mean recall" in one_line(capsys)
    out = tmp_path / "again"
    assert ganbench("report", compared, "--out", out, "--primary", "kidd") == 2
    assert "unknown primary score 'kidd'" in one_line(capsys)
    assert not out.exists()
    assert ganbench("report", compared, "--out", out, "--primary", "kid") == 0


def test_comparing_with_what_is_not_there_is_refused(compared, capsys):
    assert ganbench("compare", compared, f"{compared}:dcgna") == 2
    assert "dcgna" in one_line(capsys)
    assert ganbench("compare", f"{compared}:mlp", f"{compared}:texthash", "--metric", "fdi") == 2
    assert "did you mean fid" in one_line(capsys)


def test_a_report_of_no_results_is_refused(tmp_path, capsys):
    assert ganbench("report", tmp_path / "none") == 2
    assert "none" in one_line(capsys)


def test_joining_folders_needs_a_new_one(compared, capsys):
    assert ganbench("report", compared, compared) == 2
    assert "--out" in one_line(capsys)


BROKEN = '''"""Breaks in its first step."""
from ganbench import Recipe, Variant, losses, networks
from torch import nn

class Bad(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(nn.init.zeros_(__import__("torch").empty(1)))
    def forward(self, images):
        raise RuntimeError("my own\\nmistake")

VARIANT = Variant(
    title="broken", paper="", recipe=Recipe(generator_width=4),
    generator=networks.dcgan_generator, discriminator=lambda recipe, dataset: Bad(),
    losses=losses.bce,
)
'''


def test_a_failing_run_is_a_row_with_its_reason_and_the_others_go_on(tmp_path, capsys):
    plugin = tmp_path / "broken.py"
    plugin.write_text(BROKEN, encoding="utf-8")
    out = tmp_path / "results"
    code = ganbench(
        "run", "--variants", f"{plugin},mlp", *SMALL, "--budget", "2steps", "--out", out
    )
    assert code == 1
    table = pd.read_csv(out / "runs.csv").set_index("variant")
    assert table.loc["broken", "status"] == "failed"
    assert table.loc["broken", "reason"] == "broken: RuntimeError: my own mistake (line 10)"
    assert pd.isna(table.loc["broken", "fid"])
    assert table.loc["mlp", "status"] == "ok"
    assert list((out / "runs").glob("broken-*/error.txt"))
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.slow
def test_a_run_in_bfloat16_is_trained_scored_and_says_so(tmp_path, digits_backbone):
    out = tmp_path / "results"
    code = ganbench(
        "run", "--variants", "mlp", *SMALL, "--budget", "12steps", "--precision", "bf16",
        "--out", out,
    )  # fmt: skip
    assert code == 0
    row = pd.read_csv(out / "runs.csv").loc[0]
    assert row["training_precision"] == "bf16"
    assert not row["compiled"]
    assert pd.isna(row["compile_seconds"])
    assert row["fid"] > 0
    (record,) = out.glob("runs/*/result.json")
    assert set(json.loads(record.read_text())["phase_seconds"]) == {
        "data", "discriminator", "generator", "measures",
    }  # fmt: skip
    text = (out / "README.md").read_text()
    assert "bf16" in text
    assert "Phases of a step" in text


@pytest.mark.slow
def test_a_compiler_that_fails_is_the_reason_of_a_failed_run(tmp_path):
    """In a process of its own, as torch looks for compilers when it is loaded."""
    out = tmp_path / "results"
    command = ["run", "--variants", "mlp", *SMALL, "--budget", "2steps", "--compile", "--out", out]
    without_compiler = {"CXX": "no-such-compiler", "TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "ganbench.cli.app", *map(str, command)],
        env={**os.environ, **without_compiler}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    row = pd.read_csv(out / "runs.csv").loc[0]
    assert row["status"] == "failed"
    assert "cannot be carried out with compile" in row["reason"]
    assert "leave that out" in row["reason"]


DIVERGING = '''"""Its losses overflow."""
from torch import nn
from ganbench import Losses, Recipe, Variant
from ganbench.variants import mlp

def objectives(recipe, dataset):
    def d_loss(discriminator, real, fake):
        return discriminator(real).exp().exp().exp().sum() * 1e38 * 1e38
    return Losses(d_loss, lambda discriminator, real, fake: discriminator(fake).mean())

VARIANT = Variant(
    title="diverging", paper="", recipe=Recipe(image_size=28, budget="5steps"),
    generator=mlp.generator, discriminator=mlp.discriminator, losses=objectives,
)
'''


def test_a_run_that_diverges_is_said_to(tmp_path):
    plugin = tmp_path / "diverging.py"
    plugin.write_text(DIVERGING, encoding="utf-8")
    out = tmp_path / "results"
    assert ganbench("run", "--variants", plugin, *SMALL, "--out", out) == 1
    table = pd.read_csv(out / "runs.csv")
    assert table.loc[0, "status"] == "diverged"
    assert "d_loss is not finite at step 1" in table.loc[0, "reason"]
    assert pd.isna(table.loc[0, "fid"])


@pytest.mark.slow
def test_checking_all_goes_on_after_a_broken_plugin(install, capsys, monkeypatch):
    built_in = registry._built_in()
    few = [each for each in built_in if each.name in ("mlp", "texthash")]
    monkeypatch.setattr(registry, "_built_in", lambda: few)
    install({"awry": "plugin_i:VARIANT"}, {"plugin_i.py": "VARIANT = 3"})
    assert ganbench("check", "all") == 1
    printed = capsys.readouterr().out
    assert "broken  variant 'awry'" in printed
    assert "texthash keeps the contract" in printed


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run"], "no variant was named"),
        (["run", "--variants", "dcgna"], "did you mean dcgan"),
        (["run", "--variants", "./not-there.py"], "not-there.py"),
        (["run", "--variants", "mlp", "--dataset", "mnits"], "did you mean mnist"),
        (["run", "--variants", "mlp", "--set", "lrg=1"], "did you mean lr_g"),
        (["run", "--variants", "mlp", "--set", "lr_g=x"], "lr_g=x is not allowed"),
        (["run", "--variants", "mlp", "--device", "cuda:77"], "cuda:77"),
        (["run", "--variants", "mlp", "--device", "tpu"], "allowed: auto, cuda"),
        (["run", "--variants", "mlp", "--budget", "20"], "give a number and a unit"),
        (["run", "--variants", "mlp", "--seeds", "none"], "give a count such as 3"),
        (["run", "--variants", "mlp", "--backbone", "vgg"], "backbone: 'vgg' is not allowed"),
        (["run", "--variants", "mlp", "--jobs", "0"], "--jobs"),
        (["run", "--variants", "mlp", "--precision", "fp8"], "'fp32', 'bf16' or 'fp16'"),
        (["run", "--variants", "mlp", "--device", "cpu", "--cuda-graphs"], "leave it out"),
        (["run", "--varaints", "mlp"], "--variants"),
        (["run", "none.yaml"], "none.yaml cannot be read"),
        (["run", "--variants", "mlp", "--dataset", "imagefolder:/none"], "/none"),
        (["list", "datsets"], "did you mean datasets"),
        (["check", "dcgna"], "did you mean dcgan"),
        (["nonsense"], "nonsense"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line_with_exit_code_2(arguments, message, capsys):
    assert ganbench(*arguments) == 2
    assert message in one_line(capsys)


def test_starting_over_keeps_the_old_runs_where_the_new_ones_cannot_begin(
    compared, tmp_path, capsys
):
    (tmp_path / "weights.pth").write_bytes(b"none")
    before = sorted(compared.rglob("*"))
    code = ganbench(
        "run", "--variants", "mlp", *SMALL, "--budget", "1steps", "--fresh", "--out", compared,
        "--backbone", "inception", "--inception-weights", tmp_path / "weights.pth",
    )  # fmt: skip
    assert code == 2
    assert "weights.pth" in one_line(capsys)
    assert sorted(compared.rglob("*")) == before


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Stopped, 130),
        (OSError("No space left on device"), 2),
        (GanbenchError("its process was ended; the same command goes on"), 1),
    ],
)
def test_starting_over_is_not_advised_to_begin_again_where_it_was_ended(
    tmp_path, monkeypatch, capsys, error, code
):
    """Its finished runs would be removed by the same command."""

    def end(*_arguments, **_names):
        raise error

    monkeypatch.setattr("ganbench.launch.local.launch", end)
    command = ["run", "--variants", "mlp", *SMALL, "--budget", "1steps", "--out", tmp_path / "out"]
    for flags, advice in (([], "the same command"), (["--fresh"], "same command without --fresh")):
        assert ganbench(*command, *flags) == code
        said = " ".join("".join(capsys.readouterr()).split())
        assert advice in said
        assert ("without --fresh" in said) == bool(flags)


@pytest.mark.slow
def test_starting_over_removes_the_report_of_what_is_gone(tmp_path, monkeypatch):
    out = tmp_path / "out"
    command = ["run", "--variants", "mlp", *SMALL, "--out", out]
    assert ganbench(*command, "--budget", "1steps") == 0
    (out / "notes.md").write_text("By hand.")
    (out / "charts" / "own.png").write_bytes(b"own")

    def end(*_arguments, **_names):
        raise Stopped

    monkeypatch.setattr("ganbench.launch.local.launch", end)
    assert ganbench(*command, "--budget", "2steps", "--fresh") == 130
    left = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    assert left == {"plan.json", "notes.md", "charts/own.png"}


def test_the_same_command_gives_the_same_scores_to_the_last_bit(compared, tmp_path):
    out = tmp_path / "again"
    code = ganbench("run", "--variants", "mlp", *SMALL, "--budget", "6steps", "--out", out)
    assert code == 0
    tables = [pd.read_csv(folder / "runs.csv") for folder in (compared, out)]
    first, second = (table[table["variant"] == "mlp"].iloc[0] for table in tables)
    same = [name for name in second.index if "second" not in name and "bytes" not in name]
    assert "recipe_lr_g" in same  # the first table has columns of another variant's recipe too
    pd.testing.assert_series_equal(first[same], second[same], check_names=False, check_exact=True)


def test_list_names_every_builtin_variant_and_dataset(capsys):
    assert ganbench("list") == 0
    out = capsys.readouterr().out
    for name in ("mlp", "dcgan-smooth", "texthash-naive", "digits", "fid", "inception"):
        assert name in out


def test_check_passes_on_a_builtin_variant(capsys):
    assert ganbench("check", "mlp") == 0
    assert "keeps the contract" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [["--help"], ["list"], ["run", "--help"], ["selftest", "--help"]]
)
def test_help_and_list_load_no_torch_and_no_pandas(arguments):
    code = (
        "import sys; from ganbench.cli import app\n"
        "try:\n    app.main(sys.argv[1:])\nexcept SystemExit as end:\n    assert not end.code\n"
        "loaded = {'torch', 'pandas', 'seaborn', 'sklearn', 'torchvision'} & set(sys.modules)\n"
        "assert not loaded, loaded"
    )
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True)


def test_a_plan_is_made_without_packages_that_only_images_and_inception_need():
    code = (
        "import sys, ganbench.launch.local, ganbench.launch.run_job\n"
        "loaded = {'torchvision', 'torch_fidelity'} & set(sys.modules)\n"
        "assert not loaded, loaded"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.mark.slow
def test_an_interrupted_run_is_saved_and_goes_on(tmp_path, cache_root):
    """The same result as that of a run that was never interrupted, through real signals."""
    import signal
    import time

    def command(out: Path) -> list[str]:
        return [
            sys.executable, "-m", "ganbench.cli.app", "run", "--variants", "mlp", *SMALL,
            "--budget", "1200steps", "--sample-every", "100epochs", "--out", str(out),
        ]  # fmt: skip

    with subprocess.Popen(command(tmp_path / "a"), stdout=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not list(tmp_path.glob("a/runs/.*/samples")):
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 130, out
    assert "stopped and saved" in out
    resumed = subprocess.run(command(tmp_path / "a"), capture_output=True, text=True, check=True)
    assert "goes on at step" in resumed.stdout
    assert ganbench(*command(tmp_path / "b")[3:]) == 0

    import torch

    states = []
    for name in "ab":
        (file,) = tmp_path.glob(f"{name}/runs/mlp-*/checkpoint.pt")
        states.append(torch.load(file, weights_only=True)["networks"])
    for network in ("generator", "discriminator"):
        for key, value in states[0][network].items():
            assert torch.equal(value, states[1][network][key])


MINE = '''"""A variant from a file, with a number of its own."""
import ganbench
from ganbench.variants import mlp

class Recipe(ganbench.Recipe):
    """One number more."""

    extra: float = 1.0

VARIANT = ganbench.Variant(
    title="mine", paper="", recipe=Recipe(image_size=28, generator_width=16),
    generator=mlp.generator, discriminator=mlp.discriminator, losses=ganbench.variant.losses.bce,
)
'''


@pytest.mark.slow
def test_runs_side_by_side_give_the_same_scores(tmp_path):
    plugin = tmp_path / "mine.py"
    plugin.write_text(MINE, encoding="utf-8")
    tables = []
    for jobs in (1, 2):
        out = tmp_path / str(jobs)
        code = ganbench(
            "run", "--variants", plugin, *SMALL, "--budget", "5steps", "--seeds", 2,
            "--jobs", jobs, "--out", out,
        )  # fmt: skip
        assert code == 0
        tables.append(pd.read_csv(out / "runs.csv")[["run_id", "modes_covered", "seed"]])
    assert tables[0].equals(tables[1])


@pytest.mark.slow
def test_scores_during_training_are_stored_and_do_not_change_it(tmp_path):
    command = ["run", "--variants", "mlp", *SMALL, "--budget", "5steps", "--out"]
    assert ganbench(*command, tmp_path / "plain") == 0
    assert ganbench(*command, tmp_path / "scored", "--evaluate-every", "2steps") == 0
    plain, scored = (
        pd.read_csv(tmp_path / name / "runs.csv").iloc[0] for name in ("plain", "scored")
    )
    for name in ("fid", "recall", "diversity", "steps"):
        assert plain[name] == scored[name]
    (file,) = (tmp_path / "scored" / "runs").glob("*/scores.csv")
    over_training = pd.read_csv(file)
    assert over_training["step"].tolist() == [2, 4, 5]
    assert over_training["fid"].gt(0).all()
    best = over_training.loc[over_training["fid"].idxmin(), "step"]
    assert scored["best_step"] == best
    assert scored["evaluations"] == 3
    assert scored["over_training_protocol"] != scored["protocol"]  # half as many images
    assert ganbench("sample", file.parent, "--best", "-n", 4) == 0
    assert (file.parent / "sample.png").exists()
    (plain_run,) = (tmp_path / "plain" / "runs").iterdir()
    assert ganbench("sample", plain_run, "--best") == 2


def test_a_budget_for_scoring_that_cannot_be_read_is_refused(capsys):
    assert ganbench("run", "--variants", "mlp", *SMALL, "--evaluate-every", "5") == 2
    assert "5" in one_line(capsys)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_says_so_in_one_line(capsys, number):
    with signal_at(10, number) as calls:
        assert ganbench("list", "metrics") == 130
    assert calls[0] >= 10
    assert one_line(capsys) == ("ganbench: interrupted; the same command goes on where it was\n")


@pytest.mark.parametrize(
    ("arguments", "code"), [(["--version"], 0), (["list", "nothing"], 2), (["--help"], 0)]
)
def test_the_script_ends_with_its_code_after_all_that_waits_for_the_end(arguments, code):
    program = (
        "import atexit, sys\nfrom ganbench.cli.app import script\n"
        f"sys.argv = ['ganbench', *{arguments}]\natexit.register(print, 'the end')\nscript()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == code
    assert done.stdout.splitlines()[-1] == "the end"
    assert "Traceback" not in done.stderr


def test_the_script_waits_for_threads_that_still_work():
    program = (
        "import sys, threading\nfrom ganbench.cli.app import script\n"
        "sys.argv = ['ganbench', '--version']\n"
        "late = lambda: (threading.main_thread().join(), print('still there'))\n"
        "threading.Thread(target=late).start()\nscript()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "still there"


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("sample", "a-run", "--interpolate", "6"), "(ganbench sample --help shows what there is)"),
        (("no-command",), "(ganbench --help shows what there is)"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_help_of_its_own_command(arguments, hint, capsys):
    assert ganbench(*arguments) == 2
    assert one_line(capsys).strip().endswith(hint)
