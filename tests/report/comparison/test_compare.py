import dataclasses
import json

import pytest
import results_doubles as doubles

from ganbench.errors import UsageError
from ganbench.report.comparison.compare import compare

STEADY = {"images_per_second": 400.0}


def folder(path, fids, variant="dcgan", **changes):
    runs = [
        doubles.result(variant, seed, scores={"fid": fid, "modes_total": 10.0}, **STEADY | changes)
        for seed, fid in enumerate(fids)
    ]
    return doubles.write(path, runs, files=False)


def test_a_worse_score_is_a_regression_and_a_better_one_an_improvement(tmp_path):
    old, new = (
        folder(tmp_path / "old", [10.0, 11.0, 10.5]),
        folder(tmp_path / "new", [20.0, 21.1, 20.4]),
    )
    comparison = compare(old, new)
    (worse,) = comparison.regressions
    assert (worse.score, worse.verdict, worse.n) == ("fid", "worse", 3)
    assert (worse.mean_a, worse.mean_b) == (10.5, 20.5)
    assert worse.difference == pytest.approx(10.0)
    assert worse.ci_low < 10.0 < worse.ci_high
    assert worse.sentence.startswith("dcgan in old is better than dcgan in new on FID (classifier)")
    (better,) = compare(new, old).improvements
    assert (better.score, better.difference) == ("fid", pytest.approx(-10.0))


def test_what_seeds_cannot_tell_is_neither(tmp_path):
    comparison = compare(
        folder(tmp_path / "a", [10.0, 12.0, 9.0]), folder(tmp_path / "b", [11.0, 9.5, 12.0])
    )
    assert comparison.regressions == comparison.improvements == ()
    assert {item.verdict for item in comparison.verdicts} == {"not resolved"}
    assert "would be needed" in comparison.verdicts[0].sentence


def test_scores_and_the_training_speed_are_shown_unless_some_are_named(tmp_path):
    a, b = folder(tmp_path / "a", [1.0, 2.0]), folder(tmp_path / "b", [1.5, 2.0])
    assert [item.score for item in compare(a, b).verdicts] == ["fid", "images_per_second"]
    comparison = compare(a, b, metrics=["step_seconds_median"])
    assert [item.score for item in comparison.verdicts] == ["step_seconds_median"]


def test_a_p_value_does_not_depend_on_which_scores_are_shown(tmp_path):
    folders = []
    for name, extra in (("a", 0.0), ("b", 0.1)):
        runs = [
            doubles.result(seed=s, scores={"fid": s + extra, "kid": s**2 + extra, "vendi": 4.0 - s})
            for s in range(3)
        ]
        folders.append(doubles.write(tmp_path / name, runs, files=False))
    everything = {item.score: item for item in compare(*folders).verdicts}
    assert everything["fid"].family == "primary"
    assert everything["fid"].p_holm == everything["fid"].p_value
    assert everything["kid"].family_size == 2
    for name in ("fid", "kid", "images_per_second"):
        (alone,) = compare(*folders, metrics=[name]).verdicts
        assert alone == everything[name]
    first = compare(*folders, primary="kid")
    by_score = {item.score: item for item in first.verdicts}
    assert (first.primary, first.verdicts[0].score) == ("kid", "kid")
    assert by_score["kid"].p_holm == everything["kid"].p_value
    assert by_score["fid"].family == "secondary"
    assert first.families.startswith("primary, KID (classifier): 1 test; secondary, 2 other scores")


def test_two_variants_of_one_folder_are_compared(tmp_path):
    runs = [
        doubles.result(variant, seed, scores={"fid": fid + seed * fid / 10})
        for variant, fid in (("mlp", 40.0), ("dcgan", 10.0))
        for seed in range(2)
    ]
    path = doubles.write(tmp_path, runs, files=False)
    comparison = compare(path, path, variant_a="mlp", variant_b="dcgan", metrics=["fid"])
    assert comparison.verdicts[0].sentence.startswith(
        "dcgan is better than mlp on FID (classifier)"
    )
    assert comparison.verdicts[0].difference == pytest.approx(-31.5)


def test_every_variant_and_dataset_that_both_have_is_compared(tmp_path):
    def write(path, variants):
        runs = [
            doubles.result(variant, seed, dataset, scores={"fid": 1.0 + seed})
            for variant in variants
            for dataset in ("mnist", "digits")
            for seed in range(2)
        ]
        return doubles.write(path, runs, files=False)

    a, b = (
        write(tmp_path / "a", ["mlp", "dcgan"]),
        write(tmp_path / "b", ["dcgan", "texthash", "mlp"]),
    )
    comparison = compare(a, b, metrics=["fid"])
    assert [(item.variant_a, item.dataset) for item in comparison.verdicts] == [
        ("mlp in a", "mnist"), ("mlp in a", "digits"),
        ("dcgan in a", "mnist"), ("dcgan in a", "digits"),
    ]  # fmt: skip


