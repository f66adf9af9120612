"""The benchmark script, run as a person runs it; no speed is asserted."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SMALL = ("--rounds", "3", "--steps", "2", "--images", "32", "--device", "cpu", "--threads", "1")
TINY_RECIPE = ("--set", "batch_size=8", "--set", "generator_width=4")


def script(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "benchmarks" / name), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def ratio(*arguments: str) -> subprocess.CompletedProcess[str]:
    return script("ratio.py", *arguments)


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


def test_streaming_is_measured_in_turns_with_resident_images():
    cold = ("--cold",) if hasattr(os, "posix_fadvise") else ()
    done = script("streaming.py", "--variant", "mlp", *SMALL, *TINY_RECIPE, *cold, "--json")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["results"]
    assert row["image_bytes"] == 32 * 28 * 28
    assert (row["cold"], row["steps_a_turn"], row["rounds"]) == (bool(cold), 2, 3)
    assert row["ratio"]["lowest"] <= row["ratio"]["median"] <= row["ratio"]["highest"]
    assert "streamed" in done.stderr


def test_the_memory_of_a_whole_run_is_watched_through_its_stages():
    done = script(
        "memory.py", "--images", "200", "--budget", "3steps", "--device", "cpu", "--json",
        *TINY_RECIPE, "--set", "discriminator_width=4", "--set", "image_size=32",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["results"]
    stages = [stage["stage"] for stage in row["stages"]]
    assert stages == [
        name for name in ("preparing", "training", "scoring", "reporting") if name in stages
    ]
    assert {"preparing", "reporting"} <= set(stages)
    for stage in row["stages"]:
        assert row["highest_bytes"] >= stage["resident"] >= stage["own"] > 0
        assert stage["resident"] == stage["own"] + stage["mapped"]
