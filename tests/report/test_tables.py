import csv
import dataclasses
import io

import pytest
import results_doubles as doubles

from ganbench.errors import UsageError
from ganbench.experiment.result import RunResult
from ganbench.report import build
from ganbench.report.columns import CONTRACT, PHASES, run_columns
from ganbench.report.gather import gather
from ganbench.report.tables import runs_csv, summary_csv
from ganbench.scoring.metrics.catalogue import SCORES


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def folder(path, *results):
    return doubles.write(path, list(results), files=False)


def test_runs_csv_begins_with_the_columns_that_scripts_rely_on(tmp_path):
    text = runs_csv(gather([folder(tmp_path, doubles.result())]))
    assert text.splitlines()[0].split(",")[: len(CONTRACT)] == list(CONTRACT)


def test_a_score_that_does_not_apply_is_empty_and_never_zero(tmp_path):
    (row,) = rows_of(runs_csv(gather([folder(tmp_path, doubles.result("dcgan"))])))
    assert row["prompt_alignment"] == ""
    assert row["peak_memory_bytes"] == ""
    assert row["modes_total"] == "10.0"
    (row,) = rows_of(runs_csv(gather([folder(tmp_path / "b", doubles.failed())])))
    assert row["status"] == "failed"
    assert "out of memory" in row["reason"]
    assert row["fid"] == row["train_seconds"] == row["protocol"] == ""


def test_numbers_are_written_to_the_last_bit(tmp_path):
    run = doubles.result()
    (row,) = rows_of(runs_csv(gather([folder(tmp_path, run)])))
    assert float(row["fid"]) == run.scores["fid"]
    assert float(row["images_per_second"]) == run.images_per_second
    assert row["steps"] == "4690"


def test_a_score_that_no_catalogue_knows_has_a_column_too(tmp_path):
    run = doubles.result(scores={"fid": 1.0, "sharpness": 0.25})
    (row,) = rows_of(runs_csv(gather([folder(tmp_path, run)])))
    assert row["sharpness"] == "0.25"


def test_summary_csv_has_mean_spread_and_interval_over_the_seeds(tmp_path):
    runs = [doubles.result(seed=s, scores={"fid": f}) for s, f in enumerate([10.0, 12.0, 17.0])]
    (row,) = rows_of(summary_csv(gather([folder(tmp_path, *runs)])))
    assert (row["n"], row["runs"], row["interval_method"]) == ("3", "3", "t")
    assert float(row["fid_mean"]) == 13.0
    assert float(row["fid_std"]) == pytest.approx(13**0.5)
    assert float(row["fid_ci_low"]) == pytest.approx(13 - 4.30265 * (13 / 3) ** 0.5, abs=1e-4)
    assert row["recall_mean"] == row["recall_n"] == ""


def test_no_interval_of_a_summary_leaves_the_range_of_its_score(tmp_path):
    scores = [
        {"modes_covered": 10.0, "modes_total": 10.0, "recall": 0.9, "kid": 0.1},
        {"modes_covered": 9.0, "modes_total": 10.0, "recall": 1.0, "kid": -0.1},
    ]
    runs = [doubles.result(seed=seed, scores=some) for seed, some in enumerate(scores)]
    (row,) = rows_of(summary_csv(gather([folder(tmp_path, *runs)])))
    assert float(row["modes_covered_ci_high"]) == 10.0
    assert float(row["recall_ci_high"]) == 1.0
    assert float(row["images_per_second_ci_low"]) >= 0.0
    assert float(row["kid_ci_low"]) == 0.0


def test_one_seed_has_no_interval_and_the_method_says_so(tmp_path):
    (row,) = rows_of(summary_csv(gather([folder(tmp_path, doubles.result())])))
    assert row["interval_method"] == "none"
    assert row["fid_mean"] != ""
    assert row["fid_std"] == row["fid_ci_low"] == row["fid_ci_high"] == ""


