"""Seeds as needed: rounds and looks, with runs whose scores are made up."""

from __future__ import annotations

import json

import launch_doubles
import numpy as np
import pytest
import results_doubles as doubles
from command_line import ganbench, one_line
from scipy import stats

from ganbench.errors import DataError, UsageError
from ganbench.experiment import plan as planning
from ganbench.experiment.looks import check_looks, read_looks
from ganbench.experiment.suite import Suite
from ganbench.report.comparison.compare import compare
from ganbench.report.comparison.look_levels import any_look_below
from ganbench.report.comparison.ranking import contrasts_of
from ganbench.report.gather import gather
from ganbench.workflow.rounds import (
    asked_jobs,
    ending,
    launch_rounds,
    may_run,
    planned_looks,
    rounds_text,
)

VARIANTS = ("mlp", "dcgan", "lsgan")
# mlp is far from the others; these are 2 apart, with a spread of about 2.
NOISE = (0.0, 1.5, -1.0, 2.0, -2.0, 0.5, -0.5, 1.0)
FIDS = {
    "mlp": [60.0 + noise for noise in NOISE],
    "dcgan": [20.0 - noise for noise in NOISE],
    "lsgan": [22.0 + noise for noise in NOISE],
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A suite with seeds as needed, and its plan."""
    suite = Suite(variants=VARIANTS, dataset="digits", budget="10steps", seeds="auto:3-5")
    root = tmp_path_factory.mktemp("data")
    return suite, planning.make(suite, device="cpu", data_root=root)


class Study:
    """A results folder in which runs end as a table says, without training."""

    def __init__(self, root, made, fids=FIDS, failing=()):
        self.suite, self.plan = made
        self.context = launch_doubles.context(root, root)
        self.folder, self.fids, self.failing = self.context.folder, fids, set(failing)
        self.rounds, self.display = [], launch_doubles.display()

    def launch(self, jobs):
        self.rounds.append([(job.variant, job.seed) for job in jobs])
        stored = self.folder.read_plan() or {"jobs": []}
        self.folder.write_plan({"jobs": [*stored["jobs"], *({"run_id": job.id} for job in jobs)]})
        ended = []
        for job in jobs:
            run = self.folder.find(job.id)
            if run is None or run.result.status == "failed":
                changes = {"run_id": job.id, "dataset": "digits", "budget": "10steps"}
                if (job.variant, job.seed) in self.failing:
                    result = doubles.failed(job.variant, job.seed, **changes)
                else:
                    scores = {"fid": self.fids[job.variant][job.seed]}
                    result = doubles.result(job.variant, job.seed, scores=scores, **changes)
                run = self.folder.finish(result)
            ended.append(run)
        return ended

    def run(self):
        planned = planned_looks(self.suite, self.plan)
        return launch_rounds(self.plan, planned, self.context, self.display, launch=self.launch)

    @property
    def looks(self):
        return read_looks(self.folder)


def seeds_by_variant(runs):
    return {
        name: [run.result.seed for run in runs if run.result.variant == name] for name in VARIANTS
    }


def test_seeds_are_added_only_to_variants_of_a_pair_that_is_not_resolved(tmp_path, made):
    study = Study(tmp_path, made)
    runs = study.run()
    assert study.rounds == [
        [(name, seed) for seed in (0, 1, 2) for name in VARIANTS],
        [("dcgan", 3), ("lsgan", 3)],
        [("dcgan", 4), ("lsgan", 4)],
    ]
    assert seeds_by_variant(runs) == {
        "mlp": [0, 1, 2], "dcgan": [0, 1, 2, 3, 4], "lsgan": [0, 1, 2, 3, 4],
    }  # fmt: skip
    assert [len(look.pairs) for look in study.looks.looks] == [3, 3, 3]
    assert study.looks.looks[-1].ended == "the limit of 5 seeds is reached"
    said = launch_doubles.said(study.display)
    assert (
        "look 1, 3 common seeds: dcgan is better than mlp, lsgan is better than mlp; "
        "one more seed of dcgan, lsgan\n"
    ) in said


def test_it_ends_where_all_pairs_are_resolved_or_equivalent(tmp_path, made):
    fids = {**FIDS, "lsgan": [fid + 0.01 for fid in FIDS["dcgan"]]}
    study = Study(tmp_path, made, fids)
    study.run()
    (look,) = study.looks.looks
    assert look.ended == "every pair is resolved or equivalent"
    verdicts = {(pair.variant_a, pair.variant_b): pair.verdict for pair in look.pairs}
    # 0.01 in every seed is a difference beyond doubt, however small
    assert verdicts["dcgan", "lsgan"] == "better"

    fids = {**FIDS, "lsgan": [fid + 0.1 * (-1) ** n for n, fid in enumerate(FIDS["dcgan"])]}
    other = Study(tmp_path / "other", made, fids)
    other.run()
    pairs = other.looks.looks[0].pairs
    assert [pair.verdict for pair in pairs] == ["worse", "worse", "equivalent"]


def test_the_same_command_goes_on_and_looks_no_second_time(tmp_path, made):
    study = Study(tmp_path, made)
    study.run()
    before = study.folder.looks_file.read_bytes()
    again = Study(tmp_path, made)
    runs = again.run()
    assert again.folder.looks_file.read_bytes() == before
    assert len(again.rounds) == 1
    assert len(runs) == 13


def test_a_command_that_was_stopped_in_a_round_goes_on_in_it(tmp_path, made):
    study = Study(tmp_path, made)
    whole = Study(tmp_path / "whole", made)
    whole.run()

    class StopError(Exception):
        pass

    def stopping(jobs):
        if len(study.rounds) == 1:
            study.launch(jobs[:1])
            raise StopError
        return study.launch(jobs)

    planned = planned_looks(*made)
    with pytest.raises(StopError):
        launch_rounds(study.plan, planned, study.context, study.display, launch=stopping)
    assert len(study.looks.looks) == 1
    doubles.readme_of(study.folder.path)  # a report in between is no look
    study.run()
    assert study.looks == whole.looks


def test_a_run_that_failed_is_not_replaced_and_counts_as_no_seed(tmp_path, made):
    study = Study(tmp_path, made, failing=[("lsgan", 1)])
    study.run()
    first, second, third = study.looks.looks
    of_lsgan = [pair for pair in first.pairs if "lsgan" in (pair.variant_a, pair.variant_b)]
    assert {(pair.seeds, pair.verdict) for pair in of_lsgan} == {(2, "not tested")}
    # all three go on, since mlp has not been told from lsgan either
    assert study.rounds[1] == [(name, 3) for name in VARIANTS]
    assert {pair.seeds for pair in second.pairs if "lsgan" in pair.variant_b} == {3}
    assert len(third.pairs) == 3
    assert max(pair.seeds for pair in third.pairs if pair.variant_b == "lsgan") == 4


def test_a_variant_that_never_completes_gets_no_more_seeds(tmp_path, made):
    study = Study(tmp_path, made, failing=[("lsgan", seed) for seed in range(5)])
    study.run()
    assert len(study.rounds) == 1
    assert study.looks.looks[0].ended == "no pair is left of which both variants have fid"
    verdicts = [pair.verdict for pair in study.looks.looks[0].pairs]
    assert verdicts == ["worse", "not tested", "not tested"]
    (group,) = gather([study.folder.path]).groups
    (item,) = contrasts_of(group, "fid")[:1]
    assert item.family_size == 3  # what could not be tested counts nevertheless


def test_a_failed_run_that_is_done_again_adds_a_look(tmp_path, made):
    study = Study(tmp_path, made, failing=[("lsgan", 4)])
    study.run()
    assert [len(look.runs) for look in study.looks.looks] == [9, 2, 1]
    again = Study(tmp_path, made)
    again.run()
    assert [len(look.runs) for look in again.looks.looks] == [9, 2, 1, 1]


def test_reports_use_the_sequential_test_and_say_what_each_look_saw(tmp_path, made):
    study = Study(tmp_path, made)
    study.run()
    text = doubles.readme_of(study.folder.path)
    assert "- Seeds: as needed, 3 to 5 of each variant, by FID, margin 10%; 3 looks taken; " in text
    assert "of 3 pairs 2 resolved, 0 equivalent, 1 not resolved; the limit of 5 seeds" in text
    assert "- Look 1: 3 common seeds: dcgan is better than mlp, lsgan is better than mlp; " in text
    assert "sequential paired t-test" in text
    assert "5 seeds in 3 looks" in text
    (group,) = gather([study.folder.path]).groups
    items = {(i.side_a.name, i.side_b.name): i for i in contrasts_of(group, "fid")[:3]}
    recorded = {(p.variant_a, p.variant_b): p for p in study.looks.looks[-1].pairs}
    for names, item in items.items():
        assert item.paired.p_value == pytest.approx(recorded[names].p_value)
        assert item.verdict == recorded[names].verdict
    assert items["mlp", "dcgan"].looks == 1
    compared = compare(
        study.folder.path, study.folder.path, variant_a="dcgan", variant_b="lsgan", metrics=["fid"]
    )
    (verdict,) = compared.verdicts
    assert (verdict.looks, verdict.n) == (3, 5)
    assert compared.notes[-1].startswith("seeds were added as needed: p-values")


def test_a_plan_that_changes_after_the_first_look_is_refused(tmp_path, made):
    study = Study(tmp_path, made)
    study.run()
    planned = planned_looks(*made)
    check_looks(study.folder, planned)
    for changed in ({"limit": 9}, {"margin": 0.2}, {"primary": "kid"}):
        with pytest.raises(UsageError, match="cannot change once scores were seen"):
            check_looks(study.folder, planned.model_copy(update=changed))
    with pytest.raises(UsageError, match="now has a list or number of seeds"):
        check_looks(study.folder, None)
    study.folder.clear(lambda _name: True)
    check_looks(study.folder, None)


def store_others(folder, variants, budget):
    """Runs of another comparison, of which `dcgan` and `lsgan` could never be told apart."""
    suite = Suite(variants=variants, dataset="digits", budget=budget, seeds=3)
    for job in planning.make(suite, device="cpu", data_root=folder.path).jobs:
        scores = {"fid": FIDS[job.variant][job.seed] + 3.0}
        folder.finish(
            doubles.result(
                job.variant, job.seed, run_id=job.id, dataset="digits", budget=budget, scores=scores
            )
        )


@pytest.mark.parametrize(
    ("variants", "budget"), [(VARIANTS, "5steps"), (("dcgan-ema", "wgan"), "10steps")]
)
def test_other_runs_in_the_folder_are_no_part_of_what_is_looked_at(
    tmp_path, made, monkeypatch, variants, budget
):
    """Those of a smaller budget, or of variants that `--fresh` left where they were."""
    monkeypatch.setitem(FIDS, "dcgan-ema", [30.0 + noise for noise in NOISE])
    monkeypatch.setitem(FIDS, "wgan", [31.0 - noise for noise in NOISE])
    alone, beside = Study(tmp_path / "alone", made), Study(tmp_path / "beside", made)
    store_others(beside.folder, variants, budget)
    for study in (alone, beside):
        study.run()
    assert beside.rounds == alone.rounds
    for look, other in zip(alone.looks.looks, beside.looks.looks, strict=True):
        assert [pair.p_holm for pair in look.pairs] == [pair.p_holm for pair in other.pairs]
        assert (look.next, look.ended) == (other.next, other.ended)
    reported = [
        sorted(item.p_holm for item in contrasts_of(group, "fid") if item.score == "fid")
        for study in (alone, beside)
        for group in gather([study.folder.path]).groups
    ]
    assert reported[0] == reported[1]


def test_another_budget_is_refused_once_scores_were_seen(tmp_path, made):
    study = Study(tmp_path, made)
    suite = made[0].model_copy(update={"budget": "20steps"})
    larger = planned_looks(suite, planning.make(suite, device="cpu", data_root=tmp_path))
    study.folder.looks_file.write_text(planned_looks(*made).model_dump_json(by_alias=True))
    check_looks(study.folder, larger)  # no look has been taken yet
    study.run()
    with pytest.raises(
        UsageError, match="holds looks at runs that are not asked for now, as dcgan-s0"
    ):
        check_looks(study.folder, larger)


def test_a_folder_whose_seeds_were_given_is_refused(tmp_path, made):
    study = Study(tmp_path, made)
    study.folder.write_plan({"jobs": []})
    with pytest.raises(UsageError, match="whose seeds were given"):
        check_looks(study.folder, planned_looks(*made))


@pytest.mark.parametrize("text", ["{", "[]", '{"first": 3}', '{"first": 9, "limit": 3}'])
def test_a_damaged_record_of_looks_is_refused_and_noted_in_reports(tmp_path, made, text):
    study = Study(tmp_path, made)
    study.run()
    study.folder.looks_file.write_text(text)
    with pytest.raises(DataError, match=r"looks\.json cannot be read"):
        study.run()
    (note,) = gather([study.folder.path]).notes
    assert "p-values here are those of seeds that were given" in note


def test_what_is_planned_is_stored_before_the_first_run(tmp_path, made):
    study = Study(tmp_path, made)

    def launch(jobs):
        assert json.loads(study.folder.looks_file.read_text())["limit"] == 5
        return study.launch(jobs)

    launch_rounds(study.plan, planned_looks(*made), study.context, study.display, launch=launch)


def test_the_plan_says_how_many_runs_there_are_at_least_and_at_most(made):
    suite, plan = made
    looks = planned_looks(suite, plan)
    assert len(asked_jobs(plan, looks)) == 9
    assert "at least 9 runs (3 seeds of each variant), at most 15 (5" in rounds_text(plan, looks)


def test_a_comparison_that_has_ended_needs_no_further_run(tmp_path, made):
    study = Study(tmp_path, made)
    assert may_run(study.plan, study.folder, fresh=False) == study.plan
    study.run()
    assert len(may_run(study.plan, study.folder, fresh=False).jobs) == 13
    assert may_run(study.plan, study.folder, fresh=True) == study.plan
    (line,) = ending(study.folder)
    assert line.endswith("not resolved; the limit of 5 seeds is reached")


def test_rows_of_several_folders_are_tested_once_at_the_price_of_all_looks(tmp_path, made):
    studies = [Study(tmp_path / name, made) for name in ("one", "two")]
    fids = {**FIDS, "dcgan": [fid + 1 for fid in FIDS["dcgan"]]}
    studies[1].fids = fids
    for study in studies:
        study.run()
    a, b = (study.folder.path for study in studies)
    (verdict,) = compare(a, b, variant_a="lsgan", variant_b="dcgan", metrics=["fid"]).verdicts
    differences = np.array(fids["dcgan"][:5]) - FIDS["lsgan"][:5]
    plain = stats.ttest_1samp(differences, 0.0).pvalue
    assert verdict.looks == 1
    assert verdict.p_value == pytest.approx(any_look_below(plain, 3, 5), rel=0.01)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--seeds", "auto:3"), "give auto, or auto:3-20"),
        (("--seeds", "auto:1-5"), "at least 2 seeds at first"),
        (("--seeds", "auto:9-5"), "out of range"),
        (("--seeds", "auto", "--margin", "x"), "give a share of the score such as 10%"),
        (("--seeds", "auto", "--margin", "100%"), "give a share of the score such as 10%"),
        (("--seeds", "auto", "--primary", "fidd"), "did you mean fid"),
        (("--seeds", "auto", "--variants", "mlp"), "2 to 24 variants, and 1 would run"),
    ],
)
def test_what_cannot_be_planned_is_refused_in_one_line(capsys, arguments, said):
    code = ganbench(
        "run", "--variants", "mlp,dcgan", "--dataset", "digits", "--device", "cpu", "--dry-run",
        *arguments,
    )  # fmt: skip
    assert code == 2
    assert said in one_line(capsys)
