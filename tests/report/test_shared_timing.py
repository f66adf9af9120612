"""Speeds that were measured while other runs went on are marked wherever they are shown."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path

import pytest
import results_doubles as doubles
from rich.console import Console

from ganbench.report import build, summary_table
from ganbench.report.charts.scores import shared_timing_text
from ganbench.report.charts.style import LIGHT, ChartStyle
from ganbench.report.charts.tradeoff import tradeoff
from ganbench.report.comparison.compare import compare
from ganbench.report.gather import gather

MARK = "†"


def folder(path: Path, shared: dict[str, bool | None], seeds: int = 3, **changes) -> Path:
    runs = [
        doubles.result(variant, seed, timing_shared=flag, **changes)
        for variant, flag in shared.items()
        for seed in range(seeds)
    ]
    return doubles.write(path, runs, files=False)


def rows(file: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"))))


@pytest.fixture(scope="module")
def mixed(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("shared") / "mixed"
    return build([folder(path, {"mlp": True, "dcgan": False})])


def test_the_tables_for_programs_say_which_speeds_are_shared(mixed):
    shared = {row["variant"]: row["timing_shared"] for row in rows(mixed / "runs.csv")}
    assert shared == {"mlp": "True", "dcgan": "False"}
    shared = {row["variant"]: row["timing_shared"] for row in rows(mixed / "summary.csv")}
    assert shared == {"mlp": "True", "dcgan": "False"}


def test_a_run_without_speeds_leaves_the_column_empty(tmp_path):
    build([folder(tmp_path / "none", {"mlp": None}, images_per_second=None)])
    assert {row["timing_shared"] for row in rows(tmp_path / "none" / "runs.csv")} == {""}
    assert {row["timing_shared"] for row in rows(tmp_path / "none" / "summary.csv")} == {""}


@pytest.mark.parametrize("name", ["README.md", "report.html"])
def test_the_pages_mark_each_shared_speed_and_say_what_the_mark_means(mixed, name):
    text = (mixed / name).read_text(encoding="utf-8")
    speeds = 4  # training, step median and 95th percentile, sampling: of mlp alone
    assert text.count(MARK) == speeds + 1
    assert "Measured while other runs shared the machine" in text
    assert "--exclusive-timing" in text


def test_the_ranking_by_a_shared_speed_says_so_and_other_rankings_do_not(mixed):
    lines = [
        line
        for line in (mixed / "README.md").read_text(encoding="utf-8").splitlines()
        if "better than" in line or "not resolved" in line
    ]
    remark = "while other runs shared the machine"
    assert all((remark in line) == ("Training images/s" in line) for line in lines)
    assert any(remark in line for line in lines)
    sentences = {row["score"]: row["sentence"] for row in rows(mixed / "ranking.csv")}
    assert remark in sentences["step_seconds_median"]
    assert remark not in sentences["fid"]


def test_the_terminal_marks_them_too(mixed):
    text = io.StringIO()
    Console(file=text, width=200).print(summary_table(mixed))
    line = next(one for one in text.getvalue().splitlines() if one.startswith("mlp"))
    assert MARK in line
    assert MARK not in next(one for one in text.getvalue().splitlines() if one.startswith("dcgan"))
    assert "measured while other runs shared the machine" in text.getvalue()


def test_a_chart_names_whose_speeds_were_shared(tmp_path):
    def text(**shared: bool) -> str:
        name = "-".join(shared) + str(sum(shared.values()))
        (group,) = gather([folder(tmp_path / name, shared)]).groups
        return shared_timing_text(group)

    assert text(mlp=True, dcgan=False) == ", mlp while other runs shared the machine"
    assert text(mlp=True, dcgan=True) == ", while other runs shared the machine"
    assert text(mlp=False, dcgan=False) == ""


def test_a_report_of_a_folder_that_lacks_planned_runs_says_so(tmp_path):
    made = folder(tmp_path, {"mlp": False})
    assert "- Runs: 3 (3 completed)" in doubles.readme_of(made)
    shutil.rmtree(next((made / "runs").iterdir()))
    assert "- Runs: 2 of 3 planned (2 completed)" in doubles.readme_of(made)


def test_comparing_shared_speeds_notes_it_and_comparing_scores_does_not(tmp_path):
    a = folder(tmp_path / "a", {"mlp": False})
    b = folder(tmp_path / "b", {"mlp": True})
    comparison = compare(a, b, metrics=["images_per_second"])
    assert any("speed of mlp in b" in note for note in comparison.notes)
    assert not any("speed of mlp in a" in note for note in comparison.notes)
    assert "while other runs shared the machine" in comparison.verdicts[0].sentence
    assert not any("speed of" in note for note in compare(a, b, metrics=["fid"]).notes)


def test_speeds_that_were_measured_alone_afterwards_are_not_marked_but_noted(tmp_path):
    out = build(
        [
            folder(
                tmp_path / "alone", {"mlp": False}, environment={"threads": 1, "timing_threads": 2}
            )
        ]
    )
    text = (out / "README.md").read_text(encoding="utf-8")
    assert MARK not in text
    assert "measured with each alone on 2 threads" in text


def test_where_nothing_was_shared_nothing_is_said(tmp_path):
    text = doubles.readme_of(folder(tmp_path / "one", {"mlp": False}))
    assert "shared" not in text


@pytest.mark.parametrize("is_narrow", [False, True])
def test_the_note_beside_speeds_is_within_the_chart_at_both_widths(tmp_path, is_narrow):
    shared = {"a-variant-with-a-long-name": True, "another-with-a-long-name": True, "mlp": False}
    (group,) = gather([folder(tmp_path, shared)]).groups
    style = ChartStyle(LIGHT, tuple(shared), is_narrow=is_narrow)
    with style.applied():
        figure = tradeoff(group, style)
        figure.draw_without_rendering()
        box = figure.axes[0].xaxis.label.get_window_extent()
    assert 0 <= box.x0 < box.x1 <= figure.bbox.x1
    assert "while other runs" in figure.axes[0].get_xlabel().replace("\n", " ")
