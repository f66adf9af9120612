"""The commands of benchmarks/, run as a person runs them; no speed is asserted."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SMALL = ("--rounds", "3", "--steps", "2", "--images", "32", "--device", "cpu", "--threads", "1")
TINY_RECIPE = ("--set", "batch_size=8", "--set", "generator_width=4")


def command(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, str(ROOT / "benchmarks" / script), *arguments]
    return subprocess.run(line, capture_output=True, text=True, check=False, timeout=300)


def ratio(*arguments: str) -> subprocess.CompletedProcess[str]:
    return command("ratio.py", *arguments)


@pytest.fixture(scope="module")
def measured() -> subprocess.CompletedProcess[str]:
    both = ("--variant", "mlp", "--variant", "dcgan", "--set", "dcgan.image_size=32", "--json")
    return ratio(*both, *SMALL, *TINY_RECIPE)


def test_json_holds_the_ratio_with_its_turns_and_conditions(measured):
    assert measured.returncode == 0, measured.stderr
    document = json.loads(measured.stdout)
    assert document["schema"] == 1
    assert document["environment"]["threads"] == 1
    assert len(document["environment"]["load_average"]) == 3
    assert [row["variant"] for row in document["results"]] == ["mlp", "dcgan"]
    for row in document["results"]:
        assert row["ratio"]["median"] > 0
        assert row["train_images"] == 32
        assert row["recipe"]["batch_size"] == row["batch_size"] == 8
        assert [turn["ganbench"]["images"] for turn in row["turns"]] == [16, 16, 16]
        assert [turn["plain"]["images"] for turn in row["turns"]] == [16, 16, 16]


def test_the_ratio_is_the_median_of_the_rounds_own_ratios(measured):
    row = json.loads(measured.stdout)["results"][0]
    # as many images on both sides, so that the ratio of the speeds is that of the seconds
    by_round = sorted(
        turn["plain"]["seconds"] / turn["ganbench"]["seconds"] for turn in row["turns"]
    )
    assert row["ratio"]["median"] == pytest.approx(statistics.median(by_round))
    assert row["ratio"]["lowest"] == pytest.approx(by_round[0])
    assert row["ratio"]["highest"] == pytest.approx(by_round[-1])


def test_people_get_a_table_beside_the_json(measured):
    assert "dcgan" in measured.stderr
    assert "ratio" in measured.stderr


def test_a_variant_that_the_plain_loop_cannot_train_is_refused_in_one_line():
    refused = ratio("--variant", "texthash", *SMALL)
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert len(refused.stderr.splitlines()) == 1
    assert "Text-hashed DCGAN" in refused.stderr


# --- what scoring costs


@pytest.fixture(scope="module")
def evaluation() -> subprocess.CompletedProcess[str]:
    sizes = ("--images", "8", "--fake", "40", "--real", "60", "--entries", "16")
    return command(
        "evaluation.py", "--rounds", "2", "--device", "cpu", "--threads", "1", *sizes, "--json"
    )


def test_scoring_is_measured_in_all_its_parts(evaluation):
    assert evaluation.returncode == 0, evaluation.stderr
    features, classifier, inception, fid = json.loads(evaluation.stdout)["results"]
    assert features["images"] == 8
    assert features["ratio"]["median"] > 0
    assert (classifier["backbone"], classifier["entries"]) == ("classifier", 128)
    assert (inception["backbone"], inception["entries"]) == ("inception", 16)
    assert (fid["entries"], fid["images"]) == (16, 40)


def test_fid_is_the_same_on_both_sides(evaluation):
    features, *_, fid = json.loads(evaluation.stdout)["results"]
    assert features["fid"] > 1
    assert features["fid_difference"] < 1e-5 * features["fid"]
    assert fid["relative_difference"] < 1e-6


def test_the_panel_is_set_against_the_extraction_of_the_generated_images(evaluation):
    features, _, inception, _ = json.loads(evaluation.stdout)["results"]
    extraction = 40 / features["ganbench_images_per_second"]["median"]
    panel, share = inception["panel_seconds"], inception["share_of_extraction"]
    assert inception["extraction_seconds"] == pytest.approx(extraction)
    assert share["highest"] == pytest.approx(panel["highest"] / extraction)
    assert inception["total_seconds"]["lowest"] == pytest.approx(panel["lowest"] + extraction)
    assert inception["added_peak_host_memory_bytes"] >= 0
