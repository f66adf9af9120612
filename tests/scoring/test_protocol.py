"""The protocol: which scores may share a column, under old and present names of its fields."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from ganbench.scoring.protocol import MODES_BY_ARGMAX, Protocol, current_names, hash_of

PUBLISHED = Path(__file__).parents[2] / "results" / "2026-11-22_cpu_mnist"


def stored_results():
    files = sorted(PUBLISHED.glob("runs/*/result.json"))
    return [json.loads(file.read_text(encoding="utf-8")) for file in files]


@pytest.mark.parametrize("stored", stored_results(), ids=lambda stored: stored["variant"])
def test_protocols_stored_under_old_names_keep_their_hash(stored):
    assert "judge_hash" in stored["protocol_fields"]
    protocol = Protocol(**current_names(stored["protocol_fields"]))
    assert protocol.hash == stored["protocol"]
    assert protocol.classifier_accuracy == stored["protocol_fields"]["judge_accuracy"]


def test_present_names_stay_as_they_are():
    fields = {"classifier_hash": "a", "classifier_accuracy": 0.5, "backbone": "classifier"}
    rule = {"modes_rule": "argmax of each channel", "prompt_image_limit": 500}
    assert current_names({**fields, **rule}) == {**fields, **rule}


def test_the_rule_by_which_modes_are_counted_parts_protocols_but_not_from_those_that_had_no_other():
    stored = stored_results()[0]
    assert "modes_rule" not in stored["protocol_fields"]
    ours = Protocol(**current_names(stored["protocol_fields"]))
    assert ours.hash == stored["protocol"]
    assert current_names(stored["protocol_fields"]) == current_names(dataclasses.asdict(ours))
    assert dataclasses.replace(ours, modes_rule=MODES_BY_ARGMAX).hash != ours.hash


def test_a_moving_average_changes_no_protocol():
    stored = stored_results()[0]
    averaged = {**stored["protocol_fields"], "ema": True}
    assert hash_of(averaged) == stored["protocol"]
    assert current_names(averaged) == current_names(stored["protocol_fields"])


def test_the_limit_of_prompted_images_counts_where_it_is_not_what_old_results_imply():
    stored = stored_results()[0]
    fields = current_names(stored["protocol_fields"])
    assert fields["prompt_image_limit"] == 1000
    assert hash_of({**fields, "prompt_image_limit": 1000}) == stored["protocol"]
    other = dataclasses.replace(Protocol(**fields), prompt_image_limit=500)
    assert other.hash != stored["protocol"]
    assert hash_of(dataclasses.asdict(other)) == other.hash


def test_a_protocol_of_another_classifier_has_another_hash():
    protocol = Protocol(**current_names(stored_results()[0]["protocol_fields"]))
    for change in ({"classifier_hash": "other"}, {"classifier_accuracy": 0.5}):
        assert dataclasses.replace(protocol, **change).hash != protocol.hash
