"""The plan that a dry run prints: what each run takes, and the sum."""

from __future__ import annotations

import io
from dataclasses import replace

from launch_doubles import planned
from rich.console import Console

from ganbench.cli.plan_table import print_plan
from ganbench.launch.timings import Cost


def printed(plan, costs, *, jobs=1):
    text = io.StringIO()
    print_plan(plan, Console(file=text, width=80), costs, 10.0, jobs)
    return text.getvalue()


def test_each_run_has_its_time_and_memory_and_the_sum_is_said_within_80_columns():
    plan = planned(variants=("mlp", "dcgan"), budget="100steps", seeds="2")
    costs = {
        "mlp": Cost(0.57, 60.0, 10**9, "a run of today"),  # 3 + 57 + 60 s
        "dcgan": Cost(17.37, 60.0, 3 * 10**9, "a few steps", is_measured=True),  # 3 + 1737 + 60 s
    }
    text = printed(plan, costs)
    lines = text.splitlines()
    for job, time, memory in zip(
        plan.jobs, ["2 min", "30 min"] * 2, ["1.0", "3.0"] * 2, strict=True
    ):
        (row,) = [line for line in lines if line.startswith(job.id)]
        assert time in row
        assert f"{memory} GB" in row
        assert len(row) <= 80
    assert "mlp: training 57 s, scores 1 min (estimated from a run of today)" in lines
    assert "in total about 1 h 04 min: 4 runs, and the report 10 s" in lines


def test_the_sum_says_that_runs_side_by_side_take_less():
    plan = planned(budget="100steps", seeds="4")
    text = printed(plan, {"mlp": Cost(0.57, 60.0, 10**9, "a run of today")}, jobs=2)  # 120 s each
    whole = "in total about 8 min: 4 runs one after the other (less with 2 at a time), "
    assert whole + "and the report 10 s" in " ".join(text.split())


def test_a_run_whose_time_cannot_be_said_is_in_the_table_with_its_reason():
    plan = planned(budget="100steps")
    text = printed(plan, {"mlp": "mlp: ValueError: no"})
    assert plan.jobs[0].id in text
    assert "ValueError: no" in text


def test_an_image_folder_is_named_by_its_last_part_so_that_a_run_is_one_line():
    plan = planned(budget="100steps")
    spec = replace(plan.jobs[0].spec, name="imagefolder:/home/somebody/pictures/birds")
    job = replace(plan.jobs[0], spec=spec)
    text = printed(replace(plan, jobs=(job,)), {})
    (row,) = [line for line in text.splitlines() if line.startswith(job.id)]
    assert " birds " in row
    assert "somebody" not in text