def test_a_score_that_one_seed_lacks_stands_on_fewer_values_than_the_row(tmp_path):
    runs = [
        doubles.result(seed=s, scores={"fid": 1.0 + s, "kid": k}) for s, k in enumerate([1, None])
    ]
    (row,) = rows_of(summary_csv(gather([folder(tmp_path, *runs)])))
    assert (row["n"], row["fid_n"], row["kid_n"]) == ("2", "2", "1")
    assert row["kid_ci_low"] == ""


def test_runs_that_did_not_end_well_are_counted_but_never_averaged(tmp_path):
    diverged = doubles.result(seed=1, status="diverged", scores={"fid": 1e9})
    runs = [doubles.result(seed=0, scores={"fid": 5.0}), diverged, doubles.failed(seed=2)]
    (row,) = rows_of(summary_csv(gather([folder(tmp_path, *runs)])))
    counts = [row[name] for name in ("runs", "n", "diverged", "failed", "skipped")]
    assert counts == ["3", "1", "1", "1", "0"]
    assert float(row["completed_share"]) == pytest.approx(1 / 3)
    assert float(row["fid_mean"]) == 5.0


def test_a_variant_of_which_all_runs_failed_has_a_row_without_numbers(tmp_path):
    (row,) = rows_of(summary_csv(gather([folder(tmp_path, doubles.failed())])))
    assert (row["n"], row["interval_method"], row["fid_mean"]) == ("0", "none", "")


def test_unequal_devices_and_protocols_never_share_a_row_or_a_group(tmp_path):
    other = doubles.protocol(fake_count=5000)
    runs = [
        doubles.result(seed=0),
        doubles.result(seed=1, protocol=other.hash, protocol_fields=dataclasses.asdict(other)),
        doubles.result(seed=2, device="cuda", device_name="Imaginary GPU", run_id="gpu"),
        doubles.result(seed=3, device="cuda:1", device_name="Imaginary GPU", run_id="gpu1"),
    ]
    results = gather([folder(tmp_path, *runs)])
    assert [len(group.entries) for group in results.groups] == [1, 1, 2]
    assert len({group.slug for group in results.groups}) == 3
    assert len({group.title for group in results.groups}) == 3
    assert len(rows_of(summary_csv(results))) == 3


def test_a_variant_with_two_recipes_is_two_rows_named_by_what_differs(tmp_path):
    runs = [
        doubles.result(seed=0),
        doubles.result(seed=0, run_id="fast", recipe={**doubles.result().recipe, "lr_g": 0.001}),
        doubles.result("mlp", 0),
    ]
    rows = rows_of(summary_csv(gather([folder(tmp_path, *runs)])))
    assert [row["variant"] for row in rows] == ["dcgan, lr_g=0.0002", "dcgan, lr_g=0.001", "mlp"]


def test_runs_of_another_precision_or_compiled_are_told_apart(tmp_path):
    runs = [
        doubles.result(),
        doubles.result(run_id="half", training_precision="bf16"),
        doubles.result(run_id="fast", compiled=True, compile_seconds=31.0),
    ]
    labels = gather([folder(tmp_path, *runs)]).labels
    assert labels == [
        "dcgan, not compiled, fp32", "dcgan, not compiled, bf16", "dcgan, compiled, fp32",
    ]  # fmt: skip


def test_phases_are_shares_of_a_step_without_its_measures(tmp_path):
    runs = [doubles.result(seed=seed) for seed in range(2)]
    (group,) = gather([folder(tmp_path, *runs)]).groups
    assert group.values("dcgan", "share_data") == pytest.approx([100 * 2 / 64] * 2)
    assert group.values("dcgan", "share_generator") == pytest.approx([100 * 22 / 64] * 2)
    assert group.present(PHASES) == ["share_data", "share_discriminator", "share_generator"]


def test_a_failed_run_without_a_recipe_stays_with_its_variant(tmp_path):
    results = gather([folder(tmp_path, doubles.result(), doubles.failed(seed=1))])
    assert results.labels == ["dcgan"]
    assert len(results.groups) == 1


