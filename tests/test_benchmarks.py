"""The benchmark script, run as a person runs it; no speed is asserted."""

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


def ratio(*arguments: str) -> subprocess.CompletedProcess[str]:
    return benchmark("ratio", *arguments)


def benchmark(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "benchmarks" / f"{name}.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


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


# --- limit.py ---


@pytest.fixture(scope="module")
def approached() -> subprocess.CompletedProcess[str]:
    quick = ("--peak-seconds", "0", "--set", "image_size=32", "--json")
    return benchmark("limit", "--variant", "dcgan", *quick, *SMALL, *TINY_RECIPE)


def test_the_limit_is_the_best_product_over_the_counted_operations(approached):
    assert approached.returncode == 0, approached.stderr
    (row,) = json.loads(approached.stdout)["results"]
    assert len(row["turns"]) == 3
    assert all({"512×512", "convolution"} <= set(turn["products"]) for turn in row["turns"])
    limits = [max(turn["products"].values()) / row["flops_per_image"] for turn in row["turns"]]
    assert row["limit_images_per_second"]["median"] == pytest.approx(statistics.median(limits))
    shares = [
        turn["images_per_second"] / limit for turn, limit in zip(row["turns"], limits, strict=True)
    ]
    assert row["share"]["highest"] == pytest.approx(max(shares))
    assert row["share_of_convolution"]["median"] >= row["share"]["median"]


def test_the_profile_says_where_a_steps_time_goes(approached):
    (row,) = json.loads(approached.stdout)["results"]
    assert 0 < row["time_share_of_products"] < 1
    longest = row["time_share_by_operator"]
    assert any("convolution" in name for name in longest)
    assert list(longest.values()) == sorted(longest.values(), reverse=True)
    assert sum(longest.values()) <= 1 + 1e-9


def test_a_wrong_setting_of_the_limit_is_refused_in_one_line():
    refused = benchmark("limit", "--set", "colour=red", *SMALL)
    assert refused.returncode == 2
    assert len(refused.stderr.splitlines()) == 1