def test_the_only_variants_of_two_folders_are_compared_whatever_their_names(tmp_path):
    a, b = folder(tmp_path / "a", [1.0, 2.0]), folder(tmp_path / "b", [1.0, 2.5], "mlp")
    assert compare(a, b).verdicts[0].variant_b == "mlp"


def test_a_comparison_can_be_written_for_scripts(tmp_path):
    comparison = compare(folder(tmp_path / "a", [1.0, 2.0]), folder(tmp_path / "b", [3.0, 4.5]))
    values = json.loads(comparison.to_json())
    assert values["verdicts"][0]["score"] == "fid"
    assert values["verdicts"][0]["verdict"] == "not resolved"
    assert values["a"] == str(tmp_path / "a")
    assert values["primary"] == "fid"
    assert values["families"].startswith("primary, FID (classifier): 1 test")
    first = values["verdicts"][0]
    assert (first["family"], first["family_size"], first["ci_level"]) == ("primary", 1, 0.95)
    assert first["p_holm"] == first["p_value"]
    assert first["seeds_needed_low"] > 2


def test_one_seed_is_compared_and_resolves_nothing(tmp_path):
    (verdict, *_) = compare(folder(tmp_path / "a", [1.0]), folder(tmp_path / "b", [99.0])).verdicts
    assert (verdict.verdict, verdict.p_value, verdict.n) == ("not resolved", None, 1)


def test_what_differs_besides_is_noted(tmp_path):
    a = folder(tmp_path / "a", [1.0, 2.0])
    b = folder(
        tmp_path / "b", [1.0, 2.0, 3.0],
        environment={"threads": 8}, training_precision="bf16", compiled=True, ema=True,
        source_hash="1a2b3c4d",
    )  # fmt: skip
    notes = compare(a, b).notes
    assert any(note.startswith("precision") and "fp32 against bf16" in note for note in notes)
    assert any(note.startswith("compiled") and "False against True" in note for note in notes)
    assert not any(note.startswith("captured") for note in notes)
    assert any(note.startswith("moving average") and "against True" in note for note in notes)
    assert any(note.startswith("source") and "unknown against 1a2b3c" in note for note in notes)
    assert any(note.startswith("threads") and "2 against 8" in note for note in notes)
    assert any(note.startswith("seeds") and "0, 1 against 0, 1, 2" in note for note in notes)


def test_equal_conditions_are_said_and_those_that_differ_among_seeds_too(tmp_path):
    a, b = folder(tmp_path / "a", [1.0, 2.0]), folder(tmp_path / "b", [1.0, 2.0])
    assert "2 threads, torch 2.14.1" in compare(a, b).notes[-1]
    mixed = [
        doubles.result(seed=seed, scores={"fid": 1.0 + seed}, environment={"threads": threads})
        for seed, threads in enumerate((2, 1))
    ]
    sides = [doubles.write(tmp_path / name, mixed, files=False) for name in ("c", "d")]
    notes = compare(*sides).notes
    assert any(note.startswith("threads") and "2, 1 against 2, 1" in note for note in notes)
    assert not any("all runs were made" in note for note in notes)


@pytest.mark.parametrize("name", ["torch", "scipy", "cudnn", "ganbench"])
def test_versions_of_libraries_that_differ_are_noted(tmp_path, name):
    a, b = (
        folder(tmp_path / side, [1.0, 2.0], environment={"versions": {name: version}})
        for side, version in (("a", "1.0"), ("b", "1.1"))
    )
    notes = compare(a, b).notes
    assert any(note.startswith(f"{name} of") and "1.0 against 1.1" in note for note in notes)


