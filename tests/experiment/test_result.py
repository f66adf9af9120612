from __future__ import annotations

import dataclasses
import hashlib
import json
import statistics
import subprocess
import sys

import numpy as np
import pytest
import results_doubles as doubles

from ganbench.experiment.result import SCHEMA, RunResult
from ganbench.scoring.protocol import Protocol, short_hash
from ganbench.training.clock import Timing

PROTOCOL = Protocol(
    dataset="mnist", dataset_fingerprint="f00d", real_split="train", real_count=60_000,
    fake_count=10_000, neighbour_count=5000, backbone="classifier", backbone_hash="aa",
    classifier_hash="bb", classifier_accuracy=0.99, resolution=28,
)  # fmt: skip


def a_result(**values):
    needed = {"run_id": "mlp-0", "status": "ok", "variant": "mlp", "dataset": "digits"}
    return RunResult(**{**needed, "seed": 0, "device": "cpu", **values})


# --- Hashes ---


def test_a_short_hash_is_the_head_of_the_sha256_of_compact_sorted_json():
    expected = hashlib.sha256(b'{"a":[1,"\\u00e9"],"b":null}').hexdigest()[:10]
    assert short_hash({"b": None, "a": (1, "é")}) == expected


def test_a_short_hash_is_the_same_in_another_process():
    program = (
        "from ganbench.scoring.protocol import short_hash; "
        "print(short_hash({'lr': 2e-4, 'n': [1]}, 16))"
    )
    output = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    assert output.stdout.decode().strip() == short_hash({"n": [1], "lr": 0.0002}, 16)


# --- Protocols ---


def test_equal_protocols_have_one_hash():
    assert PROTOCOL.hash == dataclasses.replace(PROTOCOL).hash


@pytest.mark.parametrize("name", [item.name for item in dataclasses.fields(Protocol)])
def test_each_field_of_a_protocol_changes_its_hash(name):
    value = getattr(PROTOCOL, name)
    changed = not value if isinstance(value, bool) else value + type(value)(1)
    assert dataclasses.replace(PROTOCOL, **{name: changed}).hash != PROTOCOL.hash


# --- Timings ---


def test_the_rate_is_all_images_over_all_timed_seconds():
    timing = Timing(10, (0.5, 0.25, 0.25), batch_size=64, train_seconds=9.0)
    assert timing.images_per_second == pytest.approx(3 * 64 / 1.0)


def test_quantiles_are_those_of_the_timed_steps():
    seconds = tuple(number / 100 for number in (5, 1, 4, 2, 3))
    timing = Timing(0, seconds, batch_size=2, train_seconds=1.0)
    assert timing.median == pytest.approx(statistics.median(seconds))
    cuts = statistics.quantiles(seconds, n=20, method="inclusive")
    assert timing.p95 == pytest.approx(cuts[18])


def test_a_run_without_timed_steps_has_no_rate():
    timing = Timing(3, (), batch_size=64, train_seconds=1.0)
    assert (timing.images_per_second, timing.median) == (None, None)


# --- Records ---


def test_a_record_is_read_as_it_was_written():
    result = a_result(
        recipe={"lr_g": 2e-4, "budget": "20s"}, scores={"fid": 12.5, "recall": None},
        class_histogram={"fake": {"0": 0.5}}, protocol_fields=dataclasses.asdict(PROTOCOL),
        images_per_second=None, peak_memory_bytes=2**40,
    )  # fmt: skip
    assert RunResult.from_json(result.to_json()) == result


@pytest.mark.parametrize("averaged", [True, False])
def test_a_moving_average_that_was_a_field_of_the_protocol_is_read_as_a_fact_of_the_run(averaged):
    fields = {**dataclasses.asdict(PROTOCOL), "ema": averaged}
    values = json.loads(a_result(protocol="of its time", protocol_fields=fields).to_json())
    del values["ema"]
    result = RunResult.from_json(json.dumps(values))
    assert result.ema is averaged
    # with an average, the hash of the same protocol without one; stored hashes stay otherwise
    assert result.protocol == (PROTOCOL.hash if averaged else "of its time")
    assert RunResult.from_json(result.to_json()) == result


def test_a_number_that_is_not_finite_is_written_as_null():
    scores = {"fid": float("nan"), "kid": float("inf"), "recall": 0.0}
    values = json.loads(a_result(scores=scores, train_seconds=-float("inf")).to_json())
    assert values["scores"] == {"fid": None, "kid": None, "recall": 0.0}
    assert values["train_seconds"] is None


def test_numbers_of_numpy_are_written_as_numbers():
    result = a_result(
        scores={"fid": np.float32(0.5), "kid": np.float32("nan")},
        steps=np.int64(3),
        environment={"threads": [np.int32(2), (np.float64(1.5), np.bool_(True))]},
    )
    values = json.loads(result.to_json())
    assert values["scores"] == {"fid": 0.5, "kid": None}
    assert (values["steps"], values["environment"]) == (3, {"threads": [2, [1.5, True]]})


def test_a_field_of_a_later_version_is_left_out():
    values = {**json.loads(a_result().to_json()), "invented_later": 1}
    assert RunResult.from_json(json.dumps(values)) == a_result()


def test_a_record_of_an_earlier_version_lacks_fields_and_is_read():
    values = json.loads(a_result().to_json())
    del values["command"], values["scores"]
    assert RunResult.from_json(json.dumps(values)) == a_result()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Expecting value"),
        ("[]", "not a run's result"),
        ('"text"', "not a run's result"),
        ('{"run_id": "x"}', "not a run's result"),
        ('{"schema": true}', "not a run's result"),
        (f'{{"schema": {SCHEMA}}}', "not a run's result: .*run_id"),
        (f'{{"schema": {SCHEMA + 1}}}', f"schema {SCHEMA + 1} is newer than {SCHEMA}"),
    ],
)
def test_a_text_that_is_no_record_is_refused(text, reason):
    with pytest.raises(ValueError, match=reason):
        RunResult.from_json(text)


def test_a_field_that_was_stored_under_an_earlier_name_is_read():
    stored = json.loads(doubles.result().to_json())
    stored["course"] = {"evaluations": 3}
    del stored["over_training"]
    assert RunResult.from_json(json.dumps(stored)).over_training == {"evaluations": 3}
