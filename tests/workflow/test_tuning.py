"""Equal tuning: as many trials for each, none of which sees what the final runs are scored on."""

from __future__ import annotations

from collections import Counter

import launch_doubles
import pytest
import torch
from tuning_doubles import VARIANTS, Launcher, done, find_variants_once, request

from ganbench.errors import UsageError
from ganbench.experiment import plan as planning
from ganbench.experiment.store import ResultsFolder
from ganbench.experiment.suite import read_suite
from ganbench.machine.interrupt import Stopped
from ganbench.machine.random_streams import generator
from ganbench.scoring.reference import part_of
from ganbench.tuning import draw_trials
from ganbench.tuning.record import read_tuning
from ganbench.variant.budget import Budget
from ganbench.workflow import trials
from ganbench.workflow.trials import expected_jobs
from ganbench.workflow.tuning import SUITE_FILE, choose_tuning_folder, tune
from ganbench.workflow.tuning_plan import plan_tuning


@pytest.fixture(autouse=True)
def _quick_plans(monkeypatch):
    find_variants_once(monkeypatch)


@pytest.fixture
def display():
    return launch_doubles.display()


def drawn(record):
    return [trial for trial in record.results if not trial.is_default]


def test_each_variant_has_as_many_trials_of_the_same_budget_on_the_same_seeds(
    tmp_path, monkeypatch, display
):
    launcher = Launcher(monkeypatch)
    done(request(tmp_path / "out"), display)
    record = read_tuning(tmp_path / "out")
    assert Counter(trial.variant for trial in drawn(record)) == {"mlp": 4, "dcgan": 4}
    assert {trial.budget for trial in record.results} == {"8epochs"}
    seeds = {name: [trial.seed for trial in record.of(name)] for name in VARIANTS}
    assert seeds["mlp"] == seeds["dcgan"]
    assert len(set(seeds["mlp"])) == 4
    assert launcher.reports == 1


def test_trials_have_seeds_and_noise_that_no_final_run_has(tmp_path, monkeypatch, display):
    launcher = Launcher(monkeypatch)
    asked = request(tmp_path / "out", seeds="0,1001,1002")
    done(asked, display)
    tried = [job for job in launcher.jobs.values() if job.noise == "choosing"]
    final = [job for job in launcher.jobs.values() if job.noise == "all"]
    assert len(tried) == 2 * (4 + 3)
    assert len(final) == 2 * 2 * 3
    assert {job.seed for job in final} == {0, 1001, 1002}
    assert {job.seed for job in tried} == {1000, 1003, 1004, 1005}

    def latents(job):
        rows = torch.randn(100, 4, generator=generator(job.seed, "evaluation latents"))
        return {tuple(row.tolist()) for row in part_of(rows, job.noise)}

    seen = set().union(*map(latents, tried))
    assert len(seen) == 4 * 50  # one half, of four seeds
    assert seen.isdisjoint(set().union(*map(latents, final)))


def test_a_run_on_half_of_the_noise_is_another_run():
    (job,) = launch_doubles.planned(seeds="5,").jobs
    half = planning.dataclasses.replace(job, noise="choosing")
    assert half.id != job.id
    assert half.id.startswith("mlp-s5-")


def test_the_best_trial_is_trained_afresh_beside_the_default_recipe(tmp_path, monkeypatch, display):
    launcher = Launcher(monkeypatch)
    _, runs = done(request(tmp_path / "out"), display)
    record = read_tuning(tmp_path / "out")
    for name in VARIANTS:
        scores = {trial.trial: trial.score for trial in record.of(name)}
        assert record.winners[name] == min(scores, key=scores.get)
    names = [(run.result.variant, record.names[run.result.run_id], run.result.seed) for run in runs]
    assert sorted(names) == sorted(
        (name, recipe, seed) for name in VARIANTS for recipe in ("tuned", "default")
        for seed in (0, 1)
    )  # fmt: skip
    for run in runs:
        winner = record.winner(run.result.variant)
        recipe = launcher.jobs[run.result.run_id].recipe
        is_tuned = record.names[run.result.run_id] == "tuned"
        own = {key: float(value) for key, value in winner.numbers.items()}
        assert ({key: recipe[key] for key in own} == own) == is_tuned


def test_the_suite_gives_the_tuned_runs_again(tmp_path, monkeypatch, display):
    Launcher(monkeypatch)
    _, runs = done(request(tmp_path / "out", given=("mlp.generator_width=32",)), display)
    record = read_tuning(tmp_path / "out")
    suite = read_suite(tmp_path / "out" / SUITE_FILE, {})
    plan = planning.make(suite, device="cpu", data_root=tmp_path)
    tuned = {run.result.run_id for run in runs if record.names[run.result.run_id] == "tuned"}
    assert {job.id for job in plan.jobs} == tuned
    assert {job.recipe["generator_width"] for job in plan.jobs if job.variant == "mlp"} == {32}


