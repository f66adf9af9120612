"""Scoring the known generators with the code that scores runs."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pandas as pd

from ganbench.data.dataset import Dataset
from ganbench.scoring.backbones.backbone import real_features
from ganbench.scoring.metrics.catalogue import SCORES
from ganbench.scoring.metrics.fid import Statistics
from ganbench.scoring.metrics.neighbours import NEIGHBOUR_LIMIT
from ganbench.scoring.reference import Reference
from ganbench.selftest.known_generators import CONTROL, Fakes, control

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ganbench.data.dataset import Progress
    from ganbench.scoring.backbones.backbone import Backbone, Features
    from ganbench.scoring.protocol import Protocol
    from ganbench.selftest.known_generators import Fault
    from ganbench.selftest.splits import Splits

__all__ = ["Scorer"]


@dataclasses.dataclass(frozen=True)
class Scorer:
    """Scores known generators against the real images of a self-test.

    Attributes:
        splits: The images.
        backbone: Extracts their features.
        features: Features of all chosen images.
        reference: The real images, as the scoring of a run has them.
    """

    splits: Splits
    backbone: Backbone
    features: Features
    reference: Reference

    @classmethod
    def of(cls, splits: Splits, backbone: Backbone, cache_root: Path, report: Progress) -> Scorer:
        """Extract the features of all chosen images once; the cache keeps them as a dataset's.

        Raises:
            DataError: The cache cannot be written.
        """
        features = real_features(backbone, splits.dataset, cache_root, report, logits=True)
        spec = splits.dataset.spec
        dataset = Dataset.of(spec, splits.part(splits.real), splits.part(splits.held_out))
        real, held_out = features.rows(splits.real), features.rows(splits.held_out)
        reference = Reference(dataset, backbone, real, held_out, Statistics.of(real.vectors))
        return cls(splits, backbone, features, reference)

    @property
    def protocol(self) -> Protocol:
        """All that the scores depend on besides the generator."""
        count = self.splits.count
        return dataclasses.replace(
            self.reference.protocol(),
            real_split="train, a part",
            fake_count=count,
            neighbour_count=min(NEIGHBOUR_LIMIT, len(self.splits.real), count),
        )

    def score(self, fakes: Fakes, draw: int) -> dict[str, float | None]:
        """Every score of what one generator drew.

        The features of images with unchanged pixels are known already.
        """
        features = self.features.rows(fakes.rows)
        if fakes.change is not None:
            images = self.splits.dataset.train.images[fakes.rows]
            features = self.backbone.extract(fakes.change(images))
        return self.reference.score(features, seed=draw).scores

    def measure(
        self, faults: Sequence[Fault], *, controls: int, draws: int, report: Progress
    ) -> pd.DataFrame:
        """Score the control and every fault at every strength, several draws each.

        Returns:
            The columns `generator`, `strength` (empty for the control), `draw`, and the scores.
        """
        makers: list[tuple[str, float | None, int, Callable[[Splits, int], Fakes]]] = [
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
            scores = self.score(make(self.splits, draw), draw)
            rows.append({"generator": name, "strength": value, "draw": draw, **scores})
        report("scoring known generators", len(makers), len(makers))
        return pd.DataFrame(rows, columns=["generator", "strength", "draw", *SCORES])
