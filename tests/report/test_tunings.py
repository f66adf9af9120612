"""What a report says of a tuning, from the files of its folder."""

from __future__ import annotations

import io
import json

import launch_doubles
import pandas as pd
import pytest
from tuning_doubles import Launcher, done, find_variants_once, request

from ganbench.report.charts.best_over_trials import best_over_trials
from ganbench.report.charts.style import LIGHT, ChartStyle
from ganbench.report.content import content_of
from ganbench.report.gather import gather
from ganbench.report.readme import readme, write_report
from ganbench.report.tuning_section import tuning_sections
from ganbench.report.tunings import curve_csv, shown_tunings, trials_csv
from ganbench.tuning.record import TUNING_FILE


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tuning of two variants, of one of which a trial has failed."""
    path = tmp_path_factory.mktemp("tuning") / "out"
    with pytest.MonkeyPatch.context() as patch:
        find_variants_once(patch)
        Launcher(patch, failing=lambda job: job.variant == "mlp" and job.seed == 1001)
        done(request(path, trials=5), launch_doubles.display())
    return path


@pytest.fixture(scope="module")
def results(folder):
    return gather([folder])


def test_final_runs_are_rows_by_recipe_and_trials_are_none(results):
    (group,) = results.groups
    assert group.labels == ["mlp (default)", "mlp (tuned)", "dcgan (default)", "dcgan (tuned)"]
    assert {entry.result.seed for entry in group.entries} == {0, 1}


def test_trials_are_a_table_with_a_column_for_each_number(folder, results):
    table = pd.read_csv(io.StringIO(trials_csv(shown_tunings(results))))
    stored = json.loads((folder / TUNING_FILE).read_text())["results"]
    assert len(table) == len(stored) == 2 * (5 + 2)
    drawn = table[table["recipe"] == "drawn"]
    assert drawn.groupby("variant").size().to_dict() == {"mlp": 5, "dcgan": 5}
    failed = drawn[drawn["score"].isna()]
    assert failed[["variant", "trial", "status"]].to_numpy().tolist() == [["mlp", 2, "failed"]]
    for row, trial in zip(table.to_dict("records"), stored, strict=True):
        for key, value in trial["numbers"].items():
            assert row[key] == float(value)


def test_the_curve_ends_at_the_best_trial_and_holds_the_default_beside_it(results):
    curve = pd.read_csv(io.StringIO(curve_csv(shown_tunings(results))))
    trials = pd.read_csv(io.StringIO(trials_csv(shown_tunings(results))))
    for variant, own in curve.groupby("variant"):
        of_it = trials[trials["variant"] == variant]
        drawn, default = (of_it[of_it["recipe"] == kind]["score"] for kind in ("drawn", "default"))
        assert own["trials"].tolist() == [1, 2, 3, 4, 5]
        assert own["mean"].iloc[-1] == pytest.approx(drawn.min())
        assert own["default_mean"].unique() == pytest.approx([default.mean()])
    of_mlp = curve[curve["variant"] == "mlp"]
    assert of_mlp["mean"].isna().tolist() == [True, False, False, False, False]


def test_what_was_searched_and_found_stands_beside_the_default(folder, results):
    (section,) = tuning_sections(results, "fid")
    text = " ".join(section.about)
    assert text.startswith("Each of 2 variants had 5 trials of 8 epochs, drawn at random")
    assert "trained afresh on seeds 0, 1, which no trial had" in text
    outcome, space = section.tables
    stored = json.loads((folder / TUNING_FILE).read_text())
    rows = {row[0]: row for row in outcome.rows}
    assert rows["mlp"][1:3] == ("4 of 5", str(stored["winners"]["mlp"]))
    found = {(row[0], row[1]): row[2:] for row in space.rows}
    assert found["mlp", "beta1"][:2] == ("0|0.5|0.9", "0.9")
    assert found["dcgan", "lr_g"][:2] == ("2e-05:0.002:log", "0.0002")
    winner = next(
        trial for trial in stored["results"]
        if not trial["is_default"] and trial["variant"] == "dcgan"
        and trial["trial"] == stored["winners"]["dcgan"]
    )  # fmt: skip
    assert float(found["dcgan", "lr_g"][2]) == winner["numbers"]["lr_g"]


def test_tuned_and_default_are_compared_seed_by_seed(results):
    (section,) = tuning_sections(results, "fid")
    assert len(section.findings) == 2
    for variant, sentence in zip(("mlp", "dcgan"), section.findings, strict=True):
        assert f"{variant} (tuned)" in sentence
        assert f"{variant} (default)" in sentence
        assert "on FID (classifier)" in sentence


def test_the_chart_has_a_line_a_band_and_the_default_for_each_variant(results):
    (shown,) = shown_tunings(results)
    style = ChartStyle(LIGHT, tuple(results.labels))
    with style.applied():
        figure = best_over_trials(shown, style)
    together, *panels = figure.axes
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["all variants", "mlp", "dcgan"]
    assert len(together.lines) == 4
    for axes, variant in zip(panels, ("mlp", "dcgan"), strict=True):
        line, default = axes.lines
        points = [p for p in shown.tuning.curve(variant) if p.median is not None]
        assert line.get_ydata().tolist() == [point.median for point in points]
        assert set(default.get_ydata()) == {shown.default(variant).mean}
        assert len(axes.collections) == 1


@pytest.mark.slow  # all charts are drawn
def test_the_pages_hold_the_tuning_and_another_report_removes_nothing_of_it(folder):
    write_report([folder], None)
    text = (folder / "README.md").read_text()
    assert "## Tuning: digits · Imaginary CPU 9000 · 8 epochs" in text
    assert "](charts/best-over-trials-digits.png)" in text
    assert (folder / "charts" / "best-over-trials-digits.png").is_file()
    html = (folder / "report.html").read_text()
    assert "What was searched" in html
    assert 'download="trials.csv"' in html
    assert {"trials.csv", "best_over_trials.csv"} <= {path.name for path in folder.iterdir()}


def test_a_damaged_record_is_named_and_the_runs_are_shown_without_it(folder, tmp_path):
    stored = (folder / TUNING_FILE).read_text()
    try:
        (folder / TUNING_FILE).write_text(stored.replace('"fid"', '"fud"'))
        results = gather([folder])
    finally:
        (folder / TUNING_FILE).write_text(stored)
    assert shown_tunings(results) == []
    (note,) = results.notes
    assert "tuning.json cannot be read" in note
    assert "fud" in note
    assert len(results.entries) == 8
    assert "## Tuning" not in readme(content_of(results, "fid"), [], tmp_path)
