"""Scores during training: the best step, and whether modes collapsed.

A moment chosen for its score looks better than it is. So the scores during training are taken on
one half of the evaluation noise, and the best moment's, beside the last one's, on the other half.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from ganbench.scoring.collapse import POSITION, collapse
from ganbench.scoring.evaluate import evaluate
from ganbench.scoring.metrics.catalogue import SCORES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor

    from ganbench.machine.device import Device
    from ganbench.scoring.evaluate import Evaluation
    from ganbench.scoring.reference import Noise, Reference
    from ganbench.training.session import Session

__all__ = ["CHOSEN_BY", "OVER_TRAINING_COLUMNS", "ScoresOverTraining"]

CHOSEN_BY = "fid"
OVER_TRAINING_COLUMNS = (*POSITION, *SCORES)


@dataclass
class ScoresOverTraining:
    """The scores of one run so far, and the generator that was best.

    Attributes:
        reference: The real side.
        device: Where the networks are.
        report: Called with the progress of an evaluation.
        rows: One per evaluation, by the names in `OVER_TRAINING_COLUMNS`; None where a score does
            not apply.
        best: Position of the best row, or None.
        weights: State of the sampler at that row, on the CPU.
        before_end: The state before an evaluation that was due only because the budget was used
            up; a run that goes on under a larger budget goes on from it. None where there is none.
        evaluator: Scores a session, as `ganbench.scoring.evaluate.evaluate` does.
    """

    reference: Reference
    device: Device
    report: Callable[[str, int, int], None]
    rows: list[dict[str, float | None]] = field(default_factory=list)
    best: int | None = None
    weights: dict[str, Tensor] = field(default_factory=dict)
    before_end: dict[str, Any] | None = None
    evaluator: Callable[..., Evaluation] = evaluate

    def evaluate(self, session: Session) -> dict[str, float | None]:
        """Score the generator as it is now, with the clock stopped; the new row is returned."""
        return self.add(session, self.score(session, "choosing"))

    def add(self, session: Session, scored: Evaluation) -> dict[str, float | None]:
        """Keep what `score` has found of the generator as it is now; the new row is returned."""
        row = {**_position(session), **{name: scored.scores.get(name) for name in SCORES}}
        self.rows.append(row)
        if self._is_best(row):
            self.best = len(self.rows) - 1
            state = session.state.sampler.state_dict()
            self.weights = {key: value.detach().cpu().clone() for key, value in state.items()}
        return row

    def score(self, session: Session, noise: Noise) -> Evaluation:
        """Score the generator on one half of the noise; nothing is kept of it."""
        return self.evaluator(session, self.reference, self.device, self.report, noise)

    def _is_best(self, row: Mapping[str, float | None]) -> bool:
        score = row[CHOSEN_BY]
        if score is None or not math.isfinite(score):
            return False
        before = None if self.best is None else self.rows[self.best][CHOSEN_BY]
        return before is None or score < before

    def is_at(self, session: Session) -> bool:
        """Whether the last row is of the session's present step."""
        return bool(self.rows) and self.rows[-1]["step"] == session.steps

    def summary(self, session: Session) -> dict[str, Any]:
        """Sum up at the end of a run: the best moment beside the last, on new noise.

        Returns:
            `evaluations`, `chosen_by`, `protocol` and `protocol_fields` of all these scores; `best`
            and `last`, each with its position and its `scores` on the reporting half; `gap`, last
            minus best; `collapsed`, where modes collapsed as `collapse` says, or None.
        """
        last = self.score(session, "reporting")
        summary: dict[str, Any] = {
            "evaluations": len(self.rows),
            "chosen_by": CHOSEN_BY,
            "protocol": last.protocol.hash,
            "protocol_fields": asdict(last.protocol),
            "last": {**_position(session), "scores": last.scores},
            "best": None,
            "gap": None,
            "collapsed": collapse(self.rows),
        }
        if self.best is None:
            return summary
        chosen = self.rows[self.best]
        scores = last.scores
        if chosen["step"] != session.steps:
            sampler = session.state.sampler
            present = {key: value.clone() for key, value in sampler.state_dict().items()}
            sampler.load_state_dict(self.weights)
            scores = self.score(session, "reporting").scores
            sampler.load_state_dict(present)
        summary["best"] = {**{name: chosen[name] for name in POSITION}, "scores": scores}
        end, top = last.scores.get(CHOSEN_BY), scores.get(CHOSEN_BY)
        summary["gap"] = None if end is None or top is None else end - top
        return summary

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint stores, as `torch.load(weights_only=True)` accepts it."""
        state = {"rows": self.rows, "best": self.best, "weights": self.weights}
        return state if self.before_end is None else {**state, "before_end": self.before_end}

    def note_end(self) -> None:
        """Keep the state as it is, before an evaluation that was due only at the end."""
        self.before_end = {"rows": list(self.rows), "best": self.best, "weights": self.weights}

    def load_state_dict(self, values: Mapping[str, Any]) -> None:
        """Go on where `state_dict` was taken."""
        self.rows = [dict(row) for row in values["rows"]]
        self.best = values["best"]
        self.weights = dict(values["weights"])
        self.before_end = values.get("before_end")


def _position(session: Session) -> dict[str, float]:
    return {
        "step": session.steps,
        "epoch": session.epochs,
        "images_seen": session.images_seen,
        "seconds": session.clock.seconds,
    }