@pytest.mark.parametrize(
    ("sampler", "is_pruned", "stopped_after"),
    [
        pytest.param("random", False, 2, marks=pytest.mark.slow),  # among the default recipes
        ("random", False, 13),  # among the trials
        pytest.param("random", False, 21, marks=pytest.mark.slow),  # among the final runs
        ("random", True, 17),  # at the second rung
        ("tpe", False, 13),  # in the second batch
    ],
)
def test_after_an_interruption_the_same_command_goes_on_to_the_same_end(
    tmp_path, monkeypatch, display, sampler, is_pruned, stopped_after
):
    for module in (trials, draw_trials):
        monkeypatch.setattr(module, "TPE_FIRST", 3)
        monkeypatch.setattr(module, "TPE_BATCH", 3)
    asked = {"sampler": sampler, "is_pruned": is_pruned, "trials": 6, "variants": ("mlp", "wgan")}
    straight = Launcher(monkeypatch)
    done(request(tmp_path / "straight", **asked), display)

    launcher = Launcher(monkeypatch)
    launcher.stop_after = stopped_after
    with pytest.raises(Stopped):
        done(request(tmp_path / "out", **asked), display)
    launcher.stop_after = None
    done(request(tmp_path / "out", **asked), display)
    assert sorted(launcher.launched) == sorted(straight.launched)  # each once
    assert read_tuning(tmp_path / "out") == read_tuning(tmp_path / "straight")

    # And once more, where all is done
    done(request(tmp_path / "out", **asked), display)
    assert sorted(launcher.launched) == sorted(straight.launched)


def test_trials_that_fail_count_as_trials_and_are_the_worst(tmp_path, monkeypatch, display):
    def fails(job):
        return job.variant == "dcgan" and job.noise == "choosing" and job.seed != 1002

    Launcher(monkeypatch, failing=fails)
    done(request(tmp_path / "out"), display)
    record = read_tuning(tmp_path / "out")
    own = record.of("dcgan")
    assert [trial.status for trial in own] == ["failed", "failed", "ok", "failed"]
    assert [trial.score is None for trial in own] == [True, True, False, True]
    assert record.winners["dcgan"] == 3
    one = record.curve("dcgan")[0]
    assert (one.mean, one.median) == (None, None)  # of three in four searches of one trial


def test_a_variant_whose_trials_all_fail_has_no_tuned_recipe(tmp_path, monkeypatch, display):
    Launcher(monkeypatch, failing=lambda job: job.variant == "mlp" and job.noise == "choosing")
    _, runs = done(request(tmp_path / "out"), display)
    record = read_tuning(tmp_path / "out")
    assert record.winners["mlp"] is None
    assert Counter(run.result.variant for run in runs) == {"mlp": 2, "dcgan": 4}
    suite = read_suite(tmp_path / "out" / SUITE_FILE, {})
    assert suite.variants == ("dcgan",)
    assert "mlp: no trial has a score" in launch_doubles.said(display)


def test_pruning_stops_as_many_trials_of_each_variant_after_the_same_budgets(
    tmp_path, monkeypatch, display
):
    Launcher(monkeypatch)
    done(request(tmp_path / "out", trials=8, is_pruned=True), display)
    record = read_tuning(tmp_path / "out")
    for name in VARIANTS:
        budgets = Counter((trial.budget, trial.status) for trial in record.of(name))
        assert budgets == {
            ("2epochs", "pruned"): 4, ("4epochs", "pruned"): 2, ("8epochs", "ok"): 2,
        }  # fmt: skip
        # The made-up scores do not depend on the budget: the best two are those that went on
        ranked = sorted(record.of(name), key=lambda trial: trial.score)
        assert {trial.status for trial in ranked[:2]} == {"ok"}
        assert record.winners[name] == ranked[0].trial


def test_trials_keep_no_networks(tmp_path, monkeypatch, display):
    launcher = Launcher(monkeypatch)
    finish = ResultsFolder.finish

    def with_networks(folder, result):
        (folder.partial_path(result.run_id) / "checkpoint.pt").write_bytes(b"networks")
        return finish(folder, result)

    monkeypatch.setattr(ResultsFolder, "finish", with_networks)
    done(request(tmp_path / "out"), display)
    assert launcher.launched
    assert not list((tmp_path / "out" / "trials").rglob("checkpoint.pt"))
    assert len(list((tmp_path / "out" / "runs").glob("*/checkpoint.pt"))) == 8


def test_another_tuning_in_the_folder_is_refused_and_fresh_starts_over(
    tmp_path, monkeypatch, display
):
    launcher = Launcher(monkeypatch)
    done(request(tmp_path / "out"), display)
    with pytest.raises(UsageError, match=r"holds another tuning: trials was 4 and is 5 now"):
        done(request(tmp_path / "out", trials=5), display)
    before = len(launcher.launched)
    done(request(tmp_path / "out", trials=5), display, fresh=True)
    assert len(launcher.launched) == before + 2 * (5 + 2 + 4)
    assert read_tuning(tmp_path / "out").trials == 5
    assert len(list((tmp_path / "out" / "trials" / "runs").glob("*"))) == 2 * (5 + 2)


