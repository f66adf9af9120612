"""A comparison in Python: what it reads is what the files say."""

from __future__ import annotations

import csv
import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from results_doubles import failed, result, write

import ganbench
from ganbench.errors import UsageError
from ganbench.launch.processes import without_main_module

RESULTS = [result(name, seed) for name in ("mlp", "dcgan") for seed in range(3)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("results") / "first"
    return write(path, [*RESULTS, failed("dcgan", 3)])


@pytest.fixture(scope="module")
def comparison(folder):
    return ganbench.load(folder)


def test_runs_have_one_row_per_run_with_its_numbers(comparison):
    runs = comparison.runs
    assert len(runs) == 7
    for record in RESULTS:
        (row,) = runs[runs["run_id"] == record.run_id].to_dict("records")
        assert row["fid"] == record.scores["fid"]
        assert row["images_per_second"] == record.images_per_second
    assert runs.loc[runs["status"] == "failed", "fid"].isna().all()


def test_the_summary_is_of_the_runs(comparison):
    summary = comparison.summary.set_index("variant")
    for name in ("mlp", "dcgan"):
        values = [r.scores["fid"] for r in RESULTS if r.variant == name]
        assert summary.loc[name, "fid_mean"] == pytest.approx(np.mean(values))
        assert summary.loc[name, "fid_std"] == pytest.approx(np.std(values, ddof=1))
    assert comparison.variants == ["mlp", "dcgan"]


def test_the_history_is_that_of_the_files(comparison, folder):
    history = comparison.history
    record = RESULTS[4]
    own = history[history["run_id"] == record.run_id]
    with (folder / "runs" / record.run_id / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert own["d_loss"].tolist() == [float(row["d_loss"]) for row in rows]
    assert set(own["variant"]) == {record.variant}
    assert set(own["seed"]) == {record.seed}


def test_what_there_is_not_is_an_empty_frame(comparison, tmp_path):
    assert comparison.scores_over_training.empty
    assert comparison.references.empty
    one = ganbench.load(write(tmp_path / "one", [result("mlp")], files=False))
    assert one.ranking.empty
    assert one.history.empty


def test_the_ranking_names_each_pair(comparison):
    pairs = comparison.ranking.query("score == 'fid'")
    assert set(map(frozenset, pairs[["variant_a", "variant_b"]].to_numpy().tolist())) == {
        frozenset({"mlp", "dcgan"})
    }


def test_a_chart_is_a_list_of_axes_that_jupyter_shows(comparison, tmp_path):
    chart = comparison.plot_tradeoff()
    assert [type(axes) for axes in chart] == [Axes]
    assert chart[0].figure is chart.figure
    assert chart._repr_png_().startswith(b"\x89PNG")
    chart.savefig(str(tmp_path / "chart.svg"))
    assert b"<svg" in (tmp_path / "chart.svg").read_bytes()


def test_a_chart_or_group_that_is_not_there_is_refused(comparison):
    with pytest.raises(UsageError, match="unknown chart 'qualit': did you mean quality"):
        comparison.plot("qualit")
    with pytest.raises(UsageError, match="unknown group 'cifar'"):
        comparison.plot_quality("cifar")
    with pytest.raises(UsageError, match="hold nothing for the chart 'over-training'"):
        comparison.plot_over_training()


def test_jupyter_shows_means_by_variant_and_no_markup_of_others(tmp_path, comparison):
    (table,) = pd.read_html(comparison._repr_html_()) if _has_reader() else (None,)
    html = comparison._repr_html_()
    assert "FID (classifier) ↓" in html
    assert html.count("<tr") == 3
    if table is not None:
        assert table.iloc[:, 0].tolist() == ["mlp", "dcgan"]
    harmful = result("mlp", dataset="imagefolder:<script>")
    shown = ganbench.load(write(tmp_path / "harmful", [harmful], files=False))._repr_html_()
    assert "<script>" not in shown


def _has_reader():
    try:
        import lxml  # noqa: F401
    except ImportError:
        return False
    return True


def test_a_folder_without_runs_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no finished run"):
        ganbench.load(tmp_path)
    with pytest.raises(UsageError, match="no results folder was given"):
        ganbench.load()


# --- Running


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "no variant was named"),
        ({"variants": ["nonsense"]}, "unknown variant 'nonsense'"),
        ({"variants": ["mlp"], "budget": "7"}, "budget '7' cannot be read"),
        ({"variants": ["mlp"], "settings": {"mlp.colour": 3}}, "colour"),
        ({"variants": ["mlp"], "seeds": 0}, "seeds 0"),
        ({"variants": ["mlp"], "backbone": "resnet"}, "backbone"),
    ],
)
def test_what_cannot_be_carried_out_is_the_line_of_the_command(arguments, message, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(UsageError, match=message) as caught:
        ganbench.run(dataset="digits", device="cpu", out=out, quiet=True, **arguments)
    assert "\n" not in str(caught.value)
    assert not out.exists()


def test_the_callers_script_is_no_part_of_the_processes_of_runs():
    before = sys.modules["__main__"]
    with without_main_module():
        assert not hasattr(sys.modules["__main__"], "__file__")
    assert sys.modules["__main__"] is before


def test_arguments_of_a_score_are_checked():
    for name, value in (("layout", "HWC"), ("fit", "pad"), ("value_range", "0-1")):
        with pytest.raises(UsageError, match=f"unknown {name} '{value}'"):
            ganbench.score(np.zeros((20, 8, 8), np.uint8), "digits", **{name: value})


@pytest.mark.slow
def test_a_run_from_python_is_one_of_the_command_line(tmp_path, capsys):
    from command_line import ganbench as command

    done = ganbench.run(
        variants="mlp", dataset="digits", device="cpu", budget="40steps", out=tmp_path / "a",
        quiet=True,
    )  # fmt: skip
    assert capsys.readouterr().out == ""
    arguments = ("--variants", "mlp", "--dataset", "digits", "--device", "cpu")
    assert command("run", *arguments, "--budget", "40steps", "--out", tmp_path / "b") == 0
    other = ganbench.load(tmp_path / "b")
    assert done.runs["run_id"].tolist() == other.runs["run_id"].tolist()
    assert done.runs["fid"].tolist() == other.runs["fid"].tolist()
    (run,) = (tmp_path / "a" / "runs").glob("[!.]*")
    generator = ganbench.load_generator(run, device="cpu")
    images = generator.sample(10, seed=2)
    size = generator.state.recipe.image_size
    assert images.shape == (10, size, size, 1)
    again = generator(generator.latents(10, seed=2))[:, 0].numpy()
    np.testing.assert_array_equal(images[..., 0], np.rint((again + 1) * 127.5).clip(0, 255))
