"""Scoring generated images of anyone, by the protocol that runs are scored by."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ganbench.data.dataset import ignore_progress
from ganbench.errors import UsageError
from ganbench.scoring.metrics.intra_fid import fid_by_class, intra_fid
from ganbench.scoring.reference_rows import reference_rows

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from ganbench.data.dataset import Progress
    from ganbench.fakes.source import Source
    from ganbench.scoring.protocol import Protocol
    from ganbench.scoring.reference import Reference

__all__ = ["FEWEST", "Scored", "score_source"]

FEWEST = 10
"""Images below which scores of neighbours, of which there are five, say nothing."""


@dataclass(frozen=True, repr=False)
class Scored:
    """The scores of generated images, and all that they depend on.

    Attributes:
        fakes: What was scored, for people.
        images: How many images.
        scores: By name, as `ganbench list metrics` has them; None where a score does not apply.
        class_histogram: Share of each class among real and generated images.
        protocol: What the scores depend on besides the images.
        references: What held-out real images, an untrained generator and noise score by it.
        class_scores: By class, `fid` within it; for generators that draw by class.
        notes: What was chosen or changed, and where scores mislead, in sentences.
    """

    fakes: str
    images: int
    scores: dict[str, float | None]
    class_histogram: dict[str, dict[str, float]]
    protocol: Protocol
    references: dict[str, dict[str, Any]]
    class_scores: dict[str, dict[str, float]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        fid = self.scores.get("fid")
        shown = "no FID" if fid is None else f"FID {fid:.4g} ({self.protocol.backbone})"
        return f"<Scored {self.fakes}: {self.images:,} images, {shown}>"

    @property
    def frame(self) -> pd.DataFrame:
        """The scores that apply, one row per score, beside those of the reference rows."""
        import pandas as pd

        sides = {self.fakes: self.scores}
        sides |= {name: row["scores"] for name, row in self.references.items()}
        table = pd.DataFrame(sides).loc[list(self.scores)]
        return table[table[self.fakes].notna()].astype(float)

    def _repr_html_(self) -> str:
        """The scores and their protocol, as Jupyter shows them."""
        protocol = self.protocol
        below = (
            f"protocol {protocol.hash}: {protocol.fake_count:,} generated and "
            f"{protocol.real_count:,} real images, features of {protocol.backbone}"
        )
        table = self.frame.to_html(escape=True, float_format=lambda value: f"{value:.4g}")
        return f"{table}<p>{below}</p>"

    def to_json(self) -> str:
        """All of it as JSON; a number that is not finite becomes null."""
        values = {
            **dataclasses.asdict(self),
            "protocol": {**dataclasses.asdict(self.protocol), "hash": self.protocol.hash},
        }
        return json.dumps(_finite(values), indent=1, allow_nan=False)


def score_source(
    source: Source,
    reference: Reference,
    *,
    seed: int = 0,
    cache_root: Path,
    report: Progress = ignore_progress,
) -> Scored:
    """Score generated images against real ones.

    As many are scored as a run draws, or all where there are fewer; then the protocol says so, and
    the reference rows are of as many.

    Args:
        source: The images, or what draws them.
        reference: The real side.
        seed: Of a generator's latents, and of the choice of some images where there are more.
        cache_root: Where the reference rows are kept.
        report: Called with the progress.

    Raises:
        UsageError: There are too few images, or they do not fit the reference.
        DataError: They cannot be read.
    """
    usual = reference.fake_count
    count = usual if source.count is None else min(usual, source.count)
    if count < FEWEST:
        raise UsageError(
            f"{source.name} holds {count} images: give {FEWEST} or more, and {usual:,} for scores "
            "that can be compared with those of runs"
        )
    notes = []
    if count < usual:
        reference = replace(reference, limit=count)
        notes.append(
            f"{count:,} images are scored, where a run draws {usual:,}: FID is higher for fewer "
            "images, so compare it only with scores of as many"
        )
    dataset = reference.dataset
    taken = source.take(dataset, count, seed, report)
    features = reference.backbone.extract(taken.images, report)
    computed = reference.score(features, seed)
    scores = {**computed.scores, **reference.manifold_scores(taken.images)}
    names, by_class = dataset.spec.class_names, {}
    if taken.labels is not None:
        distances = fid_by_class(
            reference.real.vectors, dataset.train.labels.cpu(), features.vectors, taken.labels
        )
        scores["intra_fid"] = intra_fid(distances, len(names))
        by_class = {names[label]: {"fid": distance} for label, distance in distances.items()}
    histogram = {
        side: {names[int(index)]: share for index, share in shares.items()}
        for side, shares in computed.class_histogram.items()
    }
    return Scored(
        fakes=source.name,
        images=count,
        scores=scores,
        class_histogram=histogram,
        protocol=reference.protocol(),
        references=reference_rows(reference, reference.stored_size, cache_root, report),
        class_scores=by_class,
        notes=(*taken.notes, *notes, *computed.notes),
    )


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
