"""Scores during training: what is best, and what is reported of it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from doubles import tiny_spec, tiny_split

from ganbench.machine.device import choose
from ganbench.scoring import evaluate as evaluate_module
from ganbench.scoring.over_training import OVER_TRAINING_COLUMNS, ScoresOverTraining
from ganbench.scoring.reference import part_of
from ganbench.training.loop import train
from ganbench.training.session import Session
from ganbench.training.state import TrainState
from ganbench.variant.budget import Budget
from ganbench.variant.registry import resolve

SPEC = tiny_spec(count=40)
NEVER = Budget(1e9, "steps")


def session() -> Session:
    (entry,) = resolve(["mlp"])
    recipe = entry.variant.recipe.override(
        {"generator_width": 4, "discriminator_width": 4, "image_size": 32, "batch_size": 8}
    )
    state = TrainState.create(entry.variant, recipe, SPEC, torch.device("cpu"), 0)
    return Session(state, tiny_split(SPEC), SPEC, choose("cpu"), 0)


def weights(one: Session) -> list[torch.Tensor]:
    return [value.clone() for value in one.state.generator.state_dict().values()]


class FakeEvaluate:
    """Stands for `evaluate`: its FID depends on the half of the noise and on the step."""

    def __init__(self, choosing: dict[int, float], reporting: dict[int, float]) -> None:
        self.tables = {"choosing": choosing, "reporting": reporting}
        self.seen: dict[float, int] = {}

    def __call__(self, one, reference, device, report, noise):
        mark = float(next(one.state.generator.parameters()).detach().sum())
        step = self.seen.setdefault(mark, one.steps)
        torch.randn(3)  # a network may draw its own random numbers
        protocol = evaluate_module.Protocol(
            "tiny", "", "train", 40, 20, 20, "classifier", "", "", 1.0, 32
        )
        scores = {"fid": self.tables[noise].get(step), "modes_covered": 1, "modes_total": 4}
        return SimpleNamespace(scores=scores, protocol=protocol)


def over_training_by(evaluator):
    return ScoresOverTraining(None, choose("cpu"), lambda *_: None, evaluator=evaluator)


@pytest.fixture
def followed():
    """Train six steps, scored every two, by the FIDs that a test gives."""

    def follow(choosing, reporting):
        one = session()
        over_training = over_training_by(FakeEvaluate(choosing, reporting))
        for event in train(one, Budget(6, "steps"), NEVER, Budget(2, "steps")):
            if event.kind == "evaluate":
                over_training.evaluate(event.session)
        return one, over_training

    return follow


def test_a_row_is_kept_for_each_evaluation(followed):
    _, over_training = followed({2: 9.0, 4: 5.0, 6: 7.0}, {})
    assert [(row["step"], row["images_seen"], row["fid"]) for row in over_training.rows] == [
        (2, 16, 9.0),
        (4, 32, 5.0),
        (6, 48, 7.0),
    ]
    assert set(over_training.rows[0]) == set(OVER_TRAINING_COLUMNS)
    assert over_training.rows[0]["recall"] is None


def test_the_best_moment_is_chosen_on_one_half_and_reported_on_the_other(followed):
    one, over_training = followed({2: 9.0, 4: 5.0, 6: 7.0}, {2: 8.0, 4: 6.5, 6: 6.75})
    before = weights(one)
    summary = over_training.summary(one)
    assert summary["best"]["step"] == 4
    assert summary["best"]["scores"]["fid"] == 6.5  # not the 5.0 that it was chosen for
    assert summary["last"]["scores"]["fid"] == 6.75
    assert summary["gap"] == 0.25
    assert summary["evaluations"] == 3
    assert all(map(torch.equal, before, weights(one)))  # the run keeps its last weights


def test_a_best_moment_that_is_the_last_has_no_gap(followed):
    one, over_training = followed({2: 9.0, 4: 8.0, 6: 7.0}, {6: 7.5})
    summary = over_training.summary(one)
    assert (summary["best"]["step"], summary["gap"]) == (6, 0.0)


def test_a_run_without_a_finite_score_has_no_best_moment(followed):
    one, over_training = followed({2: float("nan")}, {})
    summary = over_training.summary(one)
    assert summary["best"] is None
    assert summary["gap"] is None


def test_scores_during_training_go_on_from_a_checkpoint(followed, tmp_path):
    one, over_training = followed({2: 9.0, 4: 5.0, 6: 7.0}, {4: 6.5, 6: 6.75})
    torch.save(over_training.state_dict(), tmp_path / "state.pt")
    resumed = over_training_by(over_training.evaluator)
    resumed.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert resumed.rows == over_training.rows
    assert resumed.summary(one) == over_training.summary(one)
    assert resumed.is_at(one)


def test_evaluating_does_not_change_what_training_draws():
    one = session()
    torch.manual_seed(3)
    expected = torch.randn(4)
    torch.manual_seed(3)
    with one.isolated_rng("evaluation"):
        first = torch.randn(4)
    assert torch.equal(torch.randn(4), expected)
    with one.isolated_rng("evaluation"):
        assert torch.equal(torch.randn(4), first)


def test_the_two_halves_of_the_noise_share_nothing_and_are_equally_large():
    rows = list(range(9))
    choosing = part_of(rows, "choosing")
    reporting = part_of(rows, "reporting")
    assert not set(choosing) & set(reporting)
    assert len(choosing) == len(reporting) == 4
    assert part_of(rows, "all") == rows
