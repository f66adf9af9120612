"""Who leads, as the page and the README say it first."""

from __future__ import annotations

import results_doubles as doubles

from ganbench.report.comparison.ranking import best_labels
from ganbench.report.gather import gather
from ganbench.report.leading import leading_of


def group_of(path, fids, **changes):
    """One group whose variants have these values of FID, one per seed."""
    runs = [
        doubles.result(variant, seed, scores={"fid": fid}, train_seconds=100.0, **changes)
        for variant, values in fids.items()
        for seed, fid in enumerate(values)
    ]
    (group,) = gather([doubles.write(path, runs, files=False)]).groups
    return group


def test_a_resolved_lead_names_the_rivals_their_scores_and_the_cost(tmp_path):
    fids = {"mlp": (50, 52, 51, 50), "dcgan": (9.0, 9.2, 9.1, 8.9), "lsgan": (30, 31, 30, 32)}
    (leading,) = leading_of(group_of(tmp_path, fids), "fid")
    assert leading.leader == "dcgan"
    assert leading.headline.startswith("dcgan leads on FID (classifier) with 9.05 ± ")
    text = " ".join(leading.sentences)
    assert "The lead is resolved against lsgan (30.8), mlp (50.8) (corrected p < 0.001" in text
    assert "Each run trained for 100 s." in text
    assert "chance" not in text


def test_what_the_seeds_do_not_resolve_is_said_with_the_seeds_that_would_be_needed(tmp_path):
    fids = {"mlp": (50, 52, 51), "dcgan": (9.0, 12.0, 10.0), "lsgan": (11.0, 9.0, 12.0)}
    group = group_of(tmp_path, fids)
    (leading,) = leading_of(group, "fid")
    text = " ".join(leading.sentences)
    assert "Resolved against mlp (51)" in text
    assert "Not resolved against lsgan (10.7): chance may explain the difference;" in text
    assert "seeds would be needed" in text
    assert best_labels(group, "fid", "fid") == {"dcgan", "lsgan"}


def test_one_seed_each_names_who_leads_and_that_chance_may_explain_it(tmp_path):
    group = group_of(tmp_path, {"mlp": (50,), "dcgan": (9,)})
    (leading,) = leading_of(group, "fid")
    assert leading.headline == "dcgan leads on FID (classifier) with 9 (lower is better)"
    assert leading.sentences[0].startswith(
        "Next is mlp (50). With one seed each, chance may explain"
    )
    assert best_labels(group, "fid", "fid") == {"dcgan"}


def test_unequal_times_of_training_are_named_that_of_the_leader_first(tmp_path):
    runs = [
        doubles.result(variant, 0, scores={"fid": fid}, train_seconds=seconds)
        for variant, fid, seconds in (("mlp", 50, 20.0), ("dcgan", 9, 300.0))
    ]
    (group,) = gather([doubles.write(tmp_path, runs, files=False)]).groups
    (leading,) = leading_of(group, "fid")
    assert "It cost 300 s of training per run (mlp 20 s)." in " ".join(leading.sentences)


def test_numbers_of_one_seed_that_read_the_same_are_best_together(tmp_path):
    runs = [
        doubles.result(variant, 0, scores={"fid": fid, "recall": recall})
        for variant, fid, recall in (("mlp", 9.001, 0.99996), ("dcgan", 9.004, 1.0),
                                     ("lsgan", 9.1, 0.999))
    ]  # fmt: skip
    (group,) = gather([doubles.write(tmp_path, runs, files=False)]).groups
    assert best_labels(group, "fid", "fid") == {"mlp", "dcgan"}
    assert best_labels(group, "recall", "fid") == {"mlp", "dcgan"}


def test_unequal_budgets_are_not_ranked_against_each_other(tmp_path):
    runs = [
        doubles.result("mlp", scores={"fid": 5.0}, budget="9epochs"),
        doubles.result("dcgan", scores={"fid": 9.0}),
        doubles.result("lsgan", scores={"fid": 7.0}),
    ]
    (group,) = gather([doubles.write(tmp_path, runs, files=False)]).groups
    first, second = leading_of(group, "fid")
    assert first.headline.startswith("lsgan leads on FID (classifier) after 25 epochs with 7 ")
    assert second.headline == "Not ranked: mlp"


def test_a_score_of_which_more_is_better_and_a_run_without_it(tmp_path):
    runs = [
        doubles.result("mlp", scores={"recall": 0.4}),
        doubles.result("dcgan", scores={"recall": 0.7}),
    ]
    (group,) = gather([doubles.write(tmp_path, runs, files=False)]).groups
    (leading,) = leading_of(group, "recall")
    assert leading.headline == "dcgan leads on Recall with 0.700 (higher is better)"
    (nobody,) = leading_of(group, "fid")
    assert "so no variant leads" in nobody.headline


def test_no_run_that_completed_has_no_leader(tmp_path):
    (group,) = gather([doubles.write(tmp_path, [doubles.failed()])]).groups
    assert leading_of(group, "fid")[0].leader == ""


def test_names_that_hold_commas_are_in_quotes(tmp_path):
    recipe = doubles.result().recipe
    runs = [
        doubles.result("dcgan", run_id=str(rate), recipe={**recipe, "lr_g": rate},
                       scores={"fid": 1e4 * rate})
        for rate in (0.001, 0.002)
    ]  # fmt: skip
    (group,) = gather([doubles.write(tmp_path, runs, files=False)]).groups
    (leading,) = leading_of(group, "fid")
    assert leading.headline.startswith('"dcgan, lr_g=0.001" leads on ')
    assert 'Next is "dcgan, lr_g=0.002" (20).' in leading.sentences[0]


def test_a_leader_of_one_seed_beside_others_of_two_is_not_said_to_be_among_ones_of_one(tmp_path):
    (leading,) = leading_of(group_of(tmp_path, {"mlp": (50, 52), "dcgan": (9.0,)}), "fid")
    text = " ".join(leading.sentences)
    assert "one seed each" not in text
    assert "no two completed seeds in common" in text
    assert "chance may explain the lead" in text
