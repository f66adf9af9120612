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


def test_scores_and_the_training_speed_are_compared_unless_some_are_named(tmp_path):
    a, b = folder(tmp_path / "a", [1.0, 2.0]), folder(tmp_path / "b", [1.5, 2.0])
    assert [item.score for item in compare(a, b).verdicts] == ["fid", "images_per_second"]
    comparison = compare(a, b, metrics=["step_seconds_median"])
    assert [item.score for item in comparison.verdicts] == ["step_seconds_median"]


def test_all_scores_of_a_comparison_are_corrected_together(tmp_path):
    a, b = folder(tmp_path / "a", [1.0, 2.0, 3.5]), folder(tmp_path / "b", [1.5, 2.6, 4.0])
    alone = compare(a, b, metrics=["fid"]).verdicts[0]
    together = compare(a, b).verdicts[0]
    assert alone.p_holm == alone.p_value
    assert together.p_holm == pytest.approx(2 * alone.p_value)


def test_two_variants_of_one_folder_are_compared(tmp_path):
    runs = [
        doubles.result(variant, seed, scores={"fid": fid + seed})
        for variant, fid in (("mlp", 40.0), ("dcgan", 10.0))
        for seed in range(2)
    ]
    path = doubles.write(tmp_path, runs, files=False)
    comparison = compare(path, path, variant_a="mlp", variant_b="dcgan", metrics=["fid"])
    assert comparison.verdicts[0].sentence.startswith("dcgan and mlp on FID (classifier)")
    assert comparison.verdicts[0].difference == -30.0


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


def test_one_seed_is_compared_and_resolves_nothing(tmp_path):
    (verdict, *_) = compare(folder(tmp_path / "a", [1.0]), folder(tmp_path / "b", [99.0])).verdicts
    assert (verdict.verdict, verdict.p_value, verdict.n) == ("not resolved", None, 1)


def test_what_differs_besides_is_noted(tmp_path):
    a = folder(tmp_path / "a", [1.0, 2.0])
    b = folder(
        tmp_path / "b", [1.0, 2.0, 3.0],
        budget="5epochs", environment={"threads": 8}, training_precision="bf16", compiled=True,
    )  # fmt: skip
    notes = compare(a, b).notes
    assert any(note.startswith("precision") and "fp32 against bf16" in note for note in notes)
    assert any(note.startswith("compiled") and "False against True" in note for note in notes)
    assert not any(note.startswith("captured") for note in notes)
    assert any(note.startswith("budget") and "25epochs against 5epochs" in note for note in notes)
    assert any(note.startswith("threads") and "2 against 8" in note for note in notes)
    assert any(note.startswith("seeds") and "0, 1 against 0, 1, 2" in note for note in notes)


def protocol(**changes):
    other = doubles.protocol(**changes)
    return {"protocol": other.hash, "protocol_fields": dataclasses.asdict(other)}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (protocol(fake_count=5000), "protocol field fake_count is 10000 against 5000"),
        (protocol(ema=True), "protocol field ema is False against True"),
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


def test_a_folder_of_failed_runs_has_nothing_to_compare(tmp_path):
    a = folder(tmp_path / "a", [1.0, 2.0])
    bad = doubles.write(tmp_path / "bad", [doubles.failed()])
    with pytest.raises(UsageError, match="nothing to compare"):
        compare(a, bad)