def test_a_fresh_tuning_that_is_interrupted_early_goes_on_without_the_trials_before(
    tmp_path, monkeypatch, display
):
    launcher = Launcher(monkeypatch)
    done(request(tmp_path / "out"), display)
    before = len(launcher.launched)
    (tmp_path / "out" / "trials" / "slurm").mkdir()  # what launchers keep there stays
    launcher.stop_after = before + 1
    with pytest.raises(Stopped):  # in the default recipes
        done(request(tmp_path / "out", trials=5), display, fresh=True)
    launcher.stop_after = None
    done(request(tmp_path / "out", trials=5), display)
    assert len(launcher.launched) == before + 2 * (5 + 2 + 4)


def test_a_folder_of_a_comparison_is_refused(tmp_path, monkeypatch, display):
    Launcher(monkeypatch)
    (tmp_path / "out").mkdir()
    ResultsFolder(tmp_path / "out").write_plan({"jobs": []})
    with pytest.raises(UsageError, match="holds a comparison that is no tuning"):
        done(request(tmp_path / "out"), display)


def test_without_a_name_the_folder_of_today_that_holds_this_tuning_goes_on(
    tmp_path, monkeypatch, display
):
    Launcher(monkeypatch)
    monkeypatch.chdir(tmp_path)
    planned = plan_tuning(request(), display, command="")
    first = choose_tuning_folder(planned)
    assert first.path.name.endswith("_cpu_digits_tuned")
    tune(planned, first, display)
    assert choose_tuning_folder(planned).path == first.path
    other = plan_tuning(request(trials=5), display, command="")
    assert choose_tuning_folder(other).path.name.endswith("_cpu_digits_tuned-2")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"budget": None}, "give --budget"),
        ({"seeds": "auto"}, "a count or a list of seeds"),
        ({"primary": "memorisation"}, "looks at the test images"),
        ({"primary": "fud"}, "unknown primary score 'fud'"),
        ({"sampler": "tpe", "is_pruned": True}, "give one"),
        ({"variants": ("frozen:images",)}, "has no recipe to tune"),
        ({"space": ("lr_x=1:2",)}, "unknown recipe key 'lr_x'"),
        ({"space": ("lr_g=1e-4:1",), "given": ("mlp.lr_g=1e-3",)}, "in --set and in --space"),
    ],
)
def test_what_would_be_no_equal_tuning_is_refused(display, changes, message):
    with pytest.raises(UsageError) as refusal:
        plan_tuning(request(**changes), display, command="")
    assert message in str(refusal.value)


def test_updates_per_step_are_searched_where_they_cost_no_more_training(display):
    by_images = plan_tuning(request(), display, command="")
    by_steps = plan_tuning(request(budget="100steps"), display, command="")
    assert by_images.record.space["mlp"]["d_steps"] == "1|2|5"
    assert "d_steps" not in by_steps.record.space["mlp"]
    (note,) = by_steps.notes
    assert note.startswith("d_steps is not searched")


def test_numbers_that_do_not_go_together_are_a_trial_that_failed(tmp_path, monkeypatch, display):
    launcher = Launcher(monkeypatch)
    make = planning.make

    def refusing(suite, **named):
        if "beta1=0.9" in suite.set:
            raise UsageError("these do not go together")
        return make(suite, **named)

    monkeypatch.setattr(planning, "make", refusing)
    done(request(tmp_path / "out", space=("beta1=0.5|0.9",), trials=6), display)
    record = read_tuning(tmp_path / "out")
    refused = [trial for trial in drawn(record) if trial.numbers["beta1"] == "0.9"]
    assert 0 < len(refused) < 12
    assert {(trial.status, trial.reason, trial.run_id) for trial in refused} == {
        ("failed", "these do not go together", "")
    }
    tried = [job for job in launcher.jobs.values() if job.noise == "choosing"]
    assert len(tried) == 12 - len(refused) + 4


def test_what_a_tuning_takes_is_known_before(display):
    planned = plan_tuning(request(trials=8, is_pruned=True), display, command="")
    jobs = expected_jobs(planned)
    of_mlp = Counter(str(job.budget) for job in jobs if job.variant == "mlp")
    # Final runs and default recipes beside the trials at the whole budget, and two trials
    assert of_mlp == {"2epochs": 4, "4epochs": 2, "8epochs": 2 + 2 + 2 + 2}
    plain = plan_tuning(request(trials=8), display, command="")
    assert {job.budget for job in expected_jobs(plain)} == {Budget(8, "epochs")}
