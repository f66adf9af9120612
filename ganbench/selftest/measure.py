"""Scoring the known generators with the code that scores runs."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pandas as pd

from ganbench.data.dataset import Dataset
from ganbench.scoring.backbones.backbone import Features, real_features
from ganbench.scoring.evaluate import Reference
from ganbench.scoring.metrics.catalogue import SCORES
from ganbench.scoring.metrics.fid import Statistics
from ganbench.scoring.metrics.neighbours import NEIGHBOUR_LIMIT
from ganbench.selftest.known_generators import CONTROL, Fakes, control

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from torch import Tensor

    from ganbench.data.dataset import Progress
    from ganbench.scoring.backbones.backbone import Backbone
    from ganbench.scoring.protocol import Protocol
    from ganbench.selftest.known_generators import Fault
    from ganbench.selftest.splits import Sides

__all__ = ["Bench"]


@dataclasses.dataclass(frozen=True)
class Bench:
    """The real side of a self-test, ready to score generators.

    Attributes:
        sides: The images.
        backbone: What describes them.
        features: Of all chosen images.
        reference: The real side, as a run has one.
    """

    sides: Sides
    backbone: Backbone
    features: Features
    reference: Reference

    @classmethod
    def of(cls, sides: Sides, backbone: Backbone, cache_root: Path, report: Progress) -> Bench:
        """Describe all chosen images once; features are cached as those of a dataset are.

        Raises:
            DataError: The cache cannot be written.
        """
        features = real_features(backbone, sides.dataset, cache_root, report, logits=True)
        spec = sides.dataset.spec
        dataset = Dataset.of(spec, sides.split(sides.real), sides.split(sides.held_out))
        real, held_out = _rows(features, sides.real), _rows(features, sides.held_out)
        reference = Reference(dataset, backbone, real, held_out, Statistics.of(real.vectors))
        return cls(sides, backbone, features, reference)

    @property
    def protocol(self) -> Protocol:
        """All that the scores depend on besides the generator."""
        count = self.sides.count
        return dataclasses.replace(
            self.reference.protocol(ema=False),
            real_split="train, a part",
            fake_count=count,
            neighbour_count=min(NEIGHBOUR_LIMIT, len(self.sides.real), count),
        )

    def score(self, fakes: Fakes, draw: int) -> dict[str, float | None]:
        """Every score of what one generator drew.

        Images whose pixels are as they were have their features already.
        """
        found = _rows(self.features, fakes.rows)
        if fakes.change is not None:
            images = self.sides.dataset.train.images[fakes.rows]
            found = self.backbone.extract(fakes.change(images))
        return self.reference.score(found, seed=draw).scores

    def measure(
        self, faults: Sequence[Fault], *, controls: int, draws: int, report: Progress
    ) -> pd.DataFrame:
        """Score the control and every fault at every strength, several draws each.

        Returns:
            The columns `generator`, `strength` (empty for the control), `draw`, and the scores.
        """
        makers: list[tuple[str, float | None, int, Callable[[Sides, int], Fakes]]] = [
            (CONTROL, None, draw, control) for draw in range(controls)
        ]
        makers += [
            (fault.name, strength.value, draw, strength.make)
            for fault in faults
            for strength in fault.strengths
            for draw in range(draws)
        ]
        rows: list[dict[str, Any]] = []
        for done, (name, value, draw, make) in enumerate(makers):
            report("scoring known generators", done, len(makers))
            scores = self.score(make(self.sides, draw), draw)
            rows.append({"generator": name, "strength": value, "draw": draw, **scores})
        report("scoring known generators", len(makers), len(makers))
        return pd.DataFrame(rows, columns=["generator", "strength", "draw", *SCORES])


def _rows(features: Features, rows: Tensor) -> Features:
    logits = None if features.logits is None else features.logits[rows]
    return Features(features.vectors[rows], features.probabilities[rows], logits)
