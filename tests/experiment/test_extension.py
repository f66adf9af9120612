"""Which stored run a job goes on from, and which field of another plan differs."""

from __future__ import annotations

import dataclasses

import pytest
import results_doubles as doubles
from launch_doubles import SMALL, planned

from ganbench.errors import UsageError
from ganbench.experiment.extension import earlier_run, planned_budgets, schedules, variant_of
from ganbench.experiment.store import ResultsFolder
from ganbench.launch import local


@pytest.fixture
def folder(tmp_path):
    made = ResultsFolder(tmp_path / "results")
    made.prepare()
    return made


def plan_in(folder, **changes):
    plan = planned(**changes)
    record = local.plan_record(
        plan, device="cpu", device_name="", device_reason="", command="ganbench run",
        earlier_budgets=planned_budgets(folder),
    )  # fmt: skip
    folder.write_plan(record)
    return plan


def finish(folder, job, **changes):
    result = dataclasses.replace(
        doubles.result(job.variant, job.seed, **changes), run_id=job.id, budget=str(job.budget),
        recipe=job.recipe, source_hash=job.source_hash, dataset=job.spec.name, asked=job.asked,
    )  # fmt: skip
    folder.finish(result)
    (folder.run_path(job.id) / "checkpoint.pt").touch()


def refusal(folder, **changes):
    with pytest.raises(UsageError, match="holds runs of another plan") as caught:
        local.check_folder(folder, planned(**changes), fresh=False)
    return str(caught.value)


@pytest.mark.parametrize(
    ("smaller", "larger"), [("2steps", "3epochs"), ("2steps", "9kimg"), ("20s", "1min")]
)
def test_a_job_goes_on_from_the_run_that_differs_in_a_smaller_budget_alone(folder, smaller, larger):
    (before,) = plan_in(folder, budget=smaller).jobs
    finish(folder, before)
    (job,) = planned(budget=larger).jobs
    earlier = earlier_run(folder, job)
    assert earlier is not None
    assert (earlier.run_id, earlier.path) == (before.id, folder.run_path(before.id))
    assert earlier_run(folder, before) is None
    local.check_folder(folder, planned(budget=larger), fresh=False)


def test_a_run_that_diverged_is_not_gone_on_from(folder):
    (before,) = plan_in(folder, budget="2steps").jobs
    finish(folder, before, status="diverged")
    (job,) = planned(budget="9steps").jobs
    assert earlier_run(folder, job) is None
    local.check_folder(folder, planned(budget="9steps"), fresh=False)


def test_many_runs_are_read_once_for_all_jobs(folder, monkeypatch):
    jobs = plan_in(folder, seeds="20").jobs
    for job in jobs:
        finish(folder, job)
    read = []
    real = ResultsFolder.read_plan
    monkeypatch.setattr(ResultsFolder, "read_plan", lambda self: read.append(0) or real(self))
    local.check_folder(folder, planned(budget="9steps", seeds="20"), fresh=False)
    assert len(read) == 2


def test_of_several_the_longest_is_gone_on_from(folder):
    for budget in ("4steps", "2steps"):  # the plan names the last of them alone
        (before,) = plan_in(folder, budget=budget).jobs
        finish(folder, before)
    (job,) = planned(budget="9steps").jobs
    earlier = earlier_run(folder, job)
    assert earlier is not None
    assert str(earlier.budget) == "4steps"


def begin(folder, job):
    folder.partial_path(job.id).mkdir(parents=True)
    (folder.partial_path(job.id) / "checkpoint.pt").touch()


def test_a_plan_that_was_interrupted_goes_on_under_a_larger_budget(folder):
    """One of its runs was finished, one begun and one not."""
    finished, begun, _ = plan_in(folder, seeds="3").jobs
    finish(folder, finished)
    begin(folder, begun)
    larger = planned(budget="9steps", seeds="3")
    local.check_folder(folder, larger, fresh=False)
    found = [earlier_run(folder, job) for job in larger.jobs]
    assert [run and run.run_id for run in found] == [finished.id, begun.id, None]


def test_a_run_that_was_begun_is_found_after_the_plan_of_the_larger_budget_is_stored(folder):
    for budget in ("4steps", "6steps"):  # the second was interrupted before its run began
        plan_in(folder, budget=budget)
    (before,) = planned(budget="4steps").jobs
    begin(folder, before)
    plan_in(folder, budget="9steps")
    (job,) = planned(budget="9steps").jobs
    earlier = earlier_run(folder, job)
    assert earlier is not None
    assert earlier.path == folder.partial_path(before.id)
    assert planned_budgets(folder) == ["4steps", "6steps", "9steps"]
    plan_in(folder, budget="9steps")  # the same command again stores the same plan
    assert planned_budgets(folder) == ["4steps", "6steps", "9steps"]


@pytest.mark.parametrize("is_finished", [True, False])
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"set": (*SMALL, "lr_g=0.5")}, "mlp: lr_g was 0.0002 and is 0.5 now"),
        ({"budget": "1steps"}, "mlp: budget was 2steps and is 1steps now"),
        ({"evaluate_every": "1steps"}, "mlp: evaluate_every was nothing and is 1steps now"),
        ({"seeds": "4,"}, "is of seed 0, which is not asked for now"),
        ({"variants": ("lsgan",)}, "is of the variant mlp, which is not asked for now"),
    ],
)
def test_another_plan_is_refused_with_the_field_that_differs(folder, is_finished, changes, words):
    (before,) = plan_in(folder).jobs
    if is_finished:
        finish(folder, before)
    assert words in refusal(folder, **changes)


def test_numbers_that_change_over_the_budget_are_named():
    assert schedules(planned().jobs[0]) == []
    (job,) = planned(set=(*SMALL, "lr_d=1e-3:0:cosine")).jobs
    assert schedules(job) == ["lr_d=0.001:0.0:cosine"]


def test_the_variant_of_a_run_is_what_its_name_begins_with():
    assert variant_of("dcgan-smooth-s0-95429df5") == "dcgan-smooth"
    assert variant_of("a-s1-x-s12-0123abcd") == "a-s1-x"
    assert variant_of("notes") == ""


def test_without_a_folder_the_one_of_a_smaller_budget_is_offered(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = local.choose_folder(None, planned(), "cpu")
    first.prepare()
    (before, _) = plan_in(first, seeds="2").jobs
    larger = planned(budget="9steps")
    chosen = local.choose_folder(None, larger, "cpu")
    assert local.smaller_budget_in(chosen, larger) is None  # as nothing is stored yet
    finish(first, before)
    both, other = planned(budget="9steps", seeds="2"), planned(budget="9steps", seeds="3")
    assert chosen.path != first.path
    assert local.smaller_budget_in(chosen, larger) == first.path
    assert local.smaller_budget_in(chosen, both) == first.path  # its second seed was planned
    assert local.smaller_budget_in(chosen, other) is None  # its third was not
    assert local.smaller_budget_in(first, larger) is None
