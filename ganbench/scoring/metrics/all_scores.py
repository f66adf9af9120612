"""All scores of one generator, from features of its images and of real ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ganbench.machine.memory import trim_host_memory
from ganbench.scoring.metrics import neighbours
from ganbench.scoring.metrics.catalogue import POINTS_BACKBONE, SCORES
from ganbench.scoring.metrics.cautions import cautions
from ganbench.scoring.metrics.checks import check_labels, check_matrix, check_pair
from ganbench.scoring.metrics.clipped import clipped_density_coverage, clipped_radii
from ganbench.scoring.metrics.constants import DENSITY_K
from ganbench.scoring.metrics.copies import duplicates, memorisation
from ganbench.scoring.metrics.diversity import class_diversity, vendi
from ganbench.scoring.metrics.fid import Statistics, fid
from ganbench.scoring.metrics.fid_infinity import fid_infinity
from ganbench.scoring.metrics.high_quality import scores_of_modes
from ganbench.scoring.metrics.inception_score import inception_score
from ganbench.scoring.metrics.kid import kid
from ganbench.scoring.metrics.mind import mind
from ganbench.scoring.metrics.modes import COVERED_STRICT, Modes
from ganbench.scoring.metrics.real_side import RealSide

if TYPE_CHECKING:
    from torch import Tensor

    from ganbench.scoring.backbones.backbone import Features

__all__ = ["AllScores", "score"]


@dataclass(frozen=True)
class AllScores:
    """The scores of one generator.

    Attributes:
        scores: A value for each name in `catalogue.SCORES`; None where a score does not apply.
        class_histogram: Under `"real"` and `"fake"`, the share of each class, by its index as a
            text.
        neighbour_count: Images of each kind that the scores of neighbours and pairs look at.
        notes: Where the scores do not mean what they seem to, in sentences.
    """

    scores: dict[str, float | None]
    class_histogram: dict[str, dict[str, float]]
    neighbour_count: int
    notes: tuple[str, ...] = ()


def score(
    real: Features,
    fake: Features,
    *,
    real_labels: Tensor,
    held_out: Features | None = None,
    seed: int = 0,
    backbone: str,
    real_statistics: Statistics | None = None,
    real_side: RealSide | None = None,
    modes_by_argmax: bool = False,
) -> AllScores:
    """Compute every score that features allow.

    `prompt_alignment` and `intra_fid` are left None: they need images that were drawn by class; and
    those of a manifold, which need the images themselves.

    Everything pairwise is computed in blocks: for 10,000 generated images of 2,048 entries the
    memory grows by 1 GB at most, and no more for more real images.

    Args:
        real: Features of the training split.
        fake: Features of the generated images.
        real_labels: Class of each real image.
        held_out: Features of real images that no generator was trained on; without them
            `memorisation` is None.
        seed: Decides which images are chosen where a score looks at some of them.
        backbone: Name of the network that gave the features; only `"inception"` has an inception
            score, and only `"points"` the scores of points.
        real_statistics: `Statistics.of(real.vectors)`, where they are known from an earlier call.
        real_side: `RealSide.of` these images, count and seed, where it is known.
        modes_by_argmax: Whether `modes_covered`, `mode_kl` and `mode_entropy` count classes as the
            published protocol of stacked MNIST does, `Modes.by_argmax`.

    Raises:
        ValueError: Features hold NaN, or their shapes do not fit each other or the labels.
    """
    real_labels = real_labels.cpu()
    _check(real, fake, real_labels, held_out)
    inside = fake.inside
    modes = counted = Modes.of(fake.probabilities, real_labels, inside)
    covered = modes.covered()
    if modes_by_argmax:
        counted = Modes.by_argmax(fake.probabilities)
        covered = counted.found
    scores: dict[str, float | None] = dict.fromkeys(SCORES)

    # Distance of the distributions
    if min(len(real.vectors), len(fake.vectors)) > 1:
        statistics = real_statistics or Statistics.of(real.vectors)
        scores["fid"] = fid(statistics, Statistics.of(fake.vectors))
        scores["fid_infinity"] = fid_infinity(statistics, fake.vectors, seed=seed)
    trim_host_memory()  # freed in pieces too small for what follows
    some_real, some_fake = neighbours.equal_counts(real.vectors, fake.vectors, seed=seed)
    is_image = backbone != POINTS_BACKBONE
    side = real_side or RealSide.of(
        real.vectors,
        len(fake.vectors),
        None if held_out is None else held_out.vectors,
        seed=seed,
        has_kid=is_image,
    )
    if is_image and (estimate := kid(some_real, some_fake, seed=seed, sums=side.kernel_sums)):
        scores["kid"], scores["kid_standard_error"] = estimate
    scores["mind"] = mind(some_real, some_fake, seed=seed)

    # Classes
    scores["modes_covered"] = int(covered.sum())
    scores["modes_covered_strict"] = int(modes.covered(COVERED_STRICT).sum())
    scores["modes_total"] = counted.total
    scores["mode_kl"] = counted.kl
    scores["mode_entropy"] = counted.entropy
    scores["diversity"] = class_diversity(
        real.vectors,
        real_labels,
        fake.vectors,
        fake.probabilities.argmax(dim=1),
        covered,
        inside,
    )
    trim_host_memory()

    # Neighbours
    fake_nearest = neighbours.nearest_others(some_fake, min(DENSITY_K, len(some_real) - 1))
    if len(some_real) > DENSITY_K:
        scores |= _shares_inside(some_real, some_fake, side.nearest, side.rows, fake_nearest)
    elif both := neighbours.precision_recall(some_real, some_fake):
        scores["precision"], scores["recall"] = both

    # Variety and novelty
    scores["vendi"] = vendi(some_fake)
    scores["duplicates"] = duplicates(
        some_real, some_fake, real_nearest=side.nearest, fake_nearest=fake_nearest
    )
    if held_out is not None:
        scores["memorisation"] = memorisation(
            real.vectors,
            fake.vectors,
            held_out.vectors,
            seed=seed,
            expected=side.held_out_distance,
        )
    if backbone == "inception" and fake.logits is not None:
        scores["inception_score"] = inception_score(fake.logits, seed=seed)
    if not is_image:
        named = fake.probabilities.argmax(dim=1)
        scores |= scores_of_modes(named, inside, fake.probabilities.shape[1])

    histogram = {"real": _by_class(modes.real), "fake": _by_class(counted.fake)}
    things = "images" if is_image else "points"
    notes = cautions(real.vectors, fake.vectors, modes, things)
    return AllScores(scores, histogram, neighbour_count=len(some_real), notes=notes)


def _shares_inside(
    real: Tensor, fake: Tensor, real_nearest: Tensor, real_rows: Tensor, fake_nearest: Tensor
) -> dict[str, float | None]:
    """Scores of who lies in whose neighbourhood, from one pass over all distances."""
    place = neighbours.PRECISION_K - 1
    whole, clipped, near_real, near_fake = neighbours.inside(
        real,
        fake,
        real_nearest[:, DENSITY_K - 1],
        clipped_radii(real_nearest),
        real_nearest[:, place],
        point_radii=fake_nearest[:, place],
    )
    shares = (
        neighbours.precision_recall(real, fake, counts=(near_real, near_fake)),
        neighbours.density_coverage(real, fake, real_nearest=real_nearest, counts=whole),
        clipped_density_coverage(
            real, fake, real_nearest=real_nearest, real_rows=real_rows, counts=(whole, clipped)
        ),
    )
    names = (
        ("precision", "recall"),
        ("density", "coverage"),
        ("clipped_density", "clipped_coverage"),
    )
    return {
        name: value
        for pair, values in zip(names, shares, strict=True)
        for name, value in zip(pair, values or (None, None), strict=True)
    }


def _check(real: Features, fake: Features, real_labels: Tensor, held_out: Features | None) -> None:
    check_pair(real.vectors, fake.vectors)
    check_matrix("probabilities of generated images", fake.probabilities)
    if len(fake.probabilities) != len(fake.vectors):
        raise ValueError(
            f"generated images have {len(fake.vectors)} feature vectors and "
            f"{len(fake.probabilities)} rows of probabilities: expected one of each per image"
        )
    classes = fake.probabilities.shape[1]
    check_labels("real labels", real_labels, count=len(real.vectors), classes=classes)
    if held_out is not None:
        check_pair(real.vectors, held_out.vectors)


def _by_class(shares: Tensor) -> dict[str, float]:
    return {str(index): share for index, share in enumerate(shares.tolist())}
