"""Reports of very many runs: what they cost, counted without a clock, and what they leave out."""

from __future__ import annotations

import csv
import re
from collections import Counter

import pytest
import results_doubles as doubles
from many_results import write_many

from ganbench.experiment.store import StoredRun
from ganbench.report import build, groups, recorded
from ganbench.report.charts import losses
from ganbench.report.comparison import ranking
from ganbench.report.comparison.families import corrected
from ganbench.report.comparison.statistics import holm
from ganbench.report.content import content_of
from ganbench.report.damaged import _MOST_CHECKED
from ganbench.report.gather import gather
from ganbench.report.readme import readme
from ganbench.report.scale import MOST_LISTED, MOST_NAMED, MOST_PAIRED, MOST_SEEDS_READ, listed


def counted(monkeypatch, path, variants, datasets, seeds):
    """How often the costly parts are called for one report, and the folder of the report."""
    write_many(path, variants, datasets, seeds)
    calls = Counter()

    def count(owner, name, key=None):
        whole = getattr(owner, name)

        def call(*arguments, **more):
            calls[name if key is None else key] += 1
            return whole(*arguments, **more)

        patch.setattr(owner, name, call)

    with monkeypatch.context() as patch:
        count(groups, "estimate")
        count(ranking, "contrast")
        count(ranking, "sentence_of")
        count(recorded.pd, "read_csv")
        count(StoredRun, "read", "runs")
        build([path])
    return calls, path


@pytest.mark.slow
def test_ten_times_the_seeds_cost_no_more_statistics_charts_or_text(tmp_path, monkeypatch):
    few, small = counted(monkeypatch, tmp_path / "few", 5, 2, 12)
    many, large = counted(monkeypatch, tmp_path / "many", 5, 2, 120)
    assert few["runs"] == 120
    assert many["runs"] == 1200
    for name in ("estimate", "contrast", "sentence_of"):
        assert 0 < many[name] <= few[name], name
    # History and scores of the runs that are looked through, which are the first of one variant,
    # and of the seeds that are drawn of the four others of the first dataset, each once
    assert many["read_csv"] == 2 * (_MOST_CHECKED + 4 * MOST_SEEDS_READ)
    # 5 variants, 10 pairs of them, two datasets; one cell has one estimate
    with (large / "summary.csv").open(newline="") as file:
        measured = [name for name in next(csv.reader(file)) if name.endswith("_ci_low")]
    cells = 5 * 2 * len(measured)
    assert many["estimate"] <= 1.5 * cells
    assert many["contrast"] <= 10 * 2 * len(measured)
    for name in ("README.md", "report.html"):
        assert (large / name).stat().st_size < 1.2 * (small / name).stat().st_size


def test_of_very_many_variants_only_pairs_with_the_leader_are_compared(tmp_path):
    variants = MOST_PAIRED + 2
    (group,) = gather([write_many(tmp_path, variants, 1, 2)]).groups
    means = {label: group.estimate(label, "fid").mean for label in group.labels}
    best = min(means, key=means.get)
    done = [item for item in ranking.contrasts_of(group, "fid") if item.score == "fid"]
    assert len(done) == variants - 1
    assert all(best in (item.side_a.name, item.side_b.name) for item in done)
    assert {item.family_size for item in done} == {variants * (variants - 1) // 2}


def test_pairs_that_are_not_tested_make_the_correction_no_weaker():
    p_values = [0.004, 0.2, 0.0001, 0.03, 0.7]
    every = holm(p_values)
    some = holm(p_values[:3], untested=2)
    assert all(a.p_value >= b.p_value for a, b in zip(some, every[:3], strict=True))
    assert some[2].p_value == pytest.approx(5 * 0.0001)
    assert corrected([], untested={"fid": 3}) == []


@pytest.mark.slow
def test_the_readme_of_many_variants_names_the_first_and_counts_the_others(tmp_path):
    path = write_many(tmp_path, MOST_NAMED + 10, 1, 2)
    content = content_of(gather([path]), "fid")
    text = readme(content, [], path)
    first = content.sections[0].ranked.rankings[0]
    assert first.order[-1] == ("and 10 more", "")
    assert len(first.sentences) == 8
    (group,) = gather([path]).groups
    means = {label: group.estimate(label, "fid").mean for label in group.labels}
    best = min(means, key=means.get)
    assert f"the leader, {best}, is compared here with the 8 that follow it" in text
    assert all(best in sentence for sentence in first.sentences)
    assert len(text) < 100_000


def test_very_many_failed_runs_are_rows_of_seeds_that_ended_alike(tmp_path):
    runs = [doubles.failed("dcgan", seed, run_id=f"d-{seed}") for seed in range(MOST_LISTED)]
    runs += [doubles.failed("mlp", seed, run_id=f"m-{seed}", reason="cut off") for seed in (3, 8)]
    path = doubles.write(tmp_path, runs, files=False)
    content = content_of(gather([path]), "fid")
    assert [(row.label, row.seed) for row in content.failures] == [
        ("dcgan", listed(range(MOST_LISTED))),
        ("mlp", "3, 8"),
    ]
    assert f"{MOST_LISTED + 2} runs did not complete" in readme(content, [], path)


def test_a_chart_reads_the_first_of_many_seeds_and_says_so(tmp_path, monkeypatch):
    path = write_many(tmp_path, 1, 1, MOST_SEEDS_READ + 5)
    (group,) = gather([path]).groups
    from ganbench.report.charts.style import LIGHT, ChartStyle

    style = ChartStyle(LIGHT, ("variant-0000",))
    figure = losses.losses(group, style)
    said = " ".join(text.get_text() for text in figure.texts)
    assert re.search(r"mean and 95% interval over the first 10 of 15 seeds", said)
    assert max(len(axes.lines) for axes in figure.axes) == 2