def test_rows_follow_the_plan_and_then_the_seeds(tmp_path):
    runs = [doubles.result("mlp", 1), doubles.result("dcgan", 0), doubles.result("mlp", 0)]
    rows = rows_of(runs_csv(gather([folder(tmp_path, *runs)])))
    assert [(row["variant"], row["seed"]) for row in rows] == [
        ("mlp", "0"), ("mlp", "1"), ("dcgan", "0"),
    ]  # fmt: skip


def test_joined_folders_share_a_table_where_protocol_and_device_agree(tmp_path):
    first = folder(tmp_path / "a", doubles.result("mlp"))
    second = folder(tmp_path / "b", doubles.result("dcgan"))
    results = gather([first, second])
    assert results.labels == ["mlp", "dcgan"]
    assert len(results.groups) == 1


@pytest.mark.parametrize("make", ["nothing", "file", "empty"])
def test_a_folder_without_results_is_refused_in_one_line(tmp_path, make):
    path = tmp_path / "given"
    if make == "file":
        path.write_text("hello")
    if make == "empty":
        path.mkdir()
    with pytest.raises(UsageError, match="ganbench run") as caught:
        gather([path])
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_damaged_record_is_refused_by_its_name(tmp_path):
    folder(tmp_path, doubles.result())
    (record,) = tmp_path.glob("runs/*/result.json")
    record.write_text("{}")
    with pytest.raises(UsageError, match=r"result\.json cannot be read"):
        gather([tmp_path])


def test_a_damaged_note_is_refused_in_one_line(tmp_path):
    folder(tmp_path, doubles.result())
    (tmp_path / "notes.md").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(UsageError, match=r"notes\.md") as caught:
        gather([tmp_path])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"[1]", b"{", b"\xff", b'{"jobs": [{"run_id": ["x"]}]}'])
def test_a_damaged_plan_is_named_and_the_runs_are_read_without_it(tmp_path, content):
    folder(tmp_path, doubles.result())
    (tmp_path / "plan.json").write_bytes(content)
    results = gather([tmp_path])
    assert results.labels == ["dcgan"]
    (note,) = results.notes
    assert str(tmp_path / "plan.json") in note
    assert "\n" not in note


def test_a_damaged_record_is_named_and_the_others_are_read(tmp_path):
    folder(tmp_path, doubles.result(), doubles.result("mlp"))
    (record,) = tmp_path.glob("runs/mlp-*/result.json")
    record.write_text("{}")
    results = gather([tmp_path])
    assert results.labels == ["dcgan"]
    (note,) = results.notes
    assert str(record) in note
    assert "\n" not in note


def test_a_folder_whose_plan_is_lost_can_still_be_read(tmp_path):
    folder(tmp_path, doubles.result())
    (tmp_path / "plan.json").unlink()
    assert gather([tmp_path]).labels == ["dcgan"]


def test_seconds_outside_the_training_clock_have_a_table_of_their_own(tmp_path):
    spent = {"evaluation": 12.5, "samples": 0.25, "saving": 3.0}
    run = dataclasses.replace(doubles.result(), outside_seconds=spent)
    build([folder(tmp_path, run)])
    readme = (tmp_path / "README.md").read_text(encoding="utf-8")
    _, table = readme.split("### Outside the training clock")
    assert "| Evaluation | Sample grids | Saving |" in table
    assert "| 12.5 s | 250 ms | 3 s |" in table


def test_no_score_has_the_name_of_another_column():
    fields = {item.name for item in dataclasses.fields(RunResult)}
    assert fields.isdisjoint(SCORES)
    names = run_columns([doubles.result()])
    assert sorted(set(names)) == sorted(names)


def test_runs_csv_says_with_how_many_threads_and_by_which_torch_a_run_was_made(tmp_path):
    run = doubles.result(environment={"threads": 2, "versions": {"torch": "2.14.1"}})
    (row,) = rows_of(runs_csv(gather([folder(tmp_path, run)])))
    assert (row["threads"], row["torch"]) == ("2", "2.14.1")
