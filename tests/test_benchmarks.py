"""The commands of benchmarks/, run as a person runs them; no speed is asserted."""

from __future__ import annotations

import json
import os
import runpy
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
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)


def ratio(*arguments: str) -> subprocess.CompletedProcess[str]:
    return script("ratio.py", *arguments)


@pytest.fixture(scope="module")
def measured() -> subprocess.CompletedProcess[str]:
    both = ("--variant", "mlp", "--variant", "dcgan", "--set", "dcgan.image_size=32", "--json")
    return ratio(*both, *SMALL, *TINY_RECIPE)


@pytest.mark.slow
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


@pytest.mark.slow
def test_the_ratio_is_the_median_of_the_rounds_own_ratios(measured):
    row = json.loads(measured.stdout)["results"][0]
    # both train on as many images, so that the ratio of the speeds is that of the seconds
    by_round = sorted(
        turn["plain"]["seconds"] / turn["ganbench"]["seconds"] for turn in row["turns"]
    )
    assert row["ratio"]["median"] == pytest.approx(statistics.median(by_round))
    assert row["ratio"]["lowest"] == pytest.approx(by_round[0])
    assert row["ratio"]["highest"] == pytest.approx(by_round[-1])


@pytest.mark.slow
def test_people_get_a_table_beside_the_json(measured):
    assert "dcgan" in measured.stderr
    assert "ratio" in measured.stderr


@pytest.mark.slow
def test_a_variant_that_the_plain_loop_cannot_train_is_refused_in_one_line():
    refused = ratio("--variant", "texthash", *SMALL)
    assert refused.returncode == 2
    assert refused.stdout == ""
    assert len(refused.stderr.splitlines()) == 1
    assert "Text-hashed DCGAN" in refused.stderr


# --- what intervals and tests are worth


