"""A run on points, from its plan to its files."""

from __future__ import annotations

import pytest
from launch_doubles import planned, resources
from PIL import Image

from ganbench.cli.sample import sample_to_file
from ganbench.launch.run_job import run_job
from ganbench.report import build
from ganbench.report.charts.samples import generated_panel
from ganbench.scoring.draw_points import PANEL


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("points")
    plan = planned(
        variants=("dcgan",), dataset="ring8", budget="4steps", sample_every="2steps",
        evaluate_every="4steps", set=("generator_width=4", "discriminator_width=4"),
    )  # fmt: skip
    place = resources(root, root / "cache")
    run_job(plan.jobs[0], place)
    return place.folder


@pytest.fixture(scope="module")
def run(folder):
    (finished,) = folder.runs()
    return finished


def test_a_run_on_points_is_scored_without_a_classifier(run, folder):
    result = run.result
    assert (result.status, result.reason) == ("ok", "")
    assert (result.backbone, result.scores["modes_total"]) == ("points", 8)
    assert 0 <= result.scores["high_quality"] <= 1
    assert result.dataset_fields["kind"] == "points"
    assert set(result.references) == {"held-out real points", "untrained generator", "noise"}
    assert result.over_training["evaluations"] == 1
    assert not (folder.path.parent / "cache" / "classifiers").exists()


def test_a_report_of_points_speaks_of_points(folder, tmp_path):
    build([folder.path], out=tmp_path)
    text = (tmp_path / "README.md").read_text()
    tables = "\n".join(line for line in text.splitlines() if line.startswith("|"))
    assert "| Training points/s" in tables
    assert "2,500 points" in tables
    assert "images" not in tables.lower()


def test_each_sampling_step_has_a_picture_and_the_run_an_animation_of_them(run):
    assert [file.name for file in run.samples] == ["step-0000002.png", "step-0000004.png"]
    with Image.open(run.path / "samples" / "animation.gif") as animation:
        assert animation.n_frames == 2
        size = animation.size
    with Image.open(run.samples[0]) as first:
        assert first.size == size
        assert generated_panel(first).size == (PANEL, PANEL)


def test_a_finished_run_draws_as_many_points_as_are_asked_for(run, tmp_path):
    said = []
    target = sample_to_file(
        run.path, count=50, prompt=None, seed=0, device="cpu", out=tmp_path / "some.png",
        say=said.append,
    )  # fmt: skip
    assert said == [f"50 points: {target}"]
    with Image.open(target) as picture:
        assert picture.height > PANEL


@pytest.mark.slow
def test_the_report_has_a_column_of_high_quality_and_says_how_points_are_scored(folder):
    build([folder.path])
    text = (folder.path / "README.md").read_text(encoding="utf-8")
    assert "High quality" in text
    assert "2,500 generated points against 100,000" in text
    header = (folder.path / "runs.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    assert "high_quality" in header
