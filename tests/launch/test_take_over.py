"""A larger budget for a stored run: it goes on, to the last bit as if it had it from the start."""

from __future__ import annotations

import shutil

import launch_doubles
import pytest
import torch
from command_line import ganbench
from launch_doubles import planned, said

from ganbench.experiment.store import ResultsFolder
from ganbench.launch import local
from ganbench.launch.run_job import run_job

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("digits_backbone")]

LOOKING = '''"""Looks at the share of the budget."""
import ganbench
from ganbench.variants import mlp

def objectives(recipe, dataset):
    usual = ganbench.losses.bce(recipe, dataset)
    def d_loss(discriminator, real, fake, context):
        return usual.d_loss(discriminator, real, fake).loss * (1 + context.share)
    return ganbench.Losses(d_loss, usual.g_loss)

VARIANT = ganbench.Variant(
    title="Looking", paper="", recipe=ganbench.Recipe(image_size=28),
    generator=mlp.generator, discriminator=mlp.discriminator, losses=objectives,
)
'''


def run(root, cache_root, **changes):
    needed = launch_doubles.resources(root, cache_root)
    (job,) = planned(**changes).jobs
    return run_job(job, needed), said(needed.display)


def networks(stored):
    values = torch.load(stored.checkpoint, weights_only=True)["networks"]
    return {
        f"{name}.{key}": weight
        for name in ("generator", "discriminator")
        for key, weight in values[name].items()
    }


def test_a_run_goes_on_bit_identically_under_a_larger_budget(tmp_path, cache_root):
    asked = {"evaluate_every": "2steps"}
    whole, _ = run(tmp_path / "whole", cache_root, budget="6steps", **asked)
    small, _ = run(tmp_path / "grown", cache_root, budget="3steps", **asked)
    grown, text = run(tmp_path / "grown", cache_root, budget="6steps", **asked)
    assert f"takes over {small.result.run_id} (3steps)" in text
    assert "goes on at step 3" in text
    assert grown.result.run_id == whole.result.run_id
    for name, weight in networks(whole).items():
        assert torch.equal(weight, networks(grown)[name])
    assert grown.result.scores == whole.result.scores
    steps = [line.partition(",")[0] for line in grown.scores.read_text().splitlines()]
    assert steps == ["step", "2", "4", "6"]  # not the third, which was scored as it was the last
    assert small.checkpoint.exists()


def test_an_interrupted_run_goes_on_under_a_larger_budget_too(tmp_path, cache_root):
    small, _ = run(tmp_path, cache_root, budget="3steps")
    small.path.rename(small.path.parent / f".{small.result.run_id}.partial")
    plan = planned(budget="3steps")
    ResultsFolder(tmp_path / "results").write_plan(
        local.plan_record(plan, device="cpu", device_name="", device_reason="", command="")
    )
    _, text = run(tmp_path, cache_root, budget="6steps")
    assert "goes on at step 3" in text


def test_a_command_that_was_interrupted_goes_on_with_a_larger_budget(tmp_path, capsys):
    """One run was begun and one not: the first goes on, the second begins under the new budget."""

    def command(budget):
        asked = [text for number in launch_doubles.SMALL for text in ("--set", number)]
        return ganbench(
            "run", "--variants", "mlp", "--dataset", "digits", "--device", "cpu", *asked,
            "--seeds", "2", "--budget", budget, "--out", tmp_path / "results",
        )  # fmt: skip

    assert command("3steps") == 0
    folder = ResultsFolder(tmp_path / "results")
    first, second = sorted(folder.run_paths())
    shutil.rmtree(second)
    first.rename(folder.partial_path(first.name))  # as it was before its end
    assert command("6steps") == 0
    assert "goes on at step 3" in capsys.readouterr().out
    assert [run.result.steps for run in folder.runs()] == [6, 6]


@pytest.mark.parametrize(
    ("budget", "changes"),
    [
        ("2steps", {}),  # a smaller one
        ("6steps", {"seeds": "1,"}),
        ("6steps", {"set": (*launch_doubles.SMALL, "lr_g=1e-3")}),
    ],
)
def test_another_run_is_not_gone_on_from(tmp_path, cache_root, budget, changes):
    run(tmp_path, cache_root, budget="3steps")
    _, text = run(tmp_path, cache_root, budget=budget, **changes)
    assert "goes on" not in text


def test_a_number_that_changes_over_the_budget_lets_the_run_begin_anew_and_says_so(
    tmp_path, cache_root
):
    asked = {"set": (*launch_doubles.SMALL, "lr_g=2e-4:0")}
    run(tmp_path, cache_root, budget="3steps", **asked)
    _, text = run(tmp_path, cache_root, budget="6steps", **asked)
    assert "begins from the start" in text
    assert "lr_g=0.0002:0.0 changes over the budget" in text


def test_a_variant_that_looks_at_the_share_of_the_budget_begins_anew_and_says_so(
    tmp_path, cache_root
):
    plugin = tmp_path / "looking.py"
    plugin.write_text(LOOKING, encoding="utf-8")
    run(tmp_path, cache_root, budget="3steps", variants=(str(plugin),))
    _, text = run(tmp_path, cache_root, budget="6steps", variants=(str(plugin),))
    assert "looks at the share of the budget" in text
    assert "goes on" not in text