def simulated(question: str) -> list[dict[str, float]]:
    done = script("intervals.py", "--of", question, "--comparisons", "40", "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["results"]


@pytest.mark.slow
def test_the_coverage_of_intervals_is_simulated_for_both_methods():
    rows = simulated("coverage")
    assert [(row["scores"], row["seeds"]) for row in rows] == [
        (scores, seeds) for scores in ("normal", "lognormal") for seeds in (3, 5, 10, 20, 30)
    ]
    few = rows[0]
    assert 0.8 <= few["t"] <= 1.0
    assert few["bca"] < few["t"]


@pytest.mark.slow
def test_the_floor_of_the_spread_finds_a_collapse_that_a_test_of_signs_does_not():
    throughout = [row for row in simulated("tests") if "throughout" in row["scores"]]
    assert {row["floor"] for row in throughout} == {1.0}
    assert {row["sign_flip"] for row in throughout if row["seeds"] < 6} == {0.0}


@pytest.mark.slow
def test_false_claims_are_counted_by_family():
    for row in simulated("families"):
        assert max(row["primary"], row["secondary"]) < row["score_by_score"]


# --- what scoring costs


@pytest.fixture(scope="module")
def evaluation() -> subprocess.CompletedProcess[str]:
    sizes = ("--images", "8", "--fake", "40", "--real", "60", "--entries", "16")
    return script(
        "evaluation.py", "--rounds", "2", "--device", "cpu", "--threads", "1", *sizes, "--json"
    )


@pytest.mark.slow
def test_scoring_is_measured_in_all_its_parts(evaluation):
    assert evaluation.returncode == 0, evaluation.stderr
    features, classifier, inception, fid = json.loads(evaluation.stdout)["results"]
    assert features["images"] == 8
    assert features["ratio"]["median"] > 0
    assert (classifier["backbone"], classifier["entries"]) == ("classifier", 128)
    assert (inception["backbone"], inception["entries"]) == ("inception", 16)
    assert (fid["entries"], fid["images"]) == (16, 40)


@pytest.mark.slow
def test_fid_is_the_same_by_ganbench_and_by_torch_fidelity(evaluation):
    features, *_, fid = json.loads(evaluation.stdout)["results"]
    assert features["fid"] > 1
    assert features["fid_difference"] < 1e-5 * features["fid"]
    assert fid["relative_difference"] < 1e-6


@pytest.mark.slow
def test_all_scores_are_set_against_the_extraction_of_the_generated_images(evaluation):
    features, _, inception, _ = json.loads(evaluation.stdout)["results"]
    extraction = 40 / features["ganbench_images_per_second"]["median"]
    seconds, share = inception["panel_seconds"], inception["share_of_extraction"]
    assert inception["extraction_seconds"] == pytest.approx(extraction)
    assert share["highest"] == pytest.approx(seconds["highest"] / extraction)
    assert inception["total_seconds"]["lowest"] == pytest.approx(seconds["lowest"] + extraction)
    assert inception["added_peak_host_memory_bytes"] >= 0


def test_a_turn_takes_as_many_steps_as_the_slowest_does_in_the_time():
    turns = runpy.run_path(str(ROOT / "benchmarks" / "turns.py"))
    quick, slow = (turns["Turn"](seconds, steps=3, images=48) for seconds in (0.03, 0.3))
    assert turns["steps_in"](2.0, quick, slow) == 20
    assert turns["steps_in"](0.0, quick) == 1


# --- numbers beside those of others

PUBLISHED = {"precision", "recall", "density", "coverage", "FID", "Vendi score"}


def audited(*arguments: str, path: Path | None = None) -> dict[str, dict[str, object]]:
    first = [str(path)] if path else []
    paths = os.pathsep.join([*first, *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": paths}
    command = [sys.executable, str(ROOT / "benchmarks" / "audit.py"), "--device", "cpu"]
    done = subprocess.run(
        [*command, "--rounds", "1", "--steps", "5", "--json", *arguments],
        capture_output=True, text=True, check=False, timeout=600, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return {row["what"]: row for row in json.loads(done.stdout)["results"]}


@pytest.mark.slow
def test_numbers_agree_with_those_of_others():
    rows = audited()
    assert rows.keys() > PUBLISHED
    speed = rows.pop("images/s of mlp")
    assert speed["ganbench"] > 0
    assert speed["other"] > 0
    for name, row in rows.items():
        if row["skipped"]:
            assert name in PUBLISHED, row
        else:
            assert row["relative"] < 1e-8, row


@pytest.mark.slow
def test_a_package_that_is_missing_is_named_and_skipped(tmp_path):
    (tmp_path / "prdc.py").write_text("raise ModuleNotFoundError('no', name='prdc')")
    rows = audited(path=tmp_path)
    assert rows["recall"]["skipped"] == "prdc is missing: pip install 'ganbench[audit]'"
    assert rows["recall"]["absolute"] is None
    assert rows["Holm's p-values"]["skipped"] == ""


# --- what the harness costs


@pytest.mark.slow
def test_the_harness_is_timed_beside_its_bare_step():
    done = script("harness.py", *SMALL, *TINY_RECIPE, "--json")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["results"]
    turns = row["turns"]
    assert [(turn["harness"]["steps"], turn["bare"]["steps"]) for turn in turns] == [(2, 2)] * 3
    shares = [turn["bare"]["seconds"] / turn["harness"]["seconds"] for turn in turns]
    assert row["share"]["median"] == pytest.approx(statistics.median(shares))
    totals = [sum(turn[loop]["seconds"] for turn in turns) for loop in ("bare", "harness")]
    assert row["share_of_all"] == pytest.approx(totals[0] / totals[1])
    assert "share" in done.stderr


@pytest.mark.slow
def test_an_unknown_variant_is_refused_in_one_line():
    refused = script("harness.py", "--variant", "mpl", *SMALL)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "did you mean mlp" in refused.stderr


@pytest.mark.slow
def test_seconds_to_help_list_and_first_step_are_measured_in_fresh_processes():
    done = script("start.py", "--rounds", "1", "--device", "cpu", "--json")
    assert done.returncode == 0, done.stderr
    rows = {row["what"]: row["turns"] for row in json.loads(done.stdout)["results"]}
    assert list(rows) == [
        "ganbench --help", "ganbench list", "first step, warm cache", "first step, empty cache",
    ]  # fmt: skip
    assert all(len(turns) == 1 and turns[0] > 0 for turns in rows.values())
    assert rows["ganbench --help"] < rows["first step, warm cache"]


@pytest.mark.slow
def test_runs_side_by_side_are_timed_against_the_same_runs_one_by_one():
    done = script(
        "side_by_side.py", "--rounds", "1", "--steps", "20", "--device", "cpu", "--json",
        "--set", "generator_width=8",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["results"]
    (turn,) = row["turns"]
    for way in turn.values():
        assert 0 < way["training_seconds"] < way["whole_seconds"]
    whole = [turn[way]["whole_seconds"] for way in ("side_by_side", "one_by_one")]
    assert row["whole_ratio"]["median"] == pytest.approx(whole[0] / whole[1])


@pytest.mark.slow
def test_steps_by_hand_compute_what_ganbench_does_and_have_their_rows():
    done = script(
        "hand_written.py", "--rounds", "2", "--steps", "2", "--tiny", "--device", "cpu", "--json"
    )
    assert done.returncode == 0, done.stderr
    rows = {row["step"]: row for row in json.loads(done.stdout)["results"]}
    assert list(rows) == ["ganbench", "least", "flat", "without autograd"]
    assert rows["ganbench"]["share_of_ganbench"]["median"] == 1
    assert 0 < rows["flat"]["largest_difference_in_learning_rates"] < 0.5


@pytest.mark.slow
def test_lengths_of_spinning_are_measured_quiet_and_busy():
    done = script("spin.py", "--rounds", "1", "--seconds", "0.1", "--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["results"]
    sides = [(row["spin_count"], row["busy_processes"]) for row in rows]
    counts = ("libgomp's own", "10000", "100000")
    assert sides == [(count, beside) for count in counts for beside in (0, 2)]
    assert all(row["images_per_second"]["median"] == row["turns"][0] > 0 for row in rows)


# --- images that are streamed, and memory


@pytest.mark.slow
def test_streaming_is_measured_in_turns_with_resident_images():
    cold = ("--cold",) if hasattr(os, "posix_fadvise") else ()
    done = script("streaming.py", "--variant", "mlp", *SMALL, *TINY_RECIPE, *cold, "--json")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["results"]
    assert row["image_bytes"] == 32 * 28 * 28
    assert (row["cold"], row["steps_a_turn"], row["rounds"]) == (bool(cold), 2, 3)
    assert row["ratio"]["lowest"] <= row["ratio"]["median"] <= row["ratio"]["highest"]
    assert "streamed" in done.stderr


@pytest.mark.slow
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


# --- the machine's limit


@pytest.fixture(scope="module")
def approached() -> subprocess.CompletedProcess[str]:
    quick = ("--peak-seconds", "0", "--set", "image_size=32", "--json")
    return script("limit.py", "--variant", "dcgan", *quick, *SMALL, *TINY_RECIPE)


@pytest.mark.slow
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


@pytest.mark.slow
def test_the_profile_says_where_a_steps_time_goes(approached):
    (row,) = json.loads(approached.stdout)["results"]
    assert 0 < row["time_share_of_products"] < 1
    longest = row["time_share_by_operator"]
    assert any("convolution" in name for name in longest)
    assert list(longest.values()) == sorted(longest.values(), reverse=True)
    assert sum(longest.values()) <= 1 + 1e-9


@pytest.mark.slow
def test_a_wrong_setting_of_the_limit_is_refused_in_one_line():
    refused = script("limit.py", "--set", "colour=red", *SMALL)
    assert refused.returncode == 2
    assert len(refused.stderr.splitlines()) == 1


# --- what a report of many runs costs


@pytest.mark.slow
def test_the_cost_of_a_report_is_measured_over_the_number_of_runs():
    small = ("--variants", "2", "--datasets", "1", "--runs", "4", "--runs", "6", "--json")
    done = script("report_scale.py", *small)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["results"]
    assert [(row["runs"], row["seeds"]) for row in rows] == [(4, 2), (6, 3)]
    for row in rows:
        assert row["processor_seconds"] > 0
        assert 10e6 < row["peak_memory_bytes"] < 10e9
        assert 0 < row["page_bytes"] < row["report_bytes"]


# --- what launchers cost


@pytest.mark.slow
def test_the_bookkeeping_of_jobs_without_work_is_measured():
    done = script("launchers.py", "--of", "bookkeeping", "--jobs", "3", "--jobs", "5", "--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["results"]
    assert [row["jobs"] for row in rows] == [3, 5]
    for row in rows:
        assert min(row["plan_seconds"], row["launch_seconds"], row["again_seconds"]) > 0
        assert 10e6 < row["peak_memory_bytes"] < 10e9