def protocol(**changes):
    other = doubles.protocol(**changes)
    return {"protocol": other.hash, "protocol_fields": dataclasses.asdict(other)}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (protocol(fake_count=5000), "protocol field fake_count is 10000 against 5000"),
        (protocol(backbone_hash="other"), "protocol field backbone_hash"),
        ({"device": "cuda", "device_name": "GPU"}, "device is cpu against cuda"),
        ({"device_name": "Other CPU"}, "device_name is Imaginary CPU 9000 against Other CPU"),
        ({"dataset": "digits"}, "dataset is mnist against digits"),
    ],
)
def test_unequal_conditions_are_refused_and_the_field_is_named(tmp_path, changes, message):
    a, b = folder(tmp_path / "a", [1.0, 2.0]), folder(tmp_path / "b", [1.0, 2.0], **changes)
    with pytest.raises(UsageError, match=message) as caught:
        compare(a, b)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"variant_a": "dcgna"}, "unknown variant 'dcgna': did you mean dcgan"),
        ({"variant_b": "vae"}, "unknown variant 'vae'"),
        ({"metrics": ["fidd"]}, "unknown metric 'fidd': did you mean fid"),
        ({"metrics": ["modes_total"]}, "unknown metric 'modes_total'"),
        ({"metrics": ["kid"]}, "kid is empty"),
        ({"metrics": ["steps"]}, "unknown metric 'steps'"),
        ({"primary": "kid"}, "unknown primary score 'kid'"),
    ],
)
def test_names_that_are_not_there_are_refused(tmp_path, arguments, message):
    a, b = folder(tmp_path / "a", [1.0, 2.0]), folder(tmp_path / "b", [1.0, 2.0])
    with pytest.raises(UsageError, match=message):
        compare(a, b, **arguments)


def test_a_folder_against_itself_needs_two_variants(tmp_path):
    a = folder(tmp_path / "a", [1.0, 2.0])
    with pytest.raises(UsageError, match="name two variants"):
        compare(a, a)
    with pytest.raises(UsageError, match="itself"):
        compare(a, a, variant_a="dcgan")


def test_folders_without_a_common_variant_or_seed_are_refused(tmp_path):
    a = folder(tmp_path / "a", [1.0, 2.0])
    two = doubles.write(
        tmp_path / "b", [doubles.result("mlp"), doubles.result("texthash")], files=False
    )
    with pytest.raises(UsageError, match="no variant in common: dcgan against mlp, texthash"):
        compare(a, two)
    later = doubles.write(tmp_path / "c", [doubles.result("dcgan", 7)], files=False)
    with pytest.raises(UsageError, match="no seed in common: 0, 1 against 7"):
        compare(a, later)


def test_unequal_budgets_are_refused_for_scores_and_allowed_for_speeds(tmp_path):
    a = folder(tmp_path / "a", [1.0, 2.0])
    b = folder(tmp_path / "b", [1.0, 2.0], budget="5epochs")
    for metrics in (None, ["fid"], ["images_per_second", "kid"]):
        with pytest.raises(UsageError, match="25epochs against 5epochs") as caught:
            compare(a, b, metrics=metrics)
        assert "\n" not in str(caught.value)
    comparison = compare(a, b, metrics=["images_per_second"])
    assert [item.score for item in comparison.verdicts] == ["images_per_second"]
    assert "fid" not in comparison.families.lower()
    assert any("25epochs against 5epochs" in note for note in comparison.notes)


def test_a_generator_with_a_moving_average_is_compared_with_one_without(tmp_path):
    a, b = (
        folder(tmp_path / "a", [1.0, 2.0], ema=False),
        folder(tmp_path / "b", [1.0, 2.5], ema=True),
    )
    assert compare(a, b).verdicts[0].score == "fid"


def test_runs_that_did_not_complete_and_seeds_without_a_partner_are_named(tmp_path):
    a = folder(tmp_path / "a", [1.0, 2.0, 3.0])
    runs = [
        doubles.result(seed=0, scores={"fid": 1.5}),
        doubles.failed(seed=1),
        doubles.failed(seed=2),
    ]
    b = doubles.write(
        tmp_path / "b", [*runs, doubles.result(seed=7, scores={"fid": 1.0})], files=False
    )
    verdict = compare(a, b).verdicts[0]
    assert (verdict.completed_a, verdict.started_a) == (3, 3)
    assert (verdict.completed_b, verdict.started_b) == (2, 4)
    assert (verdict.unpaired_a, verdict.unpaired_b) == ((1, 2), (7,))
    for text in (
        "dcgan in b completed 2 of 4, dcgan in a completed 3 of 3 seeds",
        "seed 7 of dcgan in b has no partner and seeds 1, 2 of dcgan in a have no partner",
        "compared on the 1 seed that both have",
    ):
        assert text in verdict.sentence


def test_a_folder_of_failed_runs_has_nothing_to_compare(tmp_path):
    a = folder(tmp_path / "a", [1.0, 2.0])
    bad = doubles.write(tmp_path / "bad", [doubles.failed()])
    with pytest.raises(UsageError, match="nothing to compare"):
        compare(a, bad)
